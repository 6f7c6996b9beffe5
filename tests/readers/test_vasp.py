"""The files are written here as VASP writes them, cut down to what a reader looks at."""

import gzip

import numpy as np
import pytest

from zenn.errors import InputError
from zenn.readers.vasp import read_vasp, read_vasp_density_of_states

POSITIONS = [(0, 0, 0), (0.5, 0.5, 0.5), (0.25, 0.25, 0.25), (0.75, 0.75, 0.75)]

# Two spins; the energies are in column one, the density in two, its integral in three
DENSITY_OF_STATES = """
  <dos><i name="efermi"> 5.25 </i><total><array>
   <dimension dim="1">gridpoints</dimension><dimension dim="2">spin</dimension>
   <field>energy</field><field>total</field><field>integrated</field>
   <set>
    <set comment="spin 1"><r> -1.0 0.0 0.0 </r><r> 0.5 2.0 1.5 </r><r> 2.0 4.0 6.0 </r></set>
    <set comment="spin 2"><r> -1.0 0.0 0.0 </r><r> 0.5 1.0 0.75 </r><r> 2.0 0.5 1.5 </r></set>
   </set></array></total></dos>
"""


def structure(edges, atoms, name=""):

    def rows(vectors):
        return "".join("<v> {} {} {} </v>".format(*vector) for vector in vectors)

    return (
        f'<structure{name}><crystal><varray name="basis">{rows(np.diag(edges))}</varray></crystal>'
        f'<varray name="positions">{rows(POSITIONS[:atoms])}</varray></structure>'
    )


def energies(free, without_entropy, at_zero):
    return (
        f'<energy><i name="e_fr_energy"> {free} </i><i name="e_wo_entrp"> {without_entropy} </i>'
        f'<i name="e_0_energy"> {at_zero} </i></energy>'
    )


