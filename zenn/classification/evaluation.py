"""What runs are worth: every protocol on every seed, with canaries, and differences against controls.

The headline is `marginal`, without labels. `oracle` is the paper's evaluation as printed and uses test
labels: every row that comes from it says so.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from zenn.classification import metrics, protocols
from zenn.classification.outputs import Outputs, marginal
from zenn.classification.predictions import Predictions, Truth
from zenn.errors import InputError, ZennError

Array = NDArray[np.float64]
Integers = NDArray[np.int64]

HEADLINE = "marginal"
USES_LABELS = ("oracle",)
METRICS = ("error", "balanced_error", "nll", "brier", "ece", "scaled_nll", "scaled_brier", "scaled_ece")
"""What is measured; `scaled_` after temperature scaling fitted on validation. Smaller is better."""

QUANTILES = tuple(range(0, 101, 5))
"""Per cent: enough of a distribution to draw it."""


_FAR = 7.0  # standard deviations of an error on permuted labels


class LeakError(ZennError):
    """A protocol that should see no label has seen them."""


@dataclass(frozen=True)
class Assessment:
    """One run, seed and protocol.

    Attributes
    ----------
    members : seeds whose probabilities were averaged; the seed itself but for an ensemble.
    test, validation : `METRICS` by name.
    scaling : tau of temperature scaling.
    permuted_error : mean error on test labels in random order; below chance only for who has seen them.
    source_information : normalised mutual information of the most likely temperature of a sample and its
        source, NaN where one of them is not there.
    """

    run: str
    seed: int
    protocol: str
    members: tuple[int, ...]
    test: dict[str, float]
    validation: dict[str, float]
    scaling: float
    permuted_error: float
    source_information: float

    @property
    def uses_test_labels(self) -> bool:
        """Whether the prediction has seen the label that it is judged by."""
        return self.protocol in USES_LABELS


def assess(run: str, predictions: Predictions, permutations: int) -> list[Assessment]:
    """Every seed of a run under every protocol; the canary is the mean over some permutations.

    Raises
    ------
    LeakError : a protocol without labels is not at chance on permuted ones.
    """
    truth, found = predictions.truth, []
    omega = float(predictions.notes["omega"])
    labels = _judged(truth), truth["test"].labels
    for seed, outputs in predictions.outputs.items():
        validation = protocols.predictions(outputs["validation"], truth["validation"].labels, omega)
        test = protocols.predictions(outputs["test"], truth["test"].labels, omega)
        canary = protocols.permuted_label_errors(outputs["test"], labels[1], permutations, omega)
        _check_canary(run, test, labels[1], canary, permutations)
        told = _source_information(outputs["test"], predictions, omega)
        for protocol in test:
            found.append(
                Assessment(
                    run,
                    seed,
                    protocol,
                    (seed,),
                    *_scores(validation[protocol], test[protocol], *labels),
                    canary[protocol],
                    told.get(protocol, math.nan),
                )
            )
    return found


def assess_ensemble(
    run: str, predictions: Predictions, permutations: int, members: int = 2
) -> list[Assessment]:
    """Means of the probabilities of a run's seeds: each with the ones after it, the first after the last.

    Ensembles beside each other share members, so an interval over them is a little too narrow.

    Raises
    ------
    InputError : the run has fewer seeds than an ensemble has members.
    """
    seeds = list(predictions.outputs)
    if len(seeds) < members:
        raise InputError("parameters", run, f"{len(seeds)} seeds", f"{members} or more, for an ensemble")
    truth, found = predictions.truth, []
    single = {
        seed: [marginal(outputs[split]) for split in ("validation", "test")]
        for seed, outputs in predictions.outputs.items()
    }
    for number, seed in enumerate(seeds):
        those = tuple(seeds[(number + i) % len(seeds)] for i in range(members))
        validation, test = (
            np.logaddexp.reduce([single[one][i] for one in those], axis=0) - math.log(members)
            for i in range(2)
        )
        labels = truth["test"].labels
        permuted = [np.random.default_rng(i).permutation(labels) for i in range(permutations)]
        found.append(
            Assessment(
                run,
                seed,
                HEADLINE,
                those,
                *_scores(validation, test, _judged(truth), labels),
                float(np.mean([metrics.error(test, one) for one in permuted])),
                math.nan,
            )
        )
    return found


def _check_canary(
    run: str, log_p: Mapping[str, Array], labels: Integers, errors: Mapping[str, float], permutations: int
) -> None:
    """What sees no label errs on labels in random order as often as the shares of its answers say."""
    number = labels.max() + 1
    shares = np.bincount(labels, minlength=number) / len(labels)
    for protocol in protocols.LABEL_FREE:
        answers = np.bincount(log_p[protocol].argmax(axis=-1), minlength=number)[:number] / len(labels)
        chance = 1 - float(shares @ answers)
        far = _FAR * math.sqrt(chance * (1 - chance) / (len(labels) * permutations)) + 1e-9
        if abs(errors[protocol] - chance) > far:
            raise LeakError(
                f"{run}, {protocol}: on test labels in random order the error is {errors[protocol]:.4g}, "
                f"where chance is {chance:.4g}: this protocol has seen the labels"
            )


def _judged(truth: Mapping[str, Truth]) -> Integers:
    """The labels that validation is judged by: those before the noise where the test has none either.

    A scaling fitted to labels that are wrong on purpose would flatten every prediction for the true ones.
    """
    validation, test = truth["validation"], truth["test"]
    if test.original_labels is None or validation.original_labels is None:
        return validation.labels
    clean = np.array_equal(test.labels, test.original_labels)
    return validation.original_labels if clean else validation.labels


def _scores(
    validation: Array, test: Array, validation_labels: Integers, labels: Integers
) -> tuple[dict[str, float], dict[str, float], float]:
    """Of test and of validation, and the tau fitted on validation."""
    tau = metrics.fit_scaling(validation, validation_labels)
    return _measured(test, labels, tau), _measured(validation, validation_labels, tau), tau


def _measured(log_p: Array, labels: Integers, tau: float) -> dict[str, float]:
    plain, scaled = metrics.scores(log_p, labels), metrics.scores(metrics.scaled(log_p, tau), labels)
    wrong = log_p.argmax(axis=1) != labels
    of_classes = [float(np.mean(wrong[labels == label])) for label in np.unique(labels)]
    return {
        "error": plain.error,
        "balanced_error": float(np.mean(of_classes)),
        "nll": plain.nll,
        "brier": plain.brier,
        "ece": plain.ece,
        "scaled_nll": scaled.nll,
        "scaled_brier": scaled.brier,
        "scaled_ece": scaled.ece,
    }


def _posteriors(outputs: Outputs, labels: Integers, omega: float) -> dict[str, Array]:
    """q(T_i), (N, N_T): without labels at the training's omega, and as printed, at 1 with the test label."""
    return {
        "label_free": protocols.temperature_posterior(outputs, omega),
        "oracle": protocols.labelled_temperature_posterior(outputs, labels),
    }


