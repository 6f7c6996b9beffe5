"""params.yaml: merging, and what a user is told about a slip."""

import copy
import json
from collections import OrderedDict
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from zenn.errors import InputError
from zenn.pipeline.params.base import SCALES, Scale
from zenn.pipeline.params.loading import load_params
from zenn.pipeline.params.resolving import resolve
from zenn.pipeline.params.root import SECTIONS, Params
from zenn.pipeline.params.tree import dotted, leaves, merged

ROOT = Path(__file__).parents[2]
FILE = ROOT / "params.yaml"
UNCHANGED = load_params(FILE)


@pytest.fixture
def raw():
    return copy.deepcopy(UNCHANGED)


def put(tree, path, value):
    *groups, last = path.split(".")
    for name in groups:
        tree = tree.setdefault(name, {})
    tree[last] = value


def drop(tree, path):
    *groups, last = path.split(".")
    for name in groups:
        tree = tree[name]
    del tree[last]


def problems(raw, scale=None):
    with pytest.raises(InputError) as caught:
        resolve(raw, scale=scale)
    return caught.value.problems


def problems_or_none(raw):
    try:
        resolve(raw)
    except InputError as error:
        return error.problems
    return ()


# --- scales ---------------------------------------------------------------------------------------


def test_a_block_overrides_the_common_values(raw):
    assert [resolve(raw, scale=s).materials.isotherms.volumes for s in SCALES] == [
        raw["materials"][scale]["isotherms"]["volumes"] for scale in SCALES
    ]
    assert get_args(Scale) == SCALES
    assert list(Params.model_fields) == ["scale", *SECTIONS]


def test_the_file_names_the_scale_and_an_argument_wins(raw):
    assert resolve(raw).scale == "small"
    raw["scale"] = "ci"
    assert resolve(raw).scale == "ci"
    assert resolve(raw, scale="paper").scale == "paper"


def test_merging_is_deep_and_replaces_lists(raw):
    put(raw, "materials.ci.isotherms.temperatures", [7])
    isotherms = resolve(raw, scale="ci").materials.isotherms
    assert isotherms.temperatures == (7.0,)
    assert isotherms.pressure == 6.53
    assert len(resolve(raw, scale="small").materials.isotherms.temperatures) > 1


def test_resolving_changes_nothing_it_was_given(raw):
    resolve(raw)
    assert raw == UNCHANGED


def test_a_block_of_comments_overrides_nothing(raw):
    blocks = [raw["classification"].pop(scale) for scale in ("small", "paper", "ci")]
    raw["classification"] = {**merged(raw["classification"], blocks[0]), "paper": None}
    assert resolve(raw, scale="paper").classification == resolve(raw, scale="small").classification


trees = st.recursive(
    st.integers(), lambda below: st.dictionaries(st.sampled_from("abc"), below, max_size=3), max_leaves=8
)
mappings = st.dictionaries(st.sampled_from("abc"), trees, max_size=3)


@settings(deadline=None)
@given(mappings, mappings)
def test_merging_keeps_every_override_and_every_other_common_value(common, block):
    result = merged(common, block)
    overrides = dict(leaves(block))
    found = dict(leaves(result))
    assert overrides.items() <= found.items()
    assert (found.items() - overrides.items()) <= dict(leaves(common)).items()
    assert merged(common, {}) == common
    assert merged(result, block) == result


# --- what Snakemake hands over --------------------------------------------------------------------


def test_snakemakes_ordered_config_is_taken(raw):
    ordered = OrderedDict(json.loads(json.dumps(raw), object_pairs_hook=OrderedDict))
    ordered["scale"] = "paper"
    assert resolve(ordered) == resolve(raw, scale="paper")


def test_an_unknown_section_is_refused(raw):
    raw["landscapes"] = {}
    (problem,) = problems(raw)
    assert (problem.where, problem.hint) == ("landscapes", "did you mean 'landscape'?")
    assert "one of: scale, materials, landscape, classification" in str(problem)


# --- keys -----------------------------------------------------------------------------------------


def test_the_dump_is_plain_json_and_stable(raw):
    dump = resolve(raw).model_dump(mode="json")
    text = json.dumps(dump, sort_keys=True, allow_nan=False)
    assert json.loads(text) == dump
    reordered = json.loads(json.dumps(raw, sort_keys=True))
    put(
        reordered,
        "materials.isotherms.temperatures",
        [float(t) for t in raw["materials"]["isotherms"]["temperatures"]],
    )
    assert json.dumps(resolve(reordered).model_dump(mode="json"), sort_keys=True) == text


