"""Evaluations against scikit-learn, scipy and closed forms, from predictions made here."""

import csv
import json
import math
from dataclasses import replace

import numpy as np
import pytest
from scipy import optimize, special, stats
from sklearn import metrics as sklearn_metrics

from tests.classification._trainings import PARAMETERS, data_set
from zenn.classification import protocols
from zenn.classification.data import save_data_set
from zenn.classification.evaluation import (
    METRICS,
    LeakError,
    assess,
    assess_ensemble,
    comparisons,
    paired,
    refuse_other_samples,
    spreads,
)
from zenn.classification.outputs import Outputs
from zenn.classification.predictions import Predictions, Truth, load_predictions, save_predictions
from zenn.classification.training import EncoderOutputs, Trained
from zenn.errors import InputError
from zenn.room import main

K, N = 5, 1500
NOTES = {"omega": 5.0, "gamma": 100.0, "boltzmann_constant": 1.0, "initial_temperatures": [1.0, 4.0]}


def truth(seed=0):
    random = np.random.default_rng(seed)
    labels = np.minimum(random.geometric(0.4, N) - 1, K - 1)  # imbalanced
    return {name: Truth(labels, random.integers(0, 2, N), None) for name in ("validation", "test")}


def made(seeds=(1, 2, 3, 4, 5), strength=2.0, entropy=1.0, known=None, temperatures=(1.0, 4.0)):
    """Outputs that know something of the labels; `entropy` scales S, 0 for none."""
    known = truth() if known is None else known
    outputs = {}
    for seed in seeds:
        random = np.random.default_rng([seed, int(strength * 100)])
        outputs[seed] = {}
        for name, of in known.items():
            E = random.normal(size=(N, K)) - strength * np.eye(K)[of.labels]
            S = entropy * random.normal(size=(N, K)) if entropy else None
            outputs[seed][name] = Outputs(E, S, np.array(temperatures), None)
    return Predictions(known, outputs, tuple("abcde"), ("u", "v"), NOTES)


def conditional(outputs):
    """ln p(k | x, T_i) by scipy, one temperature after the other."""
    S = np.zeros_like(outputs.energies) if outputs.entropies is None else outputs.entropies
    c = S - (S / 100) ** 2
    return [special.log_softmax(c - outputs.energies / T, axis=1) for T in outputs.temperatures]


def test_the_metrics_of_the_marginal_are_scikit_learns():
    predictions = made(seeds=(1,))
    found = {one.protocol: one for one in assess("zenn", predictions, 3)}
    assert [one.uses_test_labels for one in found.values()] == [False, False, False, True]
    assert list(found)[-1] == "oracle"
    labels = predictions.truth["test"].labels
    p = {name: np.exp(conditional(of)).mean(axis=0) for name, of in predictions.outputs[1].items()}
    ours = found["marginal"]
    chosen = p["test"].argmax(axis=1)
    assert ours.test["error"] == pytest.approx(1 - sklearn_metrics.accuracy_score(labels, chosen))
    expected = 1 - sklearn_metrics.balanced_accuracy_score(labels, chosen)
    assert ours.test["balanced_error"] == pytest.approx(expected)
    assert ours.test["nll"] == pytest.approx(sklearn_metrics.log_loss(labels, p["test"]))
    assert ours.validation["nll"] == pytest.approx(sklearn_metrics.log_loss(labels, p["validation"]))

    def scaled(name, tau):
        return special.softmax(np.log(p[name]) / tau, axis=1)

    tau = optimize.minimize_scalar(
        lambda tau: sklearn_metrics.log_loss(labels, scaled("validation", tau)), bounds=(0.1, 10)
    ).x
    assert ours.scaling == pytest.approx(tau, rel=1e-4)
    expected = sklearn_metrics.log_loss(labels, scaled("test", tau))
    assert ours.test["scaled_nll"] == pytest.approx(expected, rel=1e-6)
    assert ours.test["scaled_brier"] == pytest.approx(
        sklearn_metrics.brier_score_loss(labels, scaled("test", tau), scale_by_half=False), rel=1e-6
    )