def _source_information(outputs: Outputs, predictions: Predictions, omega: float) -> dict[str, float]:
    """By protocol, for those that choose among temperatures."""
    truth = predictions.truth["test"]
    if truth.sources is None or len(outputs.temperatures) < 2:
        return {}
    told = {
        name: metrics.normalised_mutual_information(posterior.argmax(axis=1), truth.sources)
        for name, posterior in _posteriors(outputs, truth.labels, omega).items()
    }
    free = dict.fromkeys(("marginal", "map_temperature"), told["label_free"])
    return {**free, "oracle": told["oracle"]}


@dataclass(frozen=True)
class Spread:
    """Posterior of one temperature over the test samples of one source ("all": every one).

    quantiles : of the posterior probability, at `QUANTILES`. map_frequency : share of the samples of which
    this is the most likely temperature.
    """

    run: str
    seed: int
    posterior: str
    source: str
    temperature: int
    samples: int
    mean: float
    map_frequency: float
    quantiles: tuple[float, ...]


def spreads(run: str, predictions: Predictions) -> Iterator[Spread]:
    """How the posteriors of the temperatures are spread, label-free and as printed (with test labels)."""
    truth, omega = predictions.truth["test"], float(predictions.notes["omega"])
    groups = {"all": np.full(len(truth.labels), True)}
    if truth.sources is not None:
        groups |= {name: truth.sources == i for i, name in enumerate(predictions.sources)}
    for seed, outputs in predictions.outputs.items():
        for kind, posterior in _posteriors(outputs["test"], truth.labels, omega).items():
            best = posterior.argmax(axis=1)
            for source, mask in groups.items():
                if not mask.any():
                    continue
                for i in range(posterior.shape[1]):
                    values = posterior[mask, i]
                    quantiles = np.percentile(values, QUANTILES)
                    numbers = float(values.mean()), float(np.mean(best[mask] == i))
                    said = run, seed, kind, source, i + 1, len(values)
                    yield Spread(*said, *numbers, tuple(map(float, quantiles)))


