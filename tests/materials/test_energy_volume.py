import dataclasses

import numpy as np
import pytest

from zenn.errors import InputError
from zenn.materials.configurations import Configurations, read_configurations
from zenn.materials.energy_volume import (
    EnergyVolumePoints,
    fit_configurations,
    read_energy_volume,
    write_configurations,
)

# The first two configurations of Table S1: degeneracy, V0, E0, B0, B'
PROPERTIES = {"fm": (2, 13.124, 0.0, 177.01, 3.447), "afm": (6, 12.901, 0.0122, 163.06, 4.26)}
PER_ATOM = "configuration,degeneracy,volume_A3_per_atom,energy_eV_per_atom"
PER_CELL = "configuration,degeneracy,volume_A3_per_cell,energy_eV_per_cell"


def energy(volume, minimum, lowest, modulus, slope):
    """Third-order Birch-Murnaghan in the form of textbooks; 1 eV/Å3 is 160.21766 GPa."""
    x = (minimum / volume) ** (2 / 3)
    bracket = (x - 1) ** 3 * slope + (x - 1) ** 2 * (6 - 4 * x)
    return lowest + 9 / 16 * minimum * modulus / 160.2176634 * bracket


STRAINS = np.linspace(-0.06, 0.06, 7)


def curves(strains=STRAINS, **changes):
    """Name -> degeneracy, volumes, energies."""
    found = {}
    for name, (degeneracy, *properties) in {**PROPERTIES, **changes}.items():
        volumes = properties[0] * (1 + strains)
        found[name] = degeneracy, volumes, energy(volumes, *properties)
    return found


def points(found, **places):
    names = tuple(found)
    degeneracies, volumes, energies = zip(*found.values(), strict=True)
    return EnergyVolumePoints(names, np.array(degeneracies), volumes, energies, **places)


def written(tmp_path, found, header=PER_ATOM, atoms=1, edit=lambda lines: lines):
    """The table as a file; the header on line 2, then the configurations one after the other."""
    lines = ["# points", header]
    for name, (degeneracy, volumes, energies) in found.items():
        lines += [
            f"{name},{degeneracy},{v!r},{e!r}" for v, e in (atoms * np.array([volumes, energies])).T.tolist()
        ]
    path = tmp_path / "points.csv"
    path.write_text("\n".join(edit(lines)) + "\n")
    return path


def moved(found, name, point, volume=0.0, energy=0.0):
    """One point changed by this much."""
    degeneracy, volumes, energies = found[name]
    volumes, energies = volumes.copy(), energies.copy()
    volumes[point] += volume
    energies[point] += energy
    return {**found, name: (degeneracy, volumes, energies)}


@pytest.mark.parametrize(
    ("header", "atoms", "given"), [(PER_ATOM, 1, None), (PER_CELL, 12, 12), (PER_ATOM, 1, 12)]
)
def test_the_properties_behind_the_points_are_found(tmp_path, header, atoms, given):
    path = written(tmp_path, curves(), header, atoms)
    rows, qualities = fit_configurations(read_energy_volume(path, given))
    assert rows.names == ("fm", "afm")
    found = np.stack(
        [
            rows.degeneracies,
            rows.equilibrium_volumes,
            rows.equilibrium_energies,
            rows.bulk_moduli,
            rows.bulk_modulus_derivatives,
        ],
        axis=1,
    )
    np.testing.assert_allclose(found, list(PROPERTIES.values()), rtol=1e-8, atol=1e-11)
    for quality, name in zip(qualities, PROPERTIES, strict=True):
        assert (quality.name, quality.points) == (name, 7)
        assert 0 <= quality.rms_residual <= quality.largest_residual < 1e-6


def test_residuals_are_those_of_an_ordinary_cubic_fit():
    found = moved(curves(), "fm", 3, energy=0.002)
    _, volumes, energies = found["fm"]
    quality = fit_configurations(points(found))[1][0]
    powers = np.stack([volumes ** (-2 * j / 3) for j in range(4)], axis=1)
    residuals = 1000 * (energies - powers @ np.linalg.pinv(powers) @ energies)
    assert quality.rms_residual == pytest.approx(np.sqrt(np.mean(residuals**2)), rel=1e-6)
    assert quality.largest_residual == pytest.approx(np.abs(residuals).max(), rel=1e-6)
    assert 0.5 < quality.largest_residual < 2


def test_rows_of_a_configuration_may_stand_anywhere(tmp_path):
    path = written(tmp_path, curves(), edit=lambda lines: [*lines[:2], *lines[:1:-1]])
    found = read_energy_volume(path)
    assert found.names == ("afm", "fm")
    assert found.places[1][0] == "line 10"
    np.testing.assert_array_equal(found.degeneracies, [6, 2])
    np.testing.assert_array_equal(found.volumes[1], curves()["fm"][1][::-1])
    with pytest.raises(ValueError, match="read-only"):
        found.volumes[0][0] = 1


