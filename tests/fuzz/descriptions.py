"""Readers of parameters and descriptions: YAML, and the JSON of orders, records, states and models."""

from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import Any

from tests.fuzz.harness import Target
from tests.fuzz.tables import copied
from tests.pipeline.checkout import ROOT
from zenn.classification.encoders import transformers_model as of
from zenn.commands.classify_chosen import _configuration, _padding_token
from zenn.commands.classify_compare import _trained_on
from zenn.commands.landscape_fit import _read_measured
from zenn.commands.laws_inputs import GasFile
from zenn.files import write_json
from zenn.laws.processes import processes
from zenn.laws.steps._given import read_simulation
from zenn.pipeline import adopt, intact
from zenn.pipeline.elsewhere import read_orders, write_orders
from zenn.pipeline.keys import digest
from zenn.pipeline.params import load_params, resolve
from zenn.pipeline.plan import plan_checkout
from zenn.pipeline.provenance import read_run
from zenn.room import _read_params


def _gas(folder: Path) -> None:
    gas = GasFile(folder / "gas.yaml")
    params = gas.together("gas", "design", replica=0, heating_bound=gas.values().get("heating_bound"))
    with gas.named():
        simulation = read_simulation(params)
        processes(simulation.gas, simulation.design)
    for name in ("pictures", "recombination", "training", "axioms"):
        gas.section(name)


@functools.cache
def _plan():
    return plan_checkout(ROOT, scale="ci")


def _orders(folder: Path) -> None:
    write_orders(folder / "orders.json", [step.order for step in _plan().of("materials")][:3], "abc")


def _result(folder: Path) -> None:
    """A result of a planned step as its job leaves it."""
    step = _plan().by_name["materials/fe3pt-critical-point"]
    place = folder / "kept"
    place.mkdir()
    for name in step.outputs:
        (place / name).write_text("[1]\n")
    hashes = {name: digest((place / name).read_bytes()) for name in sorted(step.outputs)}
    write_json(place / "record.json", {"key": step.key, "spec": step.spec, "outputs": hashes})


def _result_elsewhere(folder: Path) -> None:
    _result(folder)
    place = folder / "kept"
    write_json(place / "left_out.json", [])
    write_json(place / "run.json", {"hardware": "a machine", "commit": "abc"})


def _taken_in(folder: Path) -> None:
    record = folder / "kept" / "record.json"
    adopt._step_in(record)
    result = adopt._checked(record.parent, folder, {"ci": _plan()})
    adopt.damage(result.folder, result.step.key)


def _looked_at(folder: Path) -> None:
    key = _plan().by_name["materials/fe3pt-critical-point"].key
    intact.damage_of(folder / "kept", key, {})


def _seen(folder: Path) -> None:
    place = folder / intact.SEEN
    place.parent.mkdir(parents=True)
    write_json(place, {str(folder): f"1 2 3 4 {'0' * 64}", "b": f"1 2 3 4 {'1' * 64}"})


def _read_seen(folder: Path) -> None:
    seen = intact._read_seen(folder)
    for path in seen:
        intact._hash(folder / intact.SEEN, {str(folder / intact.SEEN): seen[path]})


def _facts(folder: Path) -> None:
    place = folder / "logs" / "a" / "b"
    place.mkdir(parents=True)
    write_json(place / "0.run.json", {"hardware": "a machine", "commit": "abc", "packages": {}})


LLAMA: dict[str, Any] = {
    **{"model_type": "llama", "hidden_size": 8, "intermediate_size": 8, "num_attention_heads": 2},
    **{"num_hidden_layers": 1, "num_key_value_heads": 1, "vocab_size": 20, "max_position_embeddings": 16},
    **{
        "rope_theta": 10000.0,
        "rms_norm_eps": 1e-5,
        "bos_token_id": 1,
        "eos_token_id": 2,
        "architectures": ["x"],
    },
}


def _language_model(folder: Path) -> None:
    from zenn.classification.datasets.tokens import word_tokenizer

    write_json(folder / "config.json", LLAMA)
    write_json(folder / "tokenizer_config.json", {"pad_token": {"content": "[PAD]"}, "eos_token": "x"})
    write_json(folder / "special_tokens_map.json", {"pad_token": "[PAD]"})
    (folder / "tokenizer.json").write_text(word_tokenizer(["a b c x"], 30))


def _read_language_model(folder: Path) -> None:
    said = _configuration(folder)
    of.plain_configuration(said)
    of.longest_text(said)
    _padding_token(folder, folder / "tokenizer.json", said)


def _run(folder: Path) -> None:
    options = dict.fromkeys(("split_seed", "test_share", "validation_share"), 0.5)
    said = {"parameters": {"options": options}, "data": {"sha256_of_files": "0"}}
    write_json(folder / "run.json", said)


def _measured(folder: Path) -> None:
    rows = [[10, 0.5, 0.25], [20, 0.125, 0.0625]]
    (folder / "k1.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))


TARGETS = [
    Target(
        "params.yaml",
        copied("params.yaml"),
        lambda f: resolve(load_params(f / "params.yaml"), source=str(f / "params.yaml")),
        cost=8,
    ),
    Target("gas.yaml", copied("data/inputs/gas.yaml"), _gas, cost=2),
    Target(
        "parameters of a room",
        lambda f: write_json(f / "p.json", {"a": {"b": [1, 2.5]}, "c": "x"}),
        lambda f: _read_params(f / "p.json"),
    ),
    Target("orders", _orders, lambda f: read_orders(f / "orders.json"), cost=2),
    Target("a result to adopt", _result_elsewhere, _taken_in, cost=2),
    Target("a result", _result, _looked_at, ("kept/record.json",)),
    Target("what was seen of results", _seen, _read_seen),
    Target("facts of a run", _facts, lambda f: read_run(f, "a/b", "0")),
    Target("run to compare", _run, _trained_on),
    Target("measured errors of a fit", _measured, lambda f: _read_measured(f / "k1.jsonl")),
    Target("language model", _language_model, _read_language_model, cost=6),
]