def test_parameters_cannot_change(raw):
    params = resolve(raw)
    with pytest.raises(ValueError, match="frozen"):
        params.materials.isotherms.pressure = 1.0
    with pytest.raises(ValueError, match="frozen"):
        params.scale = "ci"


# --- slips ----------------------------------------------------------------------------------------

FE3PT = "materials.systems.fe3pt"
WRONG = [
    # path, value, where it is reported, what the message says
    (f"{FE3PT}.debye_scaling", "0.617", None, ['found "0.617"', "a number > 0 and <= 2", "write 0.617"]),
    (f"{FE3PT}.debye_scaling", True, None, ["found true", "true and false are no numbers"]),
    (f"{FE3PT}.debye_scaling", -1, None, ["found -1", "a number > 0"]),
    (f"{FE3PT}.debye_scaling", float("nan"), None, ["found NaN", "a number > 0"]),
    (f"{FE3PT}.debye_scaling", float("inf"), None, ["a number > 0"]),
    (f"{FE3PT}.debye_scaling", None, None, ["found null", "a number > 0"]),
    (f"{FE3PT}.atoms_in_cell", 12.0, None, ["found 12.0", "an integer >= 1"]),
    (f"{FE3PT}.atoms_in_cell", True, None, ["found true", "an integer >= 1"]),
    (f"{FE3PT}.atoms_in_cell", "12", None, ["a text: write 12"]),
    (f"{FE3PT}.configurations", "/tmp/table.csv", None, ["relative to the repository's root"]),
    (f"{FE3PT}.configurations", "../table.csv", None, ["relative to the repository's root"]),
    (f"{FE3PT}.configurations", 7, None, ["found 7", "a path relative"]),
    (FE3PT, 3, None, ["found 3", "a mapping with the keys: configurations, atoms_in_cell"]),
    ("materials.systems", {}, None, ["found {}", "at least one name"]),
    ("materials.systems.Fe 3", UNCHANGED["materials"]["systems"]["fe3pt"], "materials.systems", ["'Fe 3'"]),
    ("materials.critical_point.tolerance", "1e-10", None, ["write 1.0e-10", "1e-10"]),
    ("materials.systems.fe3pt.temperature_window", [400, 20], None, ["[400, 20]", "low < high"]),
    ("materials.systems.fe3pt.volume_window", [1, 2, 3], None, ["[low, high] of two numbers"]),
    ("materials.systems.fe3pt.volume_window", [1], "materials.systems.fe3pt.volume_window[1]", ["nothing"]),
    ("materials.systems.fe3pt.volume_window", [0, 1], "materials.systems.fe3pt.volume_window[0]", ["> 0"]),
    ("materials.systems.fe3pt.volume_window", [13, 13], None, ["low < high"]),
    ("materials.isotherms.temperatures", [], None, ["found []", "at least one number > 0"]),
    ("materials.isotherms.temperatures", [5, 5], None, ["ascending", "each once"]),
    ("materials.isotherms.temperatures", [50, 5], None, ["ascending"]),
    ("materials.isotherms.temperatures", [0, 5], "materials.isotherms.temperatures[0]", ["found 0", "> 0"]),
    ("materials.isotherms.temperatures", [5, "6"], "materials.isotherms.temperatures[1]", ["write 6"]),
    ("materials.isotherms.temperatures", 5, None, ["found 5", "a list of at least one number"]),
    ("materials.second_derivative.temperatures", [165, 160], None, ["ascending"]),
    ("materials.eos_round_trip.points", 4, None, ["an integer >= 5"]),
    ("materials.paper.isotherms.volumes", 1, None, ["found 1", "an integer >= 11"]),
    ("materials.ci.isotherms.volumes", "51", None, ["write 51"]),
    ("materials.ci", 5, None, ["found 5", "a mapping that overrides values of 'materials'"]),
    ("materials.ci.isotherms", None, None, ["found null", "a mapping with the keys: temperatures"]),
    ("materials.isotherms.volumes", 5, None, ["no common value where small, paper, ci all override it"]),
    ("landscape", None, None, ["found nothing", "a mapping with the keys: zentropy"]),
    ("landscape.zentropy.fe3pt.gamma", 0, None, ["a number > 0"]),
    (
        "classification.training.cifar.zenn.optimizer",
        "Adam",
        None,
        ["expected 'AdamW'", "did you mean 'AdamW'?"],
    ),
    (
        "classification.training.cifar.zenn.augmentation",
        ["RandomCrop", "RandomFlip"],
        "classification.training.cifar.zenn.augmentation[1]",
        ["'RandomHorizontalFlip' or 'RandomCrop'"],
    ),
    ("classification.training.cifar.zenn.augmentation", ["RandomCrop"] * 2, None, ["each name once"]),
    ("classification.small.temperature_counts", [1, 3], None, ["found [1, 3]", "2 among them"]),
    ("classification.training.bbc_news.zenn.fine_tune.rank", 8.5, None, ["found 8.5", "an integer >= 1"]),
    ("classification.training.bbc_news.zenn.fine_tune.method", "LoRA", None, ["'lora' or 'all'"]),
    ("classification.training.bbc_news.zenn.fine_tune", "all", None, ["a mapping with the keys: method"]),
    ("scale", "papre", None, ["'small', 'paper' or 'ci'", "did you mean 'paper'?"]),
    ("scale", 3, None, ["found 3"]),
    ("scale", None, None, ["found nothing"]),
]