def test_columns_of_other_units_and_mixtures_of_them(tmp_path):
    path = written(tmp_path, curves(), PER_CELL, 12)
    with pytest.raises(
        InputError, match=r"without a number of atoms, expected the number of atoms in the cell"
    ):
        read_energy_volume(path)
    for header in (
        PER_CELL.replace("energy_eV_per_cell", "energy_eV_per_atom"),
        PER_ATOM.replace("energy_eV_per_atom", "energy_eV_per_cell"),
    ):
        with pytest.raises(
            InputError, match=r"found '\w+_atom' beside '\w+_cell', expected .* both per atom or"
        ):
            read_energy_volume(written(tmp_path, curves(), header), 12)
    with pytest.raises(InputError, match=r"no column 'volume_A3_per_atom'.*did you mean 'volume_A3'"):
        read_energy_volume(written(tmp_path, curves(), PER_ATOM.replace("volume_A3_per_atom", "volume_A3")))
    path = written(tmp_path, curves(), PER_CELL, 12)
    with pytest.raises(InputError, match="argument atoms: found 0"):
        read_energy_volume(path, 0)
    with pytest.raises(InputError, match=r"line 3, column 'volume_A3_per_cell'.*a volume of 1 atoms"):
        read_energy_volume(path, 1)
    with pytest.raises(
        InputError, match=r"line 3.*looks like a volume per cell: divided by 12 atoms it is 12\.3366"
    ):
        read_energy_volume(written(tmp_path, curves(), PER_ATOM, 12), 12)


def test_rows_of_a_configuration_share_their_degeneracy(tmp_path):
    def edit(lines):
        return [*lines[:5], lines[5].replace("fm,2,", "fm,4,"), *lines[6:]]

    message = "line 6, column 'degeneracy': found 4, expected the 2 that configuration 'fm' has on line 3"
    with pytest.raises(InputError, match=message):
        read_energy_volume(written(tmp_path, curves(), edit=edit))


BOHR3 = 0.529177210903**3
HOT = (6, 12.901, 1.5, 163.06, 4.26)  # far above the other configuration
STIFF = (6, 12.901, 0.0122, 12 * 163.06, 4.26)  # as from energies per cell


# A cubic of V^(-2/3) that rises with the volume everywhere
RISING = (
    1,
    np.linspace(12, 14, 7),
    sum(-((33 * np.linspace(12, 14, 7) ** (-2 / 3) - 6) ** j) for j in (1, 3)),
)


@pytest.mark.parametrize(
    ("found", "message"),
    [
        (
            moved(curves(), "afm", 2, volume=20),
            r"configuration 'afm', line 12: found 32\.6\d* Å3.*median.*at most 1\.6 times",
        ),
        (
            curves(afm=(6, 12.901 / BOHR3, 0.01, 160, 4)),
            r"configuration 'afm': found a median volume of 87\.\d+ Å3, 13\.124 Å3 in .* 'fm'.*Bohr3",
        ),
        (curves(afm=HOT), r"configuration 'afm', line 13: found 1\.5 eV, 1\.5 eV above the lowest.*per cell"),
        (
            curves(afm=STIFF),
            r"configuration 'afm': found a bulk modulus of 1956.*at most 600 GPa.*Energies per cell",
        ),
        (
            moved(curves(), "fm", 4, energy=0.03),
            r"configuration 'fm', line 7: found .* 30 meV off the others' curve",
        ),
        (moved(curves(), "afm", 6, energy=-0.1), r"configuration 'afm', line 16: found .* 100 meV off"),
        (moved(curves(), "fm", 3, volume=-0.5), r"configuration 'fm', line 6: found .* at 12\.624 Å3"),
        (
            curves(np.linspace(0.02, 0.1, 7)),
            r"configuration 'fm': found the minimum at V0 = 13\.124 Å3, outside",
        ),
        (curves(np.linspace(-0.1, -0.01, 7)), r"outside the volumes 11\.8116-12\.9928 Å3.*both sides"),
        (
            curves(np.linspace(0.2, 0.3, 7)),
            "configuration 'fm': found energies at 15.* fitted minimum.*far outside",
        ),
        (
            {"fm": RISING},
            "configuration 'fm': found energies at 12-14 Å3 of which the fitted energy has no minimum",
        ),
        (
            curves(np.array([-0.05, -0.01, 0.02, 0.05])),
            "configuration 'fm': found 4 different volumes.* at least 5",
        ),
        (
            curves(np.array([-0.05, -0.01, -0.01, 0.02, 0.05])),
            "found 4 different volumes, expected at least 5",
        ),
    ],
)
def test_what_is_no_energy_volume_curve(tmp_path, found, message):
    path = written(tmp_path, found)
    with pytest.raises(InputError, match=message) as error:
        fit_configurations(read_energy_volume(path))
    assert str(path) in str(error.value)


