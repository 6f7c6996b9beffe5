"""Figures of the classification, from small trainings: what is drawn, what uses test labels, and tables."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
import yaml
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.figure import Figure, SubFigure
from matplotlib.patches import Rectangle

from tests.classification._trainings import PARAMETERS, SETTINGS, data_set
from zenn.classification.data import save_data_set
from zenn.classification.steps import evaluate, train
from zenn.given import Given
from zenn.plots import classification, classification_training
from zenn.plots import classification_tables as tables
from zenn.plots.classification_tables import HEADLINE, ORACLE, Panel
from zenn.plots.style import BLUE, GREY, VERMILION, save

PLAIN = {"backbones": 1, "initial_temperatures": [1.0]}
RUNS = {
    "cross_entropy": {**PLAIN, "loss": "cross_entropy"},
    "label_smoothing": {**PLAIN, "loss": "cross_entropy", "label_smoothing": 0.1},
    "zenn1": {"initial_temperatures": [1.0]},
    "zenn2": {"initial_temperatures": [1.0, 4.0]},
    "zenn3": {"initial_temperatures": [1.0, 2.0, 8.0]},
    "recommended": {"backbones": 1, "initial_temperatures": [1.0, 4.0], "prior": "learned"},
}
CONTROLS = ["cross_entropy", "label_smoothing", "zenn1"]
SEEDS = [1, 2, 3]
CLASSES = 3  # of the data that the tests of training use


@pytest.fixture(scope="module")
def evaluated(tmp_path_factory):
    """The tables of an evaluation, as the steps write them."""
    root = tmp_path_factory.mktemp("classification")
    (root / "data").mkdir()
    save_data_set(root / "data", data_set())
    inputs = {}
    for name, settings in RUNS.items():
        inputs[name] = root / name
        inputs[name].mkdir()
        params = {**PARAMETERS, "seeds": SEEDS, "training": {**SETTINGS, **settings}}
        train.run(Given(params), {"data": root / "data"}, inputs[name], root / "checkpoints" / name)
    out = root / "evaluation"
    out.mkdir()
    judged = {"runs": [name for name in RUNS if name not in CONTROLS], "controls": CONTROLS}
    evaluate.run(Given({**judged, "ensemble_of": "cross_entropy", "permutations": 4}), inputs, out)
    return {path.stem: pd.read_csv(path) for path in out.glob("*.csv")}


def panel(name="cifar-10", data="digits", stand_in=True, models=("mlp", "vit")) -> Panel:
    return Panel(name, data, stand_in, CLASSES, {model: f"{data}_{model}" for model in models}, "ci")


def gathered(evaluated, name, *panels):
    """The same evaluation for every model and data set."""
    return tables.gathered(panels or [panel()], lambda role: evaluated[name].copy())


def legend(figure: Figure) -> list[str]:
    return [text.get_text() for one in figure.legends for text in one.get_texts()]


def title(figure: Figure | SubFigure) -> str:
    return " ".join(figure.get_suptitle().split())


def bars(axis: Axes) -> list[Rectangle]:
    return [patch for patch in axis.patches if isinstance(patch, Rectangle)]


def curves(axis: Axes) -> list:
    """The lines in data coordinates that have points."""
    lines = [line for line in axis.get_lines() if line.get_transform() == axis.transData]
    return [line for line in lines if len(line.get_xdata())]


def median_of(evaluated, run, protocol, column="error") -> float:
    rows = evaluated["metrics"]
    return float(np.median(rows[(rows["run"] == run) & (rows["protocol"] == protocol)][column]))


def test_fig_2_has_a_bar_per_protocol_and_only_those_with_test_labels_are_hatched(evaluated, tmp_path):
    two = [panel(), panel("bbc", "digits-clean", models=("bag",))]
    table = tables.error_rates(gathered(evaluated, "metrics", *two))
    figure = classification.error_rates(table, two)
    first, _, third = figure.axes
    drawn = {round(bar.get_x() + bar.get_width() / 2, 6): bar for bar in bars(first)}
    assert len(drawn) == 2 + 4 + 4  # cross-entropy, N_T = 1, and four protocols for N_T = 2 and 3 each
    hatched = [bar for bar in drawn.values() if bar.get_hatch()]
    assert sorted(bar.get_height() for bar in hatched) == pytest.approx(
        sorted(100 * median_of(evaluated, run, ORACLE) for run in ("zenn2", "zenn3"))
    )
    assert {to_hex(bar.get_edgecolor()) for bar in hatched} == {VERMILION.lower()}
    headline = [bar for bar in drawn.values() if to_hex(bar.get_facecolor()) == BLUE.lower()]
    assert [bar.get_height() for bar in sorted(headline, key=lambda bar: bar.get_x())] == pytest.approx(
        [100 * median_of(evaluated, f"zenn{n}", HEADLINE) for n in (1, 2, 3)]
    )
    (plain,) = (bar for bar in drawn.values() if to_hex(bar.get_facecolor()) == GREY.lower())
    assert plain.get_height() == pytest.approx(100 * median_of(evaluated, "cross_entropy", HEADLINE))
    points = first.collections[0].get_offsets()
    assert len(points) == len(drawn) * len(SEEDS)
    assert {round(float(x), 6) for x, _ in points} == set(drawn)  # each above its bar
    assert [text.get_text() for text in first.get_xticklabels()] == ["CE", "1", "2", "3"]
    assert first.get_ylabel() == "test error (%)"
    assert first.get_ylim()[0] == 0
    assert "as printed: uses test labels" in legend(figure)
    assert [title(row) for row in figure.subfigs] == [
        "(a) Stand-in: scikit-learn digits of several sources, not CIFAR-10; small networks; scale ci",
        "(b) Stand-in: scikit-learn digits as they are, not BBC News; small networks; scale ci",
    ]
    assert third.get_title() == "bag of words"
    assert {*table.loc[table["uses_test_labels"] == "yes", "protocol"]} == {ORACLE}
    save(figure, table, tmp_path, "figure")


def test_models_far_apart_do_not_share_an_ordinate(evaluated):
    table = tables.error_rates(gathered(evaluated, "metrics"))
    far = table["model"] == "vit"
    figure = classification.error_rates(table, [panel()])
    assert figure.axes[0].get_ylim() == figure.axes[1].get_ylim()
    lower = table.assign(error_percent=table["error_percent"].where(~far, table["error_percent"] / 10))
    figure = classification.error_rates(lower, [panel()])
    assert figure.axes[0].get_ylim()[1] == pytest.approx(10 * figure.axes[1].get_ylim()[1])


def test_published_data_are_no_stand_in():
    published = panel(data="cifar-10", stand_in=False, models=("vit_base_patch32_224",))
    assert published.title == "CIFAR-10, published models; scale ci"
    assert tables.model_name("vit_base_patch32_224") == "ViT-B/32"
    assert "stand-in" in panel("digits-clean", "digits-clean").title
    said = {"data": "digits", "stand_in": True, "classes": 3, "roles": {"mlp": "digits_mlp"}}
    assert Panel.read("cifar-10", said, "ci") == panel(models=("mlp",))


def test_errors_on_permuted_labels_stand_beside_chance(evaluated, tmp_path):
    both = [panel(models=("mlp",)), panel("digits-random", "digits-random", models=("mlp",))]
    table = tables.leaks(gathered(evaluated, "metrics", *both), {one.data: CLASSES for one in both})
    figure = classification.leaks(table, both)
    own, permuted, random_own, random_permuted = figure.axes
    assert [len(curves(axis)) for axis in figure.axes] == [4, 6, 6, 6]  # with the two lines of chance
    for axis in (permuted, random_own, random_permuted):
        *_, chance, fewest = curves(axis)
        assert [*chance.get_ydata()] == pytest.approx([100 * (1 - 1 / 3)] * 3)
        assert [*fewest.get_ydata()] == pytest.approx([100 * (1 - n / 3) for n in (1, 2, 3)])
    dashed = [line for line in curves(permuted) if line.get_linestyle() == "--"]
    assert [*dashed[0].get_ydata()] == pytest.approx(
        [100 * median_of(evaluated, f"zenn{n}", ORACLE, "permuted_labels_error") for n in (1, 2, 3)]
    )
    assert len(dashed) == 1
    assert "random" in random_own.get_title()
    assert "permuted" in permuted.get_title()
    assert own.get_ylabel() == "test error (%)"
    save(figure, table, tmp_path, "figure")
    more = tables.leaks(gathered(evaluated, "metrics", both[0]), {"digits": 2})
    assert more.loc[more["N_T"] == 3, "fewest_percent"].eq(0).all()


def test_gains_are_label_free_and_against_the_best_control(evaluated, tmp_path):
    table = tables.gains(gathered(evaluated, "paired", panel(models=("mlp",))))
    assert {*table["protocol"]} == {HEADLINE}
    assert {*table["metric"]} == {*tables.GAINS}
    assert table.groupby("metric")["control"].nunique().eq(1).all()
    assert len(table) == 3 * 3  # zenn2, zenn3, recommended; three metrics
    row = table[(table["run"] == "zenn2") & (table["metric"] == "error")].iloc[0]
    ours = evaluated["metrics"].query("run == 'zenn2' and protocol == 'marginal'")["error"].mean()
    control = evaluated["metrics"].query("run == @row.control and protocol == 'marginal'")["error"].mean()
    assert row["difference_percent_of_control"] == pytest.approx(100 * (ours / control - 1))
    assert (
        row["low_percent_of_control"] < row["difference_percent_of_control"] < row["high_percent_of_control"]
    )
    figure = classification.gains(table, [panel(models=("mlp",))])
    for axis, metric in zip(figure.axes, tables.GAINS, strict=True):
        of_metric = table[table["metric"] == metric]
        intervals = [c for c in axis.collections if len(c.get_paths()) and len(c.get_paths()[0]) == 2]
        ends = {round(float(x), 6) for c in intervals for path in c.get_paths() for x in path.vertices[:, 0]}
        assert ends == {
            round(x, 6) for name in ("low", "high") for x in of_metric[f"{name}_percent_of_control"]
        }
        low, high = axis.get_xlim()
        assert of_metric["difference_percent_of_control"].between(low, high).all()
        assert low == -high
        assert [text.get_text() for text in axis.texts] == [
            classification.SHORT[name] for name in of_metric["control"].unique()
        ]
    assert "stand-ins" in title(figure)
    save(figure, table, tmp_path, "figure")


def test_a_single_seed_has_a_difference_and_no_interval(evaluated, tmp_path):
    alone = gathered(evaluated, "paired").assign(low=math.nan, high=math.nan)
    figure = classification.gains(tables.gains(alone), [panel()])
    assert all(math.isfinite(axis.get_xlim()[1]) for axis in figure.axes)
    save(figure, tables.gains(alone), tmp_path, "figure")


def test_the_course_of_a_training_has_both_accuracies(evaluated, tmp_path):
    table = tables.courses(gathered(evaluated, "history"))
    figure = classification_training.courses(table, panel())
    loss, free, printed, *_ = figure.axes
    assert "uses test labels (%)" in printed.get_ylabel()
    assert "label-free (%)" in free.get_ylabel()
    assert len(curves(loss)) == 4 * (len(SEEDS) + 1)  # cross-entropy and N_T = 1, 2, 3, and medians
    assert legend(figure) == ["cross-entropy", "$N_T = 1$ (two encoders)", "$N_T = 2$", "$N_T = 3$"]
    history = evaluated["history"].query("run == 'cross_entropy' and epoch == 3")
    thick = curves(free)[len(SEEDS)]
    assert thick.get_ydata()[-1] == pytest.approx(100 * np.median(history["test_accuracy"]))
    assert free.get_ylim() == printed.get_ylim()
    assert "not CIFAR-10" in title(figure)
    save(figure, table, tmp_path, "figure")


def test_shares_between_edges_are_those_of_a_histogram():
    values = np.random.default_rng(1).beta(2, 5, 4001)
    row = {f"quantile_{q:03d}": np.percentile(values, q) for q in range(0, 101, 5)}
    counted = np.histogram(values, tables.BINS)[0] / len(values)
    found = tables.shares_between(row, tables.BINS)
    assert found == pytest.approx(counted, abs=0.02)
    assert found.sum() == pytest.approx(1.0)
    tied = dict.fromkeys(row, 1 / 3)
    assert tables.shares_between(tied, np.array([0.0, 0.3, 0.35, 1.0])) == pytest.approx([0, 1, 0])
    assert tables.shares_between(dict.fromkeys(row, 0.0), np.array([0.0, 0.5, 1.0])) == pytest.approx([1, 0])
    assert tables.shares_between(dict.fromkeys(row, 1.0), np.array([0.0, 0.5, 1.0])) == pytest.approx([0, 1])


@pytest.mark.parametrize(("wanted", "shown"), [(5, 3), (3, 3), (2, 2)])
def test_posteriors_without_labels_beside_those_with(evaluated, tmp_path, wanted, shown):
    table = tables.posteriors(gathered(evaluated, "posteriors"), gathered(evaluated, "temperatures"), wanted)
    assert {*table["N_T"]} == {shown}
    violins = table[table["series"] == "violin"]
    totals = violins.groupby(["model", "posterior", "temperature"])["samples_percent"].sum()
    assert len(totals) == 2 * 2 * shown
    assert totals.to_numpy() == pytest.approx(100.0)
    figure = classification_training.posteriors(table, panel())
    left, right, *_ = figure.axes
    hatched = [bar for bar in bars(right) if bar.get_hatch()]
    temperatures = evaluated["temperatures"].query("run == @run", local_dict={"run": f"zenn{shown}"})
    by = temperatures.groupby("temperature")
    column = "map_frequency_uses_test_labels"
    assert [bar.get_height() for bar in hatched] == pytest.approx([*100 * by[column].median()])
    assert len(bars(right)) == 2 * shown
    violins_with_labels = [violin for violin in left.collections if violin.get_hatch()]
    assert len(violins_with_labels) == shown
    assert all(to_hex(violin.get_edgecolor()[0]) == VERMILION.lower() for violin in violins_with_labels)
    assert [text.get_text().split("\n")[1] for text in left.get_xticklabels()] == [
        f"{value:.3g}" for value in by["final"].median()
    ]
    assert legend(figure)[:2] == ["label-free", "as printed: uses test labels"]
    save(figure, table, tmp_path, "figure")


def test_temperatures_begin_where_they_were_told_to(evaluated, tmp_path):
    table = tables.temperature_courses(
        gathered(evaluated, "temperature_history"), gathered(evaluated, "temperatures")
    )
    figure = classification_training.temperature_courses(table, panel(models=("mlp",)))
    assert [axis.get_title() for axis in figure.axes] == [
        "$N_T = 2$",
        "$N_T = 3$",
        "recommended preset",
    ]
    assert figure.axes[0].get_ylabel() == "MLP\ntemperature (1)"
    two, three, _ = figure.axes
    assert {line.get_ydata()[0] for line in curves(three)} == {1.0, 2.0, 8.0}
    assert len(curves(two)) == 2 * (len(SEEDS) + 1)
    assert {line.get_xdata()[0] for line in curves(two)} == {0}
    assert two.get_yscale() == "log"
    ends = tables.learned_temperatures(gathered(evaluated, "temperatures", panel(models=("mlp",))))
    row = ends.query("run == 'zenn2' and temperature == 2").iloc[0]
    final = evaluated["temperatures"].query("run == 'zenn2' and temperature == 2")["final"]
    assert (row["initial"], row["seeds"]) == (4.0, 3)
    assert (row["final_lowest"], row["final_highest"]) == (final.min(), final.max())
    assert row["final_median"] == pytest.approx(np.median(final))
    drawn = max(curves(two), key=lambda line: line.get_linewidth() * line.get_ydata()[-1])
    assert drawn.get_ydata()[-1] == pytest.approx(row["final_median"], rel=1e-6)
    save(figure, table, tmp_path, "figure")


@pytest.mark.parametrize("highest", [12.0, 3e3, 5e6])
def test_temperatures_far_apart_have_ticks(evaluated, highest):
    """With one at 2 and 5 in every decade, matplotlib draws none beyond three decades."""
    history, ends = gathered(evaluated, "temperature_history"), gathered(evaluated, "temperatures")
    history.loc[history.index[-1], "value"] = highest
    figure = classification_training.temperature_courses(
        tables.temperature_courses(history, ends), panel(models=("mlp",))
    )
    low, high = figure.axes[0].get_ylim()
    assert len([tick for tick in figure.axes[0].get_yticks() if low <= tick <= high]) >= 2


def test_the_table_of_all_metrics_says_each_number_once(evaluated):
    table = tables.summary(gathered(evaluated, "metrics", panel(models=("mlp",)))).set_index(
        ["run", "protocol"]
    )
    assert [*table.loc["zenn1"].index] == [HEADLINE]  # one temperature: no protocol differs
    assert {*table.loc["zenn2"].index} == {*tables.PROTOCOLS}
    assert {*table.loc["recommended"].index} == {*tables.PROTOCOLS}
    row = table.loc[("zenn2", ORACLE)]
    found = evaluated["metrics"].query("run == 'zenn2' and protocol == 'oracle'")["scaled_nll"]
    assert (row["seeds"], row["uses_test_labels"]) == (3, "yes")
    assert row["scaled_nll_median"] == pytest.approx(np.median(found))
    assert (row["scaled_nll_lowest"], row["scaled_nll_highest"]) == (found.min(), found.max())
    assert "ensemble" in table.index
    paired = tables.paired_table(gathered(evaluated, "paired", panel(models=("mlp",))))
    own = paired[paired["control"] == paired["run"]]
    assert {*own["protocol"]} == {*tables.PROTOCOLS} - {HEADLINE}
    assert {*paired["best_control"]} == {"yes", "no"}


def test_settings_are_those_that_the_paper_prints():
    with open("params.yaml", encoding="utf-8") as file:
        training = yaml.safe_load(file)["classification"]["training"]
    s3 = tables.printed_settings(training["cifar"]["zenn"])
    assert [*s3.itertuples(index=False, name=None)] == [
        ("data augmentation", "RandomHorizontalFlip & RandomCrop"),
        ("number of epochs", "50"),
        ("resolution (pixels)", "224"),
        ("batch size", "64"),
        ("initial learning rate", "0.0001"),
        ("initial learning rate of temperature", "0.001"),
        ("weight decay", "0.1"),
        ("optimizer", "AdamW"),
        ("pretrained weights", "ImageNet-21k"),
    ]
    s7 = tables.printed_settings(training["ag_news"]["zenn"])
    assert s7["value"].iloc[-1] == "LoRA (r = 8, alpha = 16, dropout = 0.1) q_proj, v_proj"
    assert tables.printed_settings(training["ag_news"]["cross_entropy"])["value"].iloc[-1] == "all parameters"


def test_parameters_are_told_by_model():
    counts = pd.DataFrame(
        [
            ("S9", "vit_base_patch32_224", "ZENN", 10, 174_925_848, 174.9),
            ("S9", "vit_base_patch32_224", "CE", 10, 87_462_922, 87.5),
            ("S10", "SmolLM2-135M", "ZENN", 5, 926_981, 0.9),
            ("S10", "SmolLM2-135M", "CE", 5, 463_490, 0.5),
        ],
        columns=["table", "model", "method", "classes", "parameters", "millions"],
    )
    (row,) = tables.parameter_scale(counts, "S9").to_dict("records")
    assert row == {
        "model": "ViT-B/32",
        "classes": 10,
        "ZENN_millions": 174.9,
        "CE_millions": 87.5,
        "ZENN_parameters": 174_925_848,
        "CE_parameters": 87_462_922,
    }


def test_tables_without_rows_give_figures_without_curves(evaluated, tmp_path):
    metrics = gathered(evaluated, "metrics")
    drawn = [
        classification.error_rates(tables.error_rates(metrics)[:0], [panel()]),
        classification.leaks(tables.leaks(metrics, {"digits": CLASSES})[:0], [panel()]),
        classification.gains(tables.gains(gathered(evaluated, "paired"))[:0], [panel()]),
        classification_training.courses(tables.courses(gathered(evaluated, "history"))[:0], panel()),
        classification_training.posteriors(
            tables.posteriors(gathered(evaluated, "posteriors"), gathered(evaluated, "temperatures"), 2)[:0],
            panel(),
        ),
        classification_training.temperature_courses(
            tables.temperature_courses(
                gathered(evaluated, "temperature_history"), gathered(evaluated, "temperatures")
            )[:0],
            panel(),
        ),
    ]
    for number, figure in enumerate(drawn):
        assert not any(curves(axis) for axis in figure.axes)
        save(figure, pd.DataFrame({"x": [1.0]}), tmp_path, f"empty-{number}")