def vasprun(edges=(4.0, 4.0, 3.5), atoms=2, energy=-7.25, steps=2, dos="", relaxation=()):
    """One run, NELM = 5; `steps` are electronic; `relaxation` is NSW and the number of ionic steps."""
    nsw, ionic = relaxation or (0, 1)
    symbols = ["Cu", "Au"] * (atoms // 2)

    def calculation(energy, dos=""):
        block = energies(energy - 0.02, energy + 0.02, energy)
        scf = f"<scstep>{block}</scstep>" * steps
        return f"<calculation>{scf}{structure(edges, atoms)}{block}{dos}</calculation>"

    atom_rows = "".join(f"<rc><c>{symbol} </c><c> 1 </c></rc>" for symbol in symbols)
    kinds = "".join(
        f"<rc><c> 1 </c><c>{symbol} </c><c> 1.0 </c><c> 11.0 </c><c> PAW_PBE {symbol} </c></rc>"
        for symbol in dict.fromkeys(symbols)
    )
    return f"""<?xml version="1.0" encoding="ISO-8859-1"?>
<modeling>
 <generator><i name="program" type="string">vasp </i><i name="version" type="string">6.4.2  </i></generator>
 <incar><i type="string" name="ALGO"> Normal</i></incar>
 <kpoints><varray name="kpointlist"><v> 0.0 0.0 0.0 </v></varray>
  <varray name="weights"><v> 1.0 </v></varray></kpoints>
 <parameters><separator name="electronic"><i type="int" name="NELM"> 5</i></separator>
  <separator name="ionic"><i type="int" name="NSW"> {nsw}</i><i type="int" name="IBRION"> 2</i></separator>
 </parameters>
 <atominfo><atoms> {atoms} </atoms>
  <array name="atoms"><set>{atom_rows}</set></array>
  <array name="atomtypes"><set>{kinds}</set></array></atominfo>
 {structure((4.0, 4.0, 4.0), atoms, ' name="initialpos"')}
 {calculation(energy + 1) * (ionic - 1)}
 {calculation(energy, dos)}
 {structure(edges, atoms, ' name="finalpos"')}
</modeling>
"""


OSZICAR = """       N       E                     dE             d eps       ncg     rms          rms(c)
DAV:   1     0.107292451321E+03    0.10729E+03   -0.43019E+03  1234   0.937E+02
DAV:   2    -0.724100000000E+01   -0.10000E-03   -0.20000E-05  1234   0.937E-02    0.1E-01
   1 F= -.72700000E+01 E0= -.72300000E+01  d E =-.400000E-01
       N       E                     dE             d eps       ncg     rms          rms(c)
DAV:   1    -0.725100000000E+01   -0.10000E-03   -0.20000E-05  1234   0.937E-02    0.1E-01
   2 F= -.72900000E+01 E0= -.72500000E+01  d E =-.200000E-01
"""
POSCAR = """CuAu
1.0
4.0 0.0 0.0
0.0 4.0 0.0
0.0 0.0 {height}
Cu Au
1 1
Direct
0.0 0.0 0.0
0.5 0.5 0.5
"""


def folder(tmp_path, name, **files):
    path = tmp_path / name
    path.mkdir()
    for file, text in files.items():
        data = text.encode()
        name, packed = file.replace("vasprun", "vasprun.xml"), file.endswith("_gz")
        (path / name.replace("_gz", ".gz")).write_bytes(gzip.compress(data) if packed else data)
    return path


def test_runs_as_folders_files_packed_or_not(tmp_path):
    paths = [
        folder(tmp_path, "a", vasprun=vasprun()),
        folder(tmp_path, "b", vasprun=vasprun(edges=(4, 4, 3.75), energy=-7.5)) / "vasprun.xml",
        folder(tmp_path, "c", vasprun_gz=vasprun(edges=(4, 4, 4), energy=-7.75)),
        folder(
            tmp_path,
            "d",
            OSZICAR=OSZICAR,
            POSCAR=POSCAR.format(height="9.0"),
            CONTCAR=POSCAR.format(height=4.25),
        ),
        folder(tmp_path, "e", OSZICAR=OSZICAR, POSCAR=POSCAR.format(height=4.5), CONTCAR="") / "OSZICAR",
        folder(tmp_path, "f", OSZICAR_gz=OSZICAR, CONTCAR_gz=POSCAR.format(height=4.75)),
    ]
    curve = read_vasp(paths)
    assert curve.atoms == 2
    np.testing.assert_allclose(curve.volumes, [28, 30, 32, 34, 36, 38], rtol=1e-14)
    np.testing.assert_allclose(curve.energies, [-3.625, -3.75, -3.875, -3.625, -3.625, -3.625], rtol=1e-14)


def test_the_energy_is_the_last_one_extrapolated_to_no_smearing(tmp_path):
    path = folder(tmp_path, "a", vasprun=vasprun(relaxation=(10, 3)))
    assert read_vasp([path]).energies == pytest.approx([-7.25 / 2], rel=1e-14)


def test_other_numbers_of_atoms(tmp_path):
    first = folder(tmp_path, "a", vasprun=vasprun())
    other = folder(tmp_path, "b", vasprun=vasprun(atoms=4))
    with pytest.raises(InputError, match=r"b: found 4 atoms, expected 2, as in the first run, .*a"):
        read_vasp([first, other])


@pytest.mark.parametrize(
    ("files", "message"),
    [
        (
            {"vasprun": vasprun(steps=5)},
            r"vasprun\.xml: found a run that stopped after NELM electronic steps",
        ),
        ({"vasprun": vasprun(relaxation=(3, 3))}, "stopped after NSW ionic steps"),
        ({"vasprun": vasprun()[:1800]}, r"vasprun\.xml: found what could not be read.*cut"),
        ({"vasprun": vasprun().replace("-7.25 ", "nan ")}, r"vasprun\.xml: found the energy nan"),
        ({"vasprun": vasprun().split("<calculation>")[0] + "</modeling>"}, "found what could not be read"),
        ({"OSZICAR": OSZICAR}, "a: found none, expected a CONTCAR or POSCAR beside OSZICAR"),
        ({"OSZICAR": OSZICAR, "POSCAR": POSCAR[:60]}, "POSCAR: found what could not be read"),
        ({"OSZICAR": "", "POSCAR": POSCAR}, r"a: found none, expected a vasprun\.xml or an OSZICAR"),
        ({"OSZICAR": OSZICAR[:300], "CONTCAR": POSCAR}, "OSZICAR: found"),
        ({"OSZICAR": OSZICAR[:-80], "CONTCAR": POSCAR}, "OSZICAR: found 2 ionic steps begun, the last"),
        ({"OSZICAR": OSZICAR[:-25], "CONTCAR": POSCAR}, "OSZICAR: found 2 ionic steps begun, the last"),
    ],
)
def test_runs_that_cannot_be_used(tmp_path, files, message):
    path = folder(tmp_path, "a", **{name: text.replace("{height}", "4.0") for name, text in files.items()})
    with pytest.raises(InputError, match=message):
        read_vasp([path])


def test_a_cut_vasprun_is_never_taken_for_a_whole_one(tmp_path):
    text = vasprun(relaxation=(10, 2)).rstrip()
    path = folder(tmp_path, "a", vasprun="") / "vasprun.xml"
    for length in range(0, len(text), 97):
        path.write_text(text[:length])
        with pytest.raises(InputError, match=r"vasprun\.xml"):
            read_vasp([path])


def test_files_that_are_not_there_or_something_else(tmp_path):
    with pytest.raises(InputError, match=r"vasprun\.xml: found No such file"):
        read_vasp([tmp_path / "vasprun.xml"])
    with pytest.raises(InputError, match=r"found a file named 'OUTCAR', expected a folder, a vasprun\.xml"):
        read_vasp([tmp_path / "OUTCAR"])
    with pytest.raises(InputError, match="no paths"):
        read_vasp([])
    packed = folder(tmp_path, "a", vasprun_gz=vasprun()) / "vasprun.xml.gz"
    packed.write_bytes(packed.read_bytes()[:200])
    with pytest.raises(InputError, match=r"vasprun\.xml\.gz: found"):
        read_vasp([packed])


def test_the_density_of_states_is_summed_over_spins_per_atom(tmp_path):
    path = folder(tmp_path, "a", vasprun=vasprun(dos=DENSITY_OF_STATES))
    for given in (path, path / "vasprun.xml"):
        found = read_vasp_density_of_states(given)
        assert found.volume == pytest.approx(28, rel=1e-14)
        assert found.fermi_energy == 5.25
        np.testing.assert_array_equal(found.energies, [-1, 0.5, 2])
        np.testing.assert_array_equal(found.states, [0, 1.5, 2.25])


def test_a_density_of_states_of_paired_electrons_is_taken_as_it_is(tmp_path):
    start, end = DENSITY_OF_STATES.split('<set comment="spin 2">')
    one = start + end.split("</set>", 1)[1]
    found = read_vasp_density_of_states(folder(tmp_path, "a", vasprun=vasprun(dos=one)))
    np.testing.assert_array_equal(found.states, [0, 1, 2])


@pytest.mark.parametrize(
    ("dos", "message"),
    [
        ("", "no density of states"),
        ("<dos><total></total></dos>", "no density of states"),
        (DENSITY_OF_STATES.replace("4.0", "nan"), "not finite"),
    ],
)
def test_runs_without_a_density_of_states(tmp_path, dos, message):
    path = folder(tmp_path, "a", vasprun=vasprun(dos=dos))
    with pytest.raises(InputError, match=message):
        read_vasp_density_of_states(path)
    with pytest.raises(InputError, match=r"expected vasprun\.xml"):
        read_vasp_density_of_states(folder(tmp_path, "b", OSZICAR=OSZICAR))