def test_an_ensemble_is_the_mean_of_probabilities():
    predictions = made(seeds=(3, 1, 7), temperatures=(1.0,))
    found = assess_ensemble("ensemble", predictions, 2)
    assert [one.members for one in found] == [(3, 1), (1, 7), (7, 3)]
    labels = predictions.truth["test"].labels
    for one in found:
        p = np.mean([np.exp(conditional(predictions.outputs[s]["test"])[0]) for s in one.members], axis=0)
        assert one.test["nll"] == pytest.approx(sklearn_metrics.log_loss(labels, p))
        assert one.test["error"] == pytest.approx(np.mean(p.argmax(axis=1) != labels))
        assert one.protocol == "marginal"
    single = assess("ce", predictions, 2)
    assert max(one.test["nll"] for one in found) < min(one.test["nll"] for one in single)
    with pytest.raises(InputError, match="2 or more, for an ensemble"):
        assess_ensemble("ensemble", made(seeds=(1,)), 2)


def test_a_protocol_that_has_seen_the_labels_stops_the_evaluation(monkeypatch):
    """The oracle's canary under the name of a protocol that should see none."""
    honest = protocols.permuted_label_errors

    def leaking(*arguments):
        found = honest(*arguments)
        return {**found, "marginal": found["oracle"]}

    labels, first = np.random.default_rng(3).integers(0, K, (2, N))
    known = {name: Truth(labels, None, None) for name in ("validation", "test")}
    of = Outputs(-20 * np.eye(K)[first], 10 * np.eye(K)[(first + 1) % K], np.array([1.0, 4.0]))
    given = Predictions(known, {1: {"validation": of, "test": of}}, tuple("abcde"), (), NOTES)
    monkeypatch.setattr(protocols, "permuted_label_errors", leaking)
    with pytest.raises(LeakError, match=r"a run, marginal: .* this protocol has seen the labels"):
        assess("a run", given, 5)


def test_the_canary_tells_who_has_seen_the_labels():
    random = np.random.default_rng(3)
    labels, first = random.integers(0, K, (2, N))
    known = {name: Truth(labels, None, None) for name in ("validation", "test")}
    # T = 1 says one class and T = 4 the next one, whatever the label is
    of = Outputs(-20 * np.eye(K)[first], 10 * np.eye(K)[(first + 1) % K], np.array([1.0, 4.0]))
    blind = Predictions(known, {1: {"validation": of, "test": of}}, tuple("abcde"), (), NOTES)
    found = {one.protocol: one for one in assess("zenn", blind, 10)}
    for protocol in ("marginal", "map_temperature", "first_temperature"):
        assert found[protocol].permuted_error == pytest.approx(1 - 1 / K, abs=0.02)
        assert math.isnan(found[protocol].source_information)
    assert found["oracle"].permuted_error == pytest.approx(1 - 2 / K, abs=0.02)
    # without S every temperature ranks the classes alike, and labels are of no use
    alike = {one.protocol: one for one in assess("zenn", made((1,), 2.0, 0.0, known), 10)}
    assert alike["oracle"].permuted_error == alike["marginal"].permuted_error
    assert alike["oracle"].test["error"] == alike["marginal"].test["error"]


def test_the_source_information_and_the_spread_of_posteriors():
    predictions = made(seeds=(1,), entropy=3.0)
    of, sources = predictions.outputs[1]["test"], predictions.truth["test"].sources
    labels = predictions.truth["test"].labels
    log_p = np.array(conditional(of))
    oracle = special.softmax(log_p[:, np.arange(N), labels], axis=0)  # Eq. (11), omega = 1
    found = {one.protocol: one for one in assess("zenn", predictions, 1)}
    expected = sklearn_metrics.normalized_mutual_info_score(oracle.argmax(axis=0), sources)
    assert found["oracle"].source_information == pytest.approx(expected)
    assert found["marginal"].source_information == found["map_temperature"].source_information
    assert math.isnan(found["first_temperature"].source_information)
    spread = {(one.posterior, one.source, one.temperature): one for one in spreads("zenn", predictions)}
    assert len(spread) == 2 * 3 * 2
    one = spread["oracle", "v", 2]
    values = oracle[1, sources == 1]
    assert one.samples == len(values)
    assert one.mean == pytest.approx(values.mean())
    assert one.quantiles[10] == pytest.approx(np.median(values))
    assert one.map_frequency == pytest.approx(np.mean(values > 0.5))
    parts = [spread["label_free", "all", i].map_frequency for i in (1, 2)]
    assert sum(parts) == pytest.approx(1)