@pytest.mark.parametrize(
    ("path", "value", "where", "says"), WRONG, ids=[f"{w[0]}={w[1]!r:.20}" for w in WRONG]
)
def test_a_wrong_value_is_named_with_what_was_expected(raw, path, value, where, says):
    put(raw, path, value)
    found = problems(raw)
    assert {problem.where for problem in found} == {where or path}
    text = str(found[0])
    assert text.startswith(f"params.yaml, {where or path}: found ")
    for piece in says:
        assert piece in text


def test_a_misspelt_key_is_one_problem_with_a_suggestion(raw):
    put(raw, f"{FE3PT}.debye_scalng", 0.617)
    drop(raw, f"{FE3PT}.debye_scaling")
    (problem,) = problems(raw)
    assert problem.where == f"{FE3PT}.debye_scalng"
    assert problem.hint == "did you mean 'debye_scaling'?"
    assert "expected one of: configurations, atoms_in_cell, mean_atomic_mass" in str(problem)


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("block", SCALES)
def test_an_unknown_key_in_any_block_fails_at_every_scale(raw, block, scale):
    put(raw, f"materials.{block}.isotherms.volumess", 3)
    (problem,) = problems(raw, scale)
    assert problem.where == f"materials.{block}.isotherms.volumess"
    assert problem.hint == "did you mean 'volumes'?"


def test_a_misspelt_block_is_recognised(raw):
    raw["materials"]["papr"] = raw["materials"].pop("paper")
    found = problems(raw)
    assert (found[0].where, found[0].hint) == ("materials.papr", "did you mean 'paper'?")
    assert "small, paper, ci" in found[0].expected


def test_a_block_inside_a_block_is_unknown(raw):
    put(raw, "materials.ci.small", {})
    (problem,) = problems(raw)
    assert problem.where == "materials.ci.small"
    assert "paper" not in problem.expected


def test_a_missing_value_is_named(raw):
    drop(raw, f"{FE3PT}.debye_scaling")
    (problem,) = set(map(str, problems(raw)))
    assert problem == f"params.yaml, {FE3PT}.debye_scaling: found nothing, expected a number > 0 and <= 2"


def test_a_value_missing_at_one_scale_is_named(raw):
    drop(raw, "materials.paper")
    found = {problem.where: (problem.found, problem.hint) for problem in problems(raw, "small")}
    assert "materials.isotherms.volumes" in found
    assert set(found.values()) == {("nothing", "at scale paper")}


def test_a_missing_section_is_named(raw):
    del raw["classification"]
    (problem,) = problems(raw)
    assert (problem.where, problem.found) == ("classification", "nothing")


def test_a_missing_method_is_named(raw):
    drop(raw, "classification.training.bbc_news.zenn.fine_tune.method")
    assert {p.where for p in problems(raw)} == {"classification.training.bbc_news.zenn.fine_tune.method"}


def test_lora_keys_are_unknown_where_all_parameters_are_trained(raw):
    put(raw, "classification.training.ag_news.cross_entropy.fine_tune.rank", 8)
    (problem,) = problems(raw)
    assert problem.where == "classification.training.ag_news.cross_entropy.fine_tune.rank"


