"""Figures of the gas, from results whose numbers are known: what is drawn, what is said, and tables."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex
from PIL import Image

from zenn.plots import laws, laws_drawings
from zenn.plots import laws_tables as tables
from zenn.plots.style import save

PARTICLES = (125, 250, 375, 500)
SHOWN = laws.Shown("small", 150.0, PARTICLES, 64)
LAYERS = pd.DataFrame(
    [
        ("Convolutional", "Output channels: 16; 2 x 2, stride 2", "ReLU", "16 x 32 x 32", 336),
        ("Convolutional", "Output channels: 32; 2 x 2, stride 2", "ReLU", "32 x 16 x 16", 2080),
        ("Convolutional", "Output channels: 64; 2 x 2, stride 2", "ReLU", "64 x 8 x 8", 8256),
        ("Convolutional", "Output channels: 64; 2 x 2, stride 2", "ReLU", "64 x 4 x 4", 16448),
        ("Convolutional", "Output channels: 128; 2 x 2, stride 2", "ReLU", "128 x 2 x 2", 32896),
        ("Flatten", "-", "-", "512", 0),
        ("Dropout", "Rate: 0.25", "-", "512", 0),
        ("Dense", "Output units: 128", "ReLU", "128", 65664),
        ("Dense", "Output units: 64", "ReLU", "64", 8256),
        ("Dense", "Output units: 1", "Linear", "1", 65),
    ],
    columns=["layer", "hyperparameter", "activation", "output", "parameters"],
)


@pytest.fixture(scope="module")
def results():
    """Tables as the steps write them, of a representation that is affine in the entropy."""
    random = np.random.default_rng(0)
    number = 1200
    N = random.choice(PARTICLES, number)
    log_term = N * random.uniform(4.0, 7.0, number)
    s = 0.01 * log_term + N / 100
    noisy = {name: s + random.normal(0, 0.3, number) for name in ("s_twin", "s_split", "s_recombined")}
    states = pd.DataFrame({"process": np.arange(number) // 50, "stop": np.arange(number) % 50})
    states = states.assign(particles=N, log_term=log_term, s=s, s_hat=log_term, **noisy)
    states = states.assign(wall=random.choice(["x", "y"], number))
    states["lambda"] = 0.5
    fits = [{"particles": n, "slope": 0.01, "intercept": n / 100, "r2": 0.99} for n in PARTICLES]
    dust = pd.DataFrame(
        [
            {
                "epsilon": e,
                "fraction": e,
                "dust": d,
                "order": order,
                "pairs": 100 * d,
                "agreement": rate - e * d,
            }
            for e in (0.001, 0.01, 0.1)
            for d in (1, 2)
            for order, rate in (("rising", 1.0), ("falling", 0.98))
        ]
    )
    parts = pd.DataFrame({"lambda": np.repeat([0.2, 0.5, 0.8], 50), "s_parts": random.uniform(5, 30, 150)})
    parts = parts.assign(s_compound=0.98 * parts["s_parts"] + 0.2)
    return {"states": states, "fits": pd.DataFrame(fits), "dust": dust, "parts": parts}


def values(**runs):
    rows = [
        {"run": run, "seed": seed, "metric": "test_accuracy", "value": value}
        for run, several in runs.items()
        for seed, value in enumerate(several, 1)
    ]
    rows += [{"run": "none", "seed": 1, "metric": "ceiling_accuracy", "value": 0.95}]
    return pd.DataFrame(rows)


def texts(figure):
    said = [text.get_text() for axis in figure.axes for text in axis.texts]
    return " ".join([figure.get_suptitle(), *said])


def figures(results):
    states = results["states"]
    chosen = tables.states(states, ["process", "stop", "particles", "s", "s_twin"])
    yield "fig-3", laws.equal_states(chosen, (0.9951, 0.9952), SHOWN), chosen
    chosen = tables.states(states, ["particles", "wall", "lambda", "s", "s_split", "s_recombined"])
    yield "fig-5", laws.split_states(chosen, [(0.9949, 0.995), (0.9946, 0.995)], SHOWN), chosen
    chosen = tables.stability(results["dust"])
    yield "fig-6", laws.dust(chosen, np.zeros((64, 64)), 0.02, SHOWN), chosen
    chosen = tables.entropies(states, results["fits"])
    yield "fig-7", laws.entropies(chosen, 0.98, SHOWN), chosen
    chosen = tables.states(results["parts"], ["lambda", "s_parts", "s_compound"])
    yield "fig-8", laws.extensivity(chosen, (0.97, 0.98), SHOWN), chosen
    chosen = tables.controls(values(none=[0.9, 0.91, 0.92], shuffled=[0.5], frozen=[0.52]))
    yield "controls", laws.controls(chosen, SHOWN), chosen
    bins = {"low": [0.0, 1.0, 4.0], "high": [1.0, 4.0, 16.0], "pairs": [10, 0, 30]}
    rates = {name: [0.6, np.nan, 0.9] for name in ("accuracy", "accuracy_low", "accuracy_high", "ceiling")}
    chosen = tables.difficulty(pd.DataFrame({**bins, **rates}))
    yield "difficulty", laws.difficulty(chosen, SHOWN), chosen


def test_every_figure_says_its_gas_and_shows_what_its_table_has(results, tmp_path):
    for name, figure, numbers in figures(results):
        save(figure, numbers, tmp_path, name)
        assert "scale small, not the paper's gas: L = 150 R" in figure.get_suptitle(), name
        for axis in figure.axes:
            assert axis.get_xlabel(), name
            assert axis.get_ylabel() or name == "controls", name
        sizes = sum(path.stat().st_size for path in tmp_path.glob(f"{name}.*"))
        assert sizes < 250_000, name


def test_the_papers_own_gas_is_called_so():
    paper = laws.Shown("paper", 300.0, (500, 1000, 1500, 2000), 256)
    assert paper.title == "L = 300 R, N = 500, 1000, 1500, 2000, 256 × 256 pixels (the paper's)"


def test_at_most_some_states_are_drawn_and_the_measure_is_that_of_all(results):
    chosen = tables.states(results["states"], ["particles", "s", "s_twin"])
    assert len(chosen) == tables.MOST_STATES
    assert chosen["s"].iloc[-1] == pytest.approx(results["states"]["s"].iloc[-1], rel=1e-5)
    assert "0.9951" in texts(laws.equal_states(chosen, (0.9951, 0.9952), SHOWN))


def test_fitted_lines_end_at_the_outermost_states(results):
    chosen = tables.entropies(results["states"], results["fits"])
    lines = chosen[(chosen["series"] == "fit") & (chosen["particles"] == 250)]
    states = results["states"].query("particles == 250")
    assert lines["log_term"].tolist() == pytest.approx(
        [states["log_term"].min(), states["log_term"].max()], rel=1e-5
    )
    np.testing.assert_allclose(lines["s"], 0.01 * lines["log_term"] + 2.5, rtol=1e-5)


def test_the_mean_over_dust_weighs_pairs():
    table = pd.DataFrame(
        {
            "epsilon": 0.01, "fraction": 0.01, "dust": [1, 2], "order": ["rising", "falling"],
            "pairs": [300, 100], "agreement": [1.0, 0.6],
        }
    )  # fmt: skip
    (mean,) = tables.stability(table).query("series == 'all'").to_dict("records")
    assert (mean["agreement"], mean["pairs"]) == (0.9, 400)


def test_empty_bins_of_difficulty_are_left_out():
    table = pd.DataFrame({"low": [0.0, 1.0], "high": [1.0, 4.0], "pairs": [0, 5], "accuracy": [np.nan, 0.7]})
    (row,) = tables.difficulty(table).to_dict("records")
    assert row["difference_k_B"] == pytest.approx(2.0)  # the middle of a bin from 1 to 4, on its log axis


def test_controls_have_a_point_for_each_seed():
    table = tables.controls(values(none=[0.9, 0.92], shuffled=[0.5]))
    figure = laws.controls(table, SHOWN)
    drawn = [len(points.get_offsets()) for points in figure.axes[0].collections]
    assert drawn == [2, 1, 1]
    assert "0.910" in texts(figure)


def test_metrics_stand_beside_the_papers_and_nothing_is_copied():
    claims = pd.DataFrame({"id": ["laws-a1", "laws-entropy-linear"], "paper_value": ["0.9951", "linear"]})
    names = ["a1_identity_r2", "affine_r2_500", "affine_r2_125", "a6_agreement_0.001"]
    spread = {"mean": 0.5, "lowest": 0.4, "highest": 0.6, "low": 0.3, "high": 0.7, "seeds": 3}
    metrics = pd.DataFrame([{"run": "none", "metric": name, **spread} for name in names])
    table = tables.metrics_table(metrics, claims)
    assert table["metric"].tolist() == ["a1_identity_r2", "affine_r2_125", "affine_r2_500"]
    assert table["paper"].tolist() == ["0.9951", "linear", "linear"]
    assert (table["mean"] == 0.5).all()


def test_the_network_is_drawn_from_its_table(tmp_path):
    numbers = tables.structure(LAYERS)
    figure = laws_drawings.network(LAYERS, SHOWN)
    save(figure, numbers, tmp_path, "network")
    said = texts(figure)
    for shape in ("5×64×64", "16×32×32", "128×2×2", "512"):
        assert shape in said
    assert "134,001" in figure.legends[0].get_title().get_text()
    assert numbers["Parameters"].sum() == 134_001


def test_pictures_are_told_of_and_drawn(tmp_path):
    pictures = {
        name: np.zeros((64, 64), np.uint8) for name in ("composed_first", "composed_second", "composed")
    }
    masked = np.full((64, 64), 100, np.uint8)
    masked[45:] = 0
    pictures |= {"masked": masked, "masked_right": masked.T}
    examples = pd.DataFrame(
        {"name": ["composed_first", "composed_second", "masked"], "process": 3, "stop": 1}
    )
    snapshots = pd.DataFrame(
        {"process": [3], "stop": [1], "particles": [125], "width": [150.0], "energy": [9.0]}
    )
    numbers = tables.example_pictures(examples, snapshots, pictures, list(pictures))
    rows = numbers.set_index("picture")
    assert rows.loc["masked", "mean_grey_top"] == 100
    assert rows.loc["masked", "mean_grey_bottom"] == 100 * 13 / 32
    assert rows.loc["masked_right", "mean_grey_left"] == 100
    figure = laws_drawings.made_states(pictures, numbers, 0.7, SHOWN)
    save(figure, numbers, tmp_path, "made")
    times = np.linspace(0, 10, 5)
    schedule = pd.DataFrame(
        {"series": "piston", "time": times, "width": 150 - times, "snapshot": [1, 0, 1, 0, 1]}
    )
    table = pd.concat([schedule, pd.DataFrame([{"series": "picture", "width": 100.0}])], ignore_index=True)
    figure = laws_drawings.gas(masked, table, SHOWN)
    save(figure, table, tmp_path, "gas")
    piston = figure.axes[0].patches[1]
    assert piston.get_x() == 100.0
    assert to_hex(piston.get_facecolor()) == "#7f7f7f"
    assert len(figure.axes[1].texts) == 3


def test_the_animation_repeats_and_keeps_its_frames(tmp_path):
    frames = np.zeros((3, 32, 32), np.uint8)
    frames[1, :16] = 255  # y = 0 is above
    frames[2, :, :16] = 128
    laws_drawings.animate(frames, tmp_path / "gas.gif")
    with Image.open(tmp_path / "gas.gif") as picture:
        assert picture.n_frames == 3
        assert picture.info["loop"] == 0
        picture.seek(1)
        shades = np.asarray(picture.convert("L"))
    assert shades[:16].min() == 255
    assert shades[16:].max() == 0