def test_differences_are_paired_and_the_best_control_is_chosen_on_validation():
    known = truth()
    runs = {
        "zenn": made(strength=2.5, known=known),
        "weak": made(strength=1.0, entropy=0.0, known=known, temperatures=(1.0,)),
        "lucky": made(strength=2.0, entropy=0.0, known=known, temperatures=(1.0,)),
    }
    # best on test, worst on validation
    lucky = {
        seed: {"validation": runs["weak"].outputs[seed]["test"], "test": of["test"]}
        for seed, of in made(strength=4.0, entropy=0.0, known=known, temperatures=(1.0,)).outputs.items()
    }
    for of in lucky.values():
        of["validation"] = Outputs(-of["test"].energies, None, [1.0])
    runs["lucky"] = replace(runs["lucky"], outputs=lucky)
    found = [one for name, run in runs.items() for one in assess(name, run, 1)]
    rows = {
        (one.protocol, one.metric, one.control): one
        for one in comparisons(found, ["zenn"], ["weak", "lucky"])
    }
    assert len(rows) == len(METRICS) * (4 * 2 + 3)
    for metric in METRICS:
        assert rows["marginal", metric, "weak"].best
        assert not rows["marginal", metric, "lucky"].best
    ours = [one.test["nll"] for one in found if (one.run, one.protocol) == ("zenn", "oracle")]
    theirs = [one.test["nll"] for one in found if (one.run, one.protocol) == ("weak", "marginal")]
    test = stats.ttest_rel(ours, theirs)
    one = rows["oracle", "nll", "weak"]
    low, high = test.confidence_interval(0.95)
    assert (one.difference.low, one.difference.high) == (pytest.approx(low), pytest.approx(high))
    assert one.relative == pytest.approx(np.mean(ours) / np.mean(theirs) - 1)
    own = rows["oracle", "error", "zenn"]
    assert own.difference.mean < 0
    assert not own.best


def test_pairs_without_an_interval():
    one = paired([(3.0, 1.0)])
    assert (one.mean, one.pairs, one.first, one.second) == (2.0, 1, 3.0, 1.0)
    assert math.isnan(one.low)
    assert math.isnan(paired([]).mean)
    assert not paired([(math.inf, 1.0), (2.0, 1.0)]).decided


def test_runs_on_other_data_are_refused():
    with pytest.raises(InputError, match="other validation labels than in one"):
        refuse_other_samples({"one": made(seeds=(1,)), "two": made(seeds=(1,), known=truth(1))})


def test_predictions_come_back(tmp_path):
    data = data_set()
    random = np.random.default_rng(0)

    def outputs(samples):
        E, S = random.normal(size=(2, samples, 3)).astype(np.float32)
        return EncoderOutputs(E, S)

    T, prior = np.array([1, 5], np.float32), np.array([0.3, 0.7], np.float32)
    ends = {seed: Trained({"validation": outputs(24), "test": outputs(40)}, T, prior, []) for seed in (1, 12)}
    save_predictions(tmp_path, data, ends, NOTES)
    found = load_predictions(tmp_path)
    assert list(found.outputs) == [1, 12]
    np.testing.assert_array_equal(found.truth["test"].labels, data.test.labels)
    np.testing.assert_array_equal(found.truth["test"].sources, data.test.sources)
    for seed, end in ends.items():
        for name in ("validation", "test"):
            np.testing.assert_array_equal(found.outputs[seed][name].energies, end.outputs[name].energies)
            np.testing.assert_array_equal(found.outputs[seed][name].entropies, end.outputs[name].entropies)
    np.testing.assert_allclose(found.outputs[1]["test"].prior, prior)
    path = tmp_path / "predictions.safetensors"
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(InputError, match="a whole safetensors file"):
        load_predictions(tmp_path)


