import re

import numpy as np
import pytest

from zenn.errors import InputError
from zenn.materials.configurations import HEADER, Configurations, read_configurations
from zenn.materials.material import Material

# Table S1 of the paper, as printed: DF, V0, E0, B0, B' of the first, a middle and the last row
PRINTED = {
    "1": ("2", "13.124", "0.0000", "177.01", "3.447"),
    "19": ("24", "12.789", "0.0505", "169.38", "4.816"),
    "36": ("4", "12.681", "0.0900", "167.39", "4.735"),
}
GOOD = ["# source", ",".join(HEADER), "fm,2,13.124,0.0,177.01,3.447", "", "afm,6,12.901,0.0122,163.06,4.260"]


def written(tmp_path, lines, end="\n"):
    path = tmp_path / "table.csv"
    path.write_bytes(("\n".join(lines) + end).encode())
    return path


def replaced(line, column, value):
    """The good table with one field replaced."""
    lines = list(GOOD)
    fields = lines[line - 1].split(",")
    fields[HEADER.index(column)] = value
    lines[line - 1] = ",".join(fields)
    return lines


def test_table_s1_has_the_printed_digits(fe3pt, table_s1_path):
    lines = [line.split(",") for line in table_s1_path.read_text().splitlines() if not line.startswith("#")]
    assert tuple(lines[0]) == HEADER
    assert {name: tuple(rest) for name, *rest in lines[1:] if name in PRINTED} == PRINTED
    rows = fe3pt.configurations
    assert len(rows) == 36
    assert rows.degeneracies.sum() == 500
    # Column sums of the table in the paper's text
    assert rows.equilibrium_volumes.sum() == pytest.approx(461.532, abs=1e-9)
    assert rows.equilibrium_energies.sum() == pytest.approx(1.7875, abs=1e-9)
    assert rows.bulk_moduli.sum() == pytest.approx(5996.83, abs=1e-9)
    assert rows.bulk_modulus_derivatives.sum() == pytest.approx(147.524, abs=1e-9)


def test_a_good_table(tmp_path):
    rows = read_configurations(written(tmp_path, GOOD))
    assert rows.names == ("fm", "afm")
    np.testing.assert_array_equal(rows.degeneracies, [2, 6])
    assert rows.bulk_moduli.dtype == np.float64
    with pytest.raises(ValueError, match="read-only"):
        rows.bulk_moduli[0] = 1


def test_columns_may_be_in_any_order_and_lines_end_as_on_windows(tmp_path):
    lines = [",".join(reversed(line.split(","))) for line in GOOD if line and line[0] != "#"]
    path = tmp_path / "table.csv"
    path.write_bytes(b"\xef\xbb\xbf" + ("\r\n".join(lines) + "\r\n").encode())
    np.testing.assert_array_equal(read_configurations(path).equilibrium_volumes, [13.124, 12.901])


@pytest.mark.parametrize(
    ("line", "column", "value", "expected"),
    [
        (3, "bulk_modulus_GPa", "-177.01", "a positive number of GPa"),
        (3, "bulk_modulus_GPa", "0", "a positive number of GPa"),
        (5, "degeneracy", "0", "an integer of 1 or more"),
        (5, "degeneracy", "-2", "an integer of 1 or more"),
        (5, "degeneracy", "2.5", "an integer of 1 or more"),
        (5, "degeneracy", "inf", "an integer of 1 or more"),
        (5, "energy_eV_per_atom", "nan", "a finite number"),
        (5, "energy_eV_per_atom", "x", "a finite number"),
        (5, "energy_eV_per_atom", "", "a finite number"),
        (5, "energy_eV_per_atom", "1_0", "a finite number"),
        (3, "volume_A3_per_atom", "0", "a volume per atom"),
        (3, "bulk_modulus_derivative", "inf", "a finite number"),
        (5, "configuration", "", "a name"),
        (5, "configuration", "fm", "names that are all different"),
    ],
)
def test_a_bad_value_is_named_with_its_place(tmp_path, line, column, value, expected):
    path = written(tmp_path, replaced(line, column, value))
    with pytest.raises(InputError) as error:
        read_configurations(path)
    message = str(error.value)
    for part in (str(path), f"line {line}", repr(column), value, expected):
        assert part in message


def test_a_volume_per_cell_is_recognised(tmp_path):
    path = written(tmp_path, replaced(3, "volume_A3_per_atom", "157.488"))
    with pytest.raises(InputError, match=r"looks like a volume per cell: divided by 12 atoms it is 13\.124"):
        read_configurations(path, atoms=12)
    with pytest.raises(InputError, match=r"looks like a volume per cell$"):
        read_configurations(path)


