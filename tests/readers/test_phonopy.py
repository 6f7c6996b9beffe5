import numpy as np
import pytest

from zenn.errors import InputError
from zenn.readers.phonopy import read_phonopy_energy_volume

# The first and last lines of the example in phonopy's manual, silicon in a cell of 8 atoms
SILICON = """#   cell volume   energy of cell other than phonon
     140.030000           -42.132246
     163.320000           -43.375124   # near the minimum

     189.070000           -42.527932
"""


def written(tmp_path, text):
    path = tmp_path / "e-v.dat"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_volumes_and_energies_per_atom(tmp_path):
    volumes, energies = read_phonopy_energy_volume(written(tmp_path, SILICON), atoms=8)
    np.testing.assert_allclose(volumes, [17.50375, 20.415, 23.63375], rtol=1e-14)
    np.testing.assert_allclose(energies, [-5.26653075, -5.4218905, -5.3159915], rtol=1e-14)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (SILICON + "189.07\n", "line 6: found 1 columns, expected two numbers"),
        (SILICON + "  0.0  -17.2 -17.3 -17.4\n", r"line 6: found 4 columns.*fe-v\.dat"),
        (SILICON + "189.07 x\n", "line 6: found '189.07 x', expected two numbers"),
        (SILICON + "1_89 1\n", "line 6: found '1_89 1', expected two numbers"),
        (SILICON + "-189.07 1\n", "line 6, volume divided by 8 atoms: found -23.6.*above 0"),
        (SILICON + "1890.7 1\n", "line 6, volume divided by 8 atoms: found 236.*volume per cell"),
        (SILICON + "189.07 nan\n", "line 6, energy: found nan, expected a finite number"),
        ("# only a comment\n", "found no line of numbers"),
        (b"\xff\xfe", "found byte 0xff, expected text in UTF-8"),
    ],
)
def test_what_is_not_such_a_file(tmp_path, text, message):
    path = written(tmp_path, text)
    with pytest.raises(InputError, match=message) as error:
        read_phonopy_energy_volume(path, atoms=8)
    assert str(path) in str(error.value)


def test_no_file_and_no_number_of_atoms(tmp_path):
    with pytest.raises(InputError, match="No such file"):
        read_phonopy_energy_volume(tmp_path / "e-v.dat", atoms=8)
    for atoms in (0, 1.5):
        with pytest.raises(InputError, match="argument atoms"):
            read_phonopy_energy_volume(written(tmp_path, SILICON), atoms=atoms)
