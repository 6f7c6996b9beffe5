"""`zenn classify predict` and `evaluate`: what a trained classifier says of samples, and how well it does."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zenn.commands import classify_summary as summary
from zenn.commands.classify_compare import refuse_other_seeds, refuse_other_trainings, show_comparison
from zenn.commands.classify_inputs import Given as Samples
from zenn.commands.classify_inputs import Reading, read_samples
from zenn.commands.classify_saved import Saved, chosen_seed, load_saved, outputs_of_samples
from zenn.commands.classify_train import PERMUTATIONS, check_device, use_device
from zenn.commands.results import note, progress
from zenn.disk import disk_errors
from zenn.errors import InputError

if TYPE_CHECKING:
    from zenn.classification import Outputs
    from zenn.classification.predictions import Predictions

PROTOCOLS = ("marginal", "map", "first")


def run_predict(
    folder: Path,
    path: Path,
    out: Path,
    protocol: str,
    seed: int | None,
    maximum_length: int | None,
    cut: bool,
    device: str,
) -> None:
    """`predict`.

    Raises
    ------
    InputError : the run, the data or an option cannot be used.
    """
    _refuse_present(out)
    if protocol not in PROTOCOLS:
        raise InputError("argument --protocol", "", repr(protocol), f"one of {', '.join(PROTOCOLS)}")
    check_device(device)
    saved = load_saved(folder, maximum_length=maximum_length, cut=cut)
    seed = chosen_seed(saved, seed)
    with progress("predicting"):
        use_device(device)
        samples = read_samples(path, saved.reading, labelled=False)
        outputs = outputs_of_samples(saved, seed, samples)
        columns = _columns(saved, samples, outputs, protocol)
        from zenn.csv_table import write_columns

        with disk_errors([out]):
            write_columns(out, columns)
    _note_cut(samples, saved.reading)
    print(f"{len(samples.places)} samples predicted without labels, seed {seed}, protocol {protocol}")
    print(f"written: {out}")


def run_evaluate(
    folder: Path,
    path: Path | None,
    maximum_length: int | None,
    cut: bool,
    device: str,
    controls: Sequence[Path] = (),
) -> None:
    """`evaluate`; without `path` on the test samples that training set aside, with `controls` beside others.

    Raises
    ------
    InputError : a run, the data or an option cannot be used; a control has other data, samples or seeds.
    """
    check_device(device)
    runs = {
        str(each): load_saved(each, maximum_length=maximum_length, cut=cut) for each in (folder, *controls)
    }
    refuse_other_trainings(folder, controls)
    from zenn.classification.predictions import load_predictions

    predictions = {name: load_predictions(saved.description.folder) for name, saved in runs.items()}
    refuse_other_seeds(predictions)
    if path is not None:
        with progress("predicting"):
            use_device(device)
            several = {}
            for name, saved in runs.items():
                several[name] = read_samples(path, saved.reading, labelled=True)
                predictions[name] = _on_others(predictions[name], saved, several[name])
        for name, samples in several.items():
            _note_cut(samples, runs[name].reading)
        _note_missing(several[str(folder)], runs[str(folder)].reading)
    summary.show_evaluation(predictions[str(folder)], PERMUTATIONS)
    if controls:
        show_comparison(predictions, PERMUTATIONS)


def _columns(saved: Saved, samples: Samples, outputs: Outputs, protocol: str) -> dict[str, Any]:
    """Of the table of predictions."""
    import numpy as np

    from zenn.classification import protocols
    from zenn.classification.outputs import marginal

    omega = saved.settings.omega
    log_of: dict[str, Callable[[Outputs], Any]] = {
        "marginal": marginal,
        "map": lambda outputs: protocols.map_temperature(outputs, omega),
        "first": protocols.first_temperature,
    }
    p, posterior = np.exp(log_of[protocol](outputs)), protocols.temperature_posterior(outputs, omega)
    best, classes = p.argmax(axis=1), saved.reading.classes
    return {
        "path" if saved.reading.kind == "images" else "line": samples.places,
        "label": [classes[k] for k in best],
        **{f"probability_{name}": p[:, k] for k, name in enumerate(classes)},
        **{f"temperature_{i}_posterior": posterior[:, i - 1] for i in range(1, posterior.shape[1] + 1)},
    }


def _on_others(predictions: Predictions, saved: Saved, samples: Samples) -> Predictions:
    """The predictions of a run with other test samples; validation, for temperature scaling, stays."""
    from zenn.classification.predictions import Truth

    assert samples.labels is not None
    truth = {**predictions.truth, "test": Truth(samples.labels, None, None)}
    outputs = {
        seed: {**own, "test": outputs_of_samples(saved, seed, samples)}
        for seed, own in predictions.outputs.items()
    }
    return replace(predictions, truth=truth, outputs=outputs)


def _note_cut(samples: Samples, reading: Reading) -> None:
    if samples.cut:
        note(f"{samples.cut} of {len(samples.places)} texts cut at {reading.maximum_length} tokens")


def _note_missing(samples: Samples, reading: Reading) -> None:
    """Classes of the training of which the given data have none."""
    assert samples.labels is not None
    missing = [name for k, name in enumerate(reading.classes) if not (samples.labels == k).any()]
    if missing:
        note(f"no samples of {', '.join(missing)}")


def _refuse_present(out: Path) -> None:
    if out.exists() or out.is_symlink():
        raise InputError("argument --out", "", f"{out}, which is there", "a new file")