@pytest.mark.parametrize(
    ("lines", "end", "message"),
    [
        (GOOD, "", "line 5: found no end of line after '4.260'.*truncated"),
        (
            [*GOOD[:4], "afm,6,12.901,0.01"],
            "",
            "line 5, column 'bulk_modulus_GPa': found 4 fields.*truncated",
        ),
        ([*GOOD[:4], "afm,6,12.901,0.01"], "\n", "line 5, column 'bulk_modulus_GPa': found 4 fields"),
        ([*GOOD[:3], "afm,6", GOOD[4]], "\n", "line 4, column 'volume_A3_per_atom': found 2 fields"),
        ([*GOOD, "x,1,12,0,160,4,9"], "\n", "line 6: found 7 fields, expected 6 fields"),
        ([], "", "an empty file"),
        (["# only a comment"], "\n", "an empty file"),
        (GOOD[:2], "\n", "line 2: found a header without rows"),
        ([line.replace("degeneracy", "degenracy") for line in GOOD], "\n", "did you mean 'degenracy'"),
        ([GOOD[1] + ",colour", GOOD[2] + ",red"], "\n", "unknown column 'colour'"),
        ([GOOD[1] + ",degeneracy", GOOD[2] + ",2"], "\n", "repeated column 'degeneracy'"),
    ],
)
def test_a_table_of_the_wrong_shape(tmp_path, lines, end, message):
    path = written(tmp_path, lines, end)
    with pytest.raises(InputError, match=message) as error:
        read_configurations(path)
    assert str(path) in str(error.value)


def test_cutting_the_file_anywhere_is_noticed(tmp_path):
    whole = ("\n".join(GOOD[1:3]) + "\n").encode()
    path = tmp_path / "table.csv"
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        with pytest.raises(InputError, match=re.escape(str(path))):
            read_configurations(path)


def test_files_that_are_not_text_or_not_there(tmp_path):
    path = tmp_path / "table.csv"
    with pytest.raises(InputError, match="No such file"):
        read_configurations(path)
    path.write_bytes(b"configuration,\xff\xfe")
    with pytest.raises(InputError, match=r"byte 0xff at position 14.*UTF-8"):
        read_configurations(path)
    with pytest.raises(InputError, match="directory"):
        read_configurations(tmp_path)


def test_configurations_given_as_arrays():
    with pytest.raises(InputError, match="bulk_moduli, configuration 'b': found -1"):
        Configurations(("a", "b"), [1, 2], [12, 13], [0, 0], [160, -1], [4, 4])
    with pytest.raises(InputError, match=r"degeneracies: found shape \(1,\)"):
        Configurations(("a", "b"), [1], [12, 13], [0, 0], [160, 160], [4, 4])
    with pytest.raises(InputError, match="names"):
        Configurations(("a", "a"), [1, 2], [12, 13], [0, 0], [160, 160], [4, 4])


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("atoms", 0),
        ("atoms", 1.5),
        ("mean_atomic_mass", -1.0),
        ("debye_scaling", np.inf),
        ("grueneisen_x", np.nan),
    ],
)
def test_unusable_parameters_of_a_material(fe3pt, name, value):
    good = {"atoms": 12, "mean_atomic_mass": 90.0, "debye_scaling": 0.6, "grueneisen_x": 0.7}
    with pytest.raises(InputError, match=name):
        Material(fe3pt.configurations, **{**good, name: value})


def test_energies_or_moduli_per_cell_are_recognised(tmp_path, table_s1_path):
    lines = table_s1_path.read_text().splitlines()
    position = HEADER.index("energy_eV_per_atom")

    def per_cell(line):
        fields = line.split(",")
        return ",".join([*fields[:position], repr(12 * float(fields[position])), *fields[position + 1 :]])

    path = tmp_path / "cells.csv"
    path.write_text("\n".join(line if line[0] in "#c" else per_cell(line) for line in lines) + "\n")
    with pytest.raises(InputError, match=r"line 43, column 'energy_eV_per_atom': found 1\.08 eV.*per cell"):
        read_configurations(path, atoms=12)
    path = written(tmp_path, replaced(3, "bulk_modulus_GPa", "2124.1"))
    with pytest.raises(InputError, match=r"line 3, column 'bulk_modulus_GPa'.*Energies per cell"):
        read_configurations(path)