def test_two_energies_at_one_volume(tmp_path):
    def repeated(shift):
        found = curves()
        degeneracy, volumes, energies = found["fm"]
        twice = np.append(volumes, volumes[1]), np.append(energies, energies[1] + shift)
        return read_energy_volume(written(tmp_path, {**found, "fm": (degeneracy, *twice)}))

    assert fit_configurations(repeated(0.0))[1][0].points == 8
    message = (
        r"configuration 'fm', line 10: found .* eV at 12\.599\d* Å3, which has .* eV at line 4, expected one"
    )
    with pytest.raises(InputError, match=message):
        fit_configurations(repeated(1e-4))


@pytest.mark.parametrize("points_per_curve", [5, 6, 7, 9, 15])
@pytest.mark.parametrize("width", [0.02, 0.1, 0.2, 0.23])
@pytest.mark.parametrize(
    ("minimum", "modulus", "slope"), [(12, 180, 5), (6, 400, 4), (15, 300, 6), (40, 20, 3.5)]
)
def test_smooth_curves_of_another_equation_have_no_outlier(points_per_curve, width, minimum, modulus, slope):
    """Murnaghan, PNAS 30, 244 (1944): at an end of wide volumes tens of meV off the curve of the others."""
    volumes = minimum * np.linspace(1 - width, 1 + width, points_per_curve)
    scale = modulus / 160.2176634
    energies = scale * volumes / slope * ((minimum / volumes) ** slope / (slope - 1) + 1)
    found = fit_configurations(points({"a": (1, volumes, energies)}))[0]
    assert found.equilibrium_volumes[0] == pytest.approx(minimum, rel=0.02)


def test_which_of_five_points_is_wrong_cannot_be_told_but_the_residual_shows_it():
    qualities = fit_configurations(points(moved(curves(np.linspace(-0.06, 0.06, 5)), "fm", 2, energy=-0.02)))[
        1
    ]
    assert qualities[0].largest_residual > 5
    assert qualities[1].largest_residual < 1e-6


def test_points_given_as_arrays():
    found = curves()
    good = points(found)
    assert good.places[1][6] == "point 7"
    assert len(good) == 2
    replace = dataclasses.replace
    with pytest.raises(InputError, match="energy-volume points, names"):
        replace(good, names=("fm", "fm"))
    with pytest.raises(InputError, match="degeneracies: found shape"):
        replace(good, degeneracies=[2])
    with pytest.raises(InputError, match=r"configuration 'afm', degeneracy: found 1\.5"):
        replace(good, degeneracies=[2, 1.5])
    with pytest.raises(InputError, match="volumes of 1 configurations, expected those of 2 names"):
        replace(good, volumes=good.volumes[:1])
    with pytest.raises(InputError, match=r"configuration 'afm': found .* shapes \(7,\), \(6,\) and \(7,\)"):
        replace(good, energies=(good.energies[0], good.energies[1][:6]))
    files = (tuple(f"run{i + 1}" for i in range(7)), good.places[1])
    energies = (moved(found, "fm", 6, energy=np.nan)["fm"][2], good.energies[1])
    with pytest.raises(InputError, match="runs, configuration 'fm', run7: found nan"):
        replace(good, energies=energies, places=files, source="runs")
    none = replace(
        good, **{field: (getattr(good, field)[0], ()) for field in ("volumes", "energies", "places")}
    )
    with pytest.raises(InputError, match="configuration 'afm': found 0 different volumes"):
        fit_configurations(none)


def test_fitted_configurations_read_back_exactly(tmp_path):
    rows = fit_configurations(points(moved(curves(), "fm", 3, energy=0.001)))[0]
    write_configurations(tmp_path / "fitted.csv", rows)
    again = read_configurations(tmp_path / "fitted.csv")
    assert again.names == rows.names
    for field in dataclasses.fields(Configurations)[1:]:
        np.testing.assert_array_equal(getattr(again, field.name), getattr(rows, field.name))


@pytest.mark.parametrize("name", ["a,b", "#a", " a", "a\n", "a\u2028b", '"a"', ""])
def test_names_that_would_not_read_back(tmp_path, name):
    rows = Configurations((name,), [1], [12], [0], [160], [4])
    with pytest.raises(InputError, match="reads back the same"):
        write_configurations(tmp_path / "table.csv", rows)