TABLES = "metrics", "paired", "posteriors", "temperatures"


def read(path):
    with path.open(newline="") as file:
        return [*csv.DictReader(file)]


@pytest.fixture
def step(tmp_path):
    def go(verb, name, parameters, **inputs):
        path = tmp_path / f"{name}.json"
        path.write_text(json.dumps(parameters))
        roles = [part for role, where in inputs.items() for part in ("--input", f"{role}={tmp_path / where}")]
        return main(
            "zenn.classification", [verb, "--params", str(path), *roles, "--out", str(tmp_path / name)]
        )

    return go


def test_from_data_to_tables(tmp_path, step, capsys):
    save_data_set(tmp_path / "data", data_set())
    training = PARAMETERS["training"]
    ce = {**training, "loss": "cross_entropy", "backbones": 1, "initial_temperatures": [1.0]}
    assert step("train", "zenn", PARAMETERS, data="data") == 0
    assert step("train", "ce", {**PARAMETERS, "training": ce}, data="data") == 0
    parameters = {"runs": ["zenn"], "controls": ["ce"], "ensemble_of": "ce", "permutations": 2}
    assert step("evaluate", "tables", parameters, zenn="zenn", ce="ce") == 0, capsys.readouterr().err
    tables = {name: read(tmp_path / "tables" / f"{name}.csv") for name in TABLES}
    rows = tables["metrics"]
    assert len(rows) == 2 * 4 * 2 + 2  # runs, protocols, seeds, and an ensemble for each seed
    for row in rows:
        assert row["uses_test_labels"] == ("true" if row["protocol"] == "oracle" else "false")
    assert {row["control"] for row in tables["paired"]} == {"ce", "ensemble", "zenn"}
    assert [row["initial"] for row in tables["temperatures"]] == ["1.0", "5.0"] * 2 + ["1.0"] * 2
    history = read(tmp_path / "zenn" / "history.csv")
    for row in rows:
        if row["run"] == "zenn" and row["protocol"] in ("marginal", "oracle"):
            last = [one for one in history if one["seed"] == row["seed"]][-1]
            column = "test_accuracy" + row["protocol"].replace("marginal", "").replace(
                "oracle", "_oracle_uses_test_labels"
            )
            assert 1 - float(last[column]) == pytest.approx(float(row["error"]))
            assert float(last["validation_nll"]) > 0


def test_a_run_with_a_folder_for_each_seed(tmp_path, step, capsys):
    save_data_set(tmp_path / "data", data_set())
    for name, seeds in (("both", [1, 2]), ("first", [1]), ("second", [2])):
        assert step("train", name, {**PARAMETERS, "seeds": seeds}, data="data") == 0
    parameters = {"runs": ["zenn"], "controls": [], "ensemble_of": "", "permutations": 2}
    assert step("evaluate", "whole", parameters, zenn="both") == 0
    assert step("evaluate", "parts", parameters, **{"zenn.2": "second", "zenn.1": "first"}) == 0
    for path in (tmp_path / "whole").iterdir():
        assert (tmp_path / "parts" / path.name).read_bytes() == path.read_bytes(), path.name
    assert step("evaluate", "twice", parameters, **{"zenn.1": "first", "zenn.2": "both"}) == 1
    assert "found seed 1 again" in capsys.readouterr().err
    other = {**PARAMETERS, "seeds": [3], "training": {**PARAMETERS["training"], "omega": 1.0}}
    assert step("train", "third", other, data="data") == 0
    assert step("evaluate", "mixed", parameters, **{"zenn.1": "first", "zenn.3": "third"}) == 1
    assert "trainings of other settings" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"runs": []}, "one or more"),
        ({"ensemble_of": "cee"}, "ensemble_of"),
        ({"permutations": 0}, "permutations"),
        ({"runs": ["ensemble"]}, "another name"),
    ],
)
def test_evaluations_that_cannot_be(step, change, told, capsys):
    parameters = {"runs": ["zenn"], "controls": ["ce"], "ensemble_of": "ce", "permutations": 2, **change}
    assert step("evaluate", "tables", parameters, zenn="zenn", ce="ce") == 1
    assert told in capsys.readouterr().err