def test_every_problem_is_in_the_message_once(raw):
    put(raw, f"{FE3PT}.debye_scaling", -1)
    put(raw, "materials.paper.isotherms.volumes", 2)
    put(raw, "landscape.gama", 3)
    with pytest.raises(InputError) as caught:
        resolve(raw, source="mine.yaml")
    lines = str(caught.value).splitlines()
    assert [line.split(":")[0] for line in lines] == [
        f"mine.yaml, {FE3PT}.debye_scaling",
        "mine.yaml, materials.paper.isotherms.volumes",
        "mine.yaml, landscape.gama",
    ]
    assert caught.value.where == f"{FE3PT}.debye_scaling"


def test_an_error_behind_three_overrides_is_still_found(raw):
    for scale in SCALES:
        put(raw, f"materials.{scale}.eos_round_trip.points", 8)
    put(raw, "materials.eos_round_trip.points", "eight")
    assert any('found "eight"' in str(problem) for problem in problems(raw))


def test_a_key_that_yaml_does_not_read_as_text_is_refused(raw):
    raw["materials"]["systems"][True] = {}
    (problem,) = problems(raw)
    assert "materials.systems: found the key true" in str(problem)
    assert "quote" in problem.hint


def test_an_unknown_scale_argument_is_refused(raw):
    (problem,) = problems(raw, scale="smal")
    assert (problem.where, problem.hint) == ("scale", "did you mean 'small'?")


places = [path for path, _ in leaves(UNCHANGED)]
values = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.just({}) | st.just([])
)


@settings(deadline=None)
@example(("landscape", "ci", "fe3pt", "evaluation", "isobar_temperatures_K"), [])  # items that are not there
@given(st.sampled_from(places), values)
def test_whatever_is_written_there_is_taken_or_refused_by_its_key(path, value):
    raw = copy.deepcopy(UNCHANGED)
    put(raw, ".".join(map(str, path)), value)
    places = [problem.where for problem in problems_or_none(raw)]
    assert all(place.startswith(dotted(path)) for place in places)


# --- the file -------------------------------------------------------------------------------------


def written(folder, text):
    file = folder / "params.yaml"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return file


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (
            "a: 1\nb: 2\na: 3\n",
            ["line 3, column 1", "key 'a' a second time (first in line 1)", "each key once"],
        ),
        ("a: {b: 1, b: 1}\n", ["line 1, column 11", "key 'b' a second time"]),
        ("x:\n  - {a: 1}\n  - a: 1\n    a: 2\n", ["line 4, column 5"]),
        ("a: [1, 2\nb: 3\n", ["line 2"]),
        ("a: 1\n\tb: 2\n", ["line 2"]),
        ("a: *nowhere\n", ["line 1", "alias"]),
        ("a: !!python/object:os.system {}\n", ["line 1"]),
        ("a: 1\n---\nb: 2\n", ["line 2"]),
        ("- 1\n- 2\n", ["line 1", "found [1, 2]", "a mapping"]),
        ("", ["line 1", "found nothing", "a mapping"]),
        ("just words\n", ['found "just words"']),
        (b"a: \xff\n", ["UTF-8"]),
        ("a: \x00\n", ["params.yaml"]),
        ("? [a]\n: 1\n", ["line 1"]),
    ],
)
def test_an_unusable_file_is_refused_with_the_line(tmp_path, text, says):
    file = written(tmp_path, text)
    with pytest.raises(InputError) as caught:
        load_params(file)
    assert str(caught.value).startswith(str(file))
    for piece in says:
        assert piece in str(caught.value)


def test_duplicates_are_found_far_down_a_file(tmp_path):
    text = "".join(f"key{i}: 0\n" for i in range(400)) + "key399: 1\n"
    with pytest.raises(InputError, match=r"line 401.*first in line 400"):
        load_params(written(tmp_path, text))


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(InputError, match=r"params\.yaml: found No such file"):
        load_params(tmp_path / "params.yaml")
    with pytest.raises(InputError, match="directory"):
        load_params(tmp_path)


def test_numbers_in_the_file_are_numbers():
    texts = [(dotted(path), value) for path, value in leaves(UNCHANGED) if isinstance(value, str)]
    assert not [item for item in texts if item[1][:1].isdigit()]
