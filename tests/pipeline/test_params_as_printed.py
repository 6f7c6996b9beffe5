"""params.yaml holds the papers' numbers as printed, and docs/parameters.md says so."""

import re
from pathlib import Path

import pytest

from zenn.pipeline.params.base import SCALES
from zenn.pipeline.params.loading import load_params
from zenn.pipeline.params.resolving import at_scale, resolve
from zenn.pipeline.params.root import SECTIONS
from zenn.pipeline.params.table import parameters_markdown, rows
from zenn.pipeline.params.tree import dotted, has, leaves

ROOT = Path(__file__).parents[2]
FILE = ROOT / "params.yaml"


@pytest.fixture
def raw():
    return load_params(FILE)


# --- the papers' numbers, transcribed from the tables and from nothing else -----------------------

LORA = {"method": "lora", "rank": 8, "alpha": 16, "dropout": 0.1, "target_modules": ["q_proj", "v_proj"]}
TABLE_S2 = {  # row: k_B, gamma
    "Classification": (1.0, 100.0),
    "Energy landscape": (1.0, 5.0),
    "Fe3Pt": (0.1, 5.0),
}
TABLE_S4 = {
    "augmentation": ["RandomHorizontalFlip", "RandomCrop"],
    "epochs": 50,
    "resolution": 224,
    "batch_size": 64,
    "learning_rate": 1e-4,
    "weight_decay": 0.1,
    "optimizer": "AdamW",
    "pretrained_weights": "ImageNet-21k",
}
TABLE_S3 = {
    "augmentation": ["RandomHorizontalFlip", "RandomCrop"],
    "epochs": 50,
    "resolution": 224,
    "batch_size": 64,
    "learning_rate": 1e-4,
    "temperature_learning_rate": 1e-3,
    "weight_decay": 0.1,
    "optimizer": "AdamW",
    "pretrained_weights": "ImageNet-21k",
}
TABLE_S5 = {
    "epochs": 30,
    "maximum_length": 512,
    "batch_size": 32,
    "learning_rate": 5e-5,
    "temperature_learning_rate": 1e-3,
    "weight_decay": 0.01,
    "optimizer": "AdamW",
    "fine_tune": LORA,
}
TABLE_S6 = {
    "epochs": 30,
    "maximum_length": 512,
    "batch_size": 32,
    "learning_rate": 5e-5,
    "weight_decay": 0.01,
    "optimizer": "AdamW",
    "fine_tune": LORA,
}
TABLE_S7 = {
    "epochs": 6,
    "maximum_length": 512,
    "batch_size": 32,
    "learning_rate": 5e-5,
    "temperature_learning_rate": 1e-3,
    "weight_decay": 0.01,
    "optimizer": "AdamW",
    "fine_tune": LORA,
}
TABLE_S8 = {
    "epochs": 10,
    "maximum_length": 512,
    "batch_size": 32,
    "learning_rate": 5e-5,
    "weight_decay": 0.01,
    "optimizer": "AdamW",
    "fine_tune": {"method": "all"},
}


def test_table_s2_as_printed(raw):
    params = resolve(raw, scale="paper")
    used = {
        "Classification": params.classification.zentropy,
        "Energy landscape": params.landscape.zentropy.benchmark,
        "Fe3Pt": params.landscape.zentropy.fe3pt,
    }
    assert {row: (c.boltzmann_constant, c.gamma) for row, c in used.items()} == TABLE_S2


@pytest.mark.parametrize(
    ("data", "loss", "printed"),
    [
        ("cifar", "zenn", TABLE_S3),
        ("cifar", "cross_entropy", TABLE_S4),
        ("bbc_news", "zenn", TABLE_S5),
        ("bbc_news", "cross_entropy", TABLE_S6),
        ("ag_news", "zenn", TABLE_S7),
        ("ag_news", "cross_entropy", TABLE_S8),
    ],
)
def test_tables_s3_to_s8_as_printed(raw, data, loss, printed):
    training = resolve(raw, scale="paper").model_dump(mode="json")["classification"]["training"]
    assert training[data][loss] == printed


def test_fe3pt_as_the_forward_model_needs_it(raw):
    params = resolve(raw, scale="paper").materials
    fe3pt = params.systems["fe3pt"]
    assert fe3pt.atoms_in_cell == 12
    assert fe3pt.mean_atomic_mass == pytest.approx((3 * 55.845 + 195.084) / 4, abs=1e-12)
    assert (fe3pt.debye_scaling, fe3pt.grueneisen_x) == (0.617, 2 / 3)
    assert params.second_derivative.temperatures == (160, 165)
    assert params.isotherms.pressure == 6.53
    assert params.reference_state.pressure == pytest.approx(101325e-9, rel=1e-15)


# --- the documentation ----------------------------------------------------------------------------


def test_the_page_is_the_one_generated(raw):
    page = (ROOT / "docs/parameters.md").read_text(encoding="utf-8")
    assert page == parameters_markdown(raw), "docs/parameters.md is out of date: run `zenn docs parameters`"


def test_every_parameter_is_documented(raw):
    for name in SECTIONS:
        for row in rows(getattr(resolve(raw), name)):
            assert row.description, row.key
            assert row.source, row.key
            named = row.value is None or isinstance(row.value, str | bool)  # a name, a switch, or none of it
            assert row.unit or named or isinstance(row.value[0], str), row.key


def test_the_page_shows_the_value_at_each_scale(raw):
    page = parameters_markdown(raw)
    assert re.search(r"\| `isotherms.volumes` \| small: `\d+`, paper: `\d+`, ci: `\d+` \| points \|", page)
    assert "| `systems.fe3pt.debye_scaling` | `0.617` | 1 | a number > 0 and <= 2 |" in page


def test_the_page_has_every_value_in_the_file(raw):
    page = parameters_markdown(raw)
    for name in SECTIONS:
        section = page.split(f"## `{name}`")[1].split("## `")[0]
        for scale in SCALES:
            assert all(f"| `{dotted(path)}` |" in section for path, _ in leaves(at_scale(raw[name], scale)))
    assert has(raw, ("materials", "isotherms", "temperatures", 0))