@dataclass(frozen=True)
class Comparison:
    """A run under a protocol minus a control under another, over the seeds that both have.

    best : the control is the one with the lowest validation mean of this metric (see `_judged`).
    """

    run: str
    protocol: str
    metric: str
    control: str
    control_protocol: str
    best: bool
    difference: metrics.PairedDifference

    @property
    def relative(self) -> float:
        """The mean difference over the control's mean; NaN where that is 0."""
        return self.difference.mean / self.difference.second if self.difference.second else math.nan


def comparisons(
    assessments: Sequence[Assessment], runs: Sequence[str], controls: Sequence[str]
) -> Iterator[Comparison]:
    """Every run and protocol against every control, and against the same run's `marginal`.

    Controls are judged without labels. The best one is chosen on validation, for each metric of its own.
    """
    of: dict[tuple[str, str], dict[int, Assessment]] = {}
    for one in assessments:
        of.setdefault((one.run, one.protocol), {})[one.seed] = one
    for metric in METRICS:
        means = {
            control: float(np.mean([one.validation[metric] for one in of[control, HEADLINE].values()]))
            for control in controls
        }
        best = min(means, key=lambda control: means[control]) if means else ""
        for (run, protocol), ours in of.items():
            if run not in runs:
                continue
            others = [(control, control == best) for control in controls if control != run]
            if protocol != HEADLINE:
                others.append((run, False))
            for control, chosen in others:
                theirs = of[control, HEADLINE]
                pairs = [(ours[s].test[metric], theirs[s].test[metric]) for s in ours if s in theirs]
                difference = paired(pairs)
                yield Comparison(run, protocol, metric, control, HEADLINE, chosen, difference)


def paired(pairs: Sequence[tuple[float, float]]) -> metrics.PairedDifference:
    """`metrics.paired_difference`; for a single pair, or an infinite value, its interval is NaN."""
    first, second = np.array(pairs, dtype=np.float64).reshape(-1, 2).T
    if len(first) >= 2 and np.isfinite(first).all() and np.isfinite(second).all():
        return metrics.paired_difference(first, second)
    if not len(first):
        return metrics.PairedDifference(math.nan, math.nan, math.nan, 0, math.nan, math.nan)
    mean, control = float(first.mean()), float(second.mean())
    return metrics.PairedDifference(mean - control, math.nan, math.nan, len(first), mean, control)


def refuse_other_samples(runs: Mapping[str, Predictions], source: str = "argument --input") -> None:
    """Raise InputError where runs were not judged by the same samples: their differences are no pairs."""
    (first, reference), *others = runs.items()
    for name, run in others:
        for split, truth in reference.truth.items():
            if not np.array_equal(run.truth[split].labels, truth.labels):
                found = f"other {split} labels than in {first}"
                raise InputError(source, name, found, "runs on the same data")
