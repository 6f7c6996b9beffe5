"""Tables S9-S11 of the paper, counted."""

import csv
import json

import pytest
import torch

from zenn.classification.encoders.counts import trainable_parameters
from zenn.classification.encoders.lora import Lora
from zenn.errors import InputError
from zenn.room import main

PARAMS = {
    "temperatures": 5,
    "fine_tune": {
        "method": "lora",
        "rank": 8,
        "alpha": 16,
        "dropout": 0.1,
        "target_modules": ["q_proj", "v_proj"],
    },
}


def counted(folder, params):
    (folder / "params.json").write_text(json.dumps(params))
    arguments = ["--params", str(folder / "params.json"), "--out", str(folder / "out")]
    status = main("zenn.classification", ["parameter-counts", *arguments])
    if status:
        return status
    with (folder / "out" / "parameters.csv").open() as file:
        return list(csv.DictReader(file))


def test_the_printed_tables(tmp_path):
    """Millions as printed; those of all parameters in S11 are the models' names, 135M and 360M."""
    rows = {
        (row["table"], row["model"], row["method"], int(row["classes"])): float(row["millions"])
        for row in counted(tmp_path, PARAMS)
    }
    printed = {
        ("S9", "vit_base_patch32_224"): (174.9, 87.5),
        ("S9", "vit_large_patch16_224"): (606.6, 303.3),
        ("S9", "vit_large_patch32_224"): (611.0, 305.5),
        ("S10", "SmolLM2-135M"): (0.9, 0.5),
        ("S10", "SmolLM2-360M"): (1.6, 0.8),
        ("S11", "SmolLM2-135M"): (0.9, 135),
        ("S11", "SmolLM2-360M"): (1.6, 360),
    }
    for (table, model), (zenn, plain) in printed.items():
        classes = {"S9": 10, "S10": 5, "S11": 4}[table]
        assert rows[table, model, "ZENN", classes] == zenn
        tolerance = 0.01 if table == "S11" else 0
        assert rows[table, model, "CE", classes] == pytest.approx(plain, rel=tolerance)
    assert rows["S9", "vit_base_patch32_224", "ZENN", 100] == 175.1  # two heads of 90 more classes
    assert len(rows) == 20


def test_counts_in_closed_form():
    width, inner, vocabulary = 576, 1536, 49152
    attention = 2 * width * width + 2 * width * 192
    block = attention + 3 * width * inner + 2 * width
    everything = vocabulary * width + 30 * block + width + width * 4
    assert trainable_parameters("SmolLM2-135M", 4) == everything
    adapter = 30 * 8 * ((width + width) + (width + 192))
    assert trainable_parameters("SmolLM2-135M", 4, Lora(8)) == adapter + width * 4
    every = Lora(2, target_modules=("q_proj", "k_proj", "v_proj", "o_proj"))
    assert trainable_parameters("SmolLM2-135M", 4, every) == (
        30 * 2 * (4 * width + 2 * (width + 192)) + width * 4
    )
    block = 4 * 768 * 768 + 4 * 768 + 8 * 768 * 768 + 5 * 768 + 4 * 768
    outside = 50 * 768 + 768 + 32 * 32 * 3 * 768 + 768 + 2 * 768
    assert trainable_parameters("vit_base_patch32_224", 7) == 12 * block + outside + 7 * 768 + 7


def test_counting_leaves_the_default_device_as_it_is():
    trainable_parameters("vit_base_patch32_224", 3)
    assert torch.zeros(1).device.type == "cpu"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("SmolLM2-135", 4), "did you mean 'SmolLM2-135M'"),
        (("SmolLM2-135M", 0), "classes: found 0"),
        (("vit_base_patch32_224", 4, Lora()), "all of vit_base_patch32_224 is fine-tuned"),
    ],
)
def test_what_cannot_be_counted(arguments, message):
    with pytest.raises(InputError, match=message):
        trainable_parameters(*arguments)


def test_parameters_of_the_step(tmp_path, capsys):
    assert counted(tmp_path, {**PARAMS, "temperatures": 0}) == 1
    assert counted(tmp_path, {**PARAMS, "fine_tune": {"method": "all"}}) == 1
    assert "fine_tune.method: found 'all'" in capsys.readouterr().err
