"""What a plan will take: work by parameters, costs in proportion, and time by inputs, cores and GPUs."""

from __future__ import annotations

import csv
import json
import random
from collections.abc import Sequence
from pathlib import Path

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.costs import rows, write
from benchmarks.overhead import last_run
from tests.pipeline.checkout import ROOT, Checkout
from zenn.classification.encoders import Shape, build_encoder
from zenn.errors import InputError
from zenn.given import Given
from zenn.pipeline import costs, forecast, preflight
from zenn.pipeline.costs import ASSUMED, MEASURED, SCALED, SUSTAINED, UNKNOWN, Cost, Costs, Estimate
from zenn.pipeline.forecast import Forecast, schedule
from zenn.pipeline.plan import Plan, plan_checkout
from zenn.pipeline.steps import Step
from zenn.pipeline.work import MODELS, Work, wants_gpu, work_of


def step(run: str, inputs: Sequence[Step] = (), module: str = "zenn.materials.steps.uncertainty") -> Step:
    params = {"uncertainty": {"samples": 100}}
    return Step("subject", run, module, params, ("a.csv",), "ci", {one.run: one for one in inputs})


def cost(amount: float, cpu_s: float, kind: str = "zenn.materials.steps.uncertainty") -> Cost:
    return Cost("subject/other", kind, amount, amount, cpu_s, 2 * cpu_s, 300.0, 1000.0, "a machine")


@pytest.fixture(scope="module")
def paper() -> Plan:
    return plan_checkout(ROOT, scale="paper")


@pytest.mark.parametrize("name", ["vit_base_patch32_224", "vit_large_patch16_224"])
def test_operations_are_those_that_torch_counts(name: str) -> None:
    settings = {"kind": "vit", "model": name, "weights": "random", "drop_path": 0.0, "dropout": 0.0}
    with torch.device("meta"):
        encoder = build_encoder(Given(settings, "test"), Shape("images", 10, 32, 32, 3))
        with FlopCounterMode(display=False) as counter:
            encoder({"pixels": torch.empty(1, 3, 32, 32)})
    assert MODELS[name].operations(0) == pytest.approx(counter.get_total_flops(), rel=0.05)


@pytest.mark.parametrize("name", ["SmolLM2-135M", "SmolLM2-360M"])
def test_language_models_are_of_the_size_that_is_multiplied(name: str) -> None:
    settings = {"kind": "language", "model": name, "weights": "random", "fine_tune": {"method": "all"}}
    shape = Shape("texts", 10, vocabulary=49152, maximum_length=64)
    with torch.device("meta"):  # which cannot run one: its mask is looked at
        encoder = build_encoder(Given(settings, "test"), shape)
    layers = [one for one in encoder.modules() if isinstance(one, torch.nn.Linear) and one.out_features > 10]
    layers = [one for one in layers if one.out_features < 49152]
    model = MODELS[name]
    assert model.parameters == pytest.approx(sum(one.weight.numel() for one in layers), rel=0.01)
    widest = max(one.in_features for one in layers)  # the last layer of each block
    assert model.depth * model.width == sum(one.out_features for one in layers if one.in_features == widest)


def test_a_training_of_twice_the_epochs_is_twice_the_work(paper: Plan) -> None:
    some = [one for one in paper.steps if one.module == "zenn.classification.steps.train"]
    for one in (some[0], some[-1]):
        longer = {**one.params, "training": {**one.params["training"]}}
        longer["training"]["epochs"] *= 2
        twice = Step(one.subject, one.run, one.module, longer, one.outputs, one.scale, one.inputs)
        assert work_of(twice).amount == pytest.approx(2 * work_of(one).amount)
        assert work_of(twice).kind == work_of(one).kind


def test_every_step_has_work_and_gpus_are_those_of_the_rules(paper: Plan) -> None:
    for one in paper.steps:
        work = work_of(one)
        assert work.amount > 0
        assert work.size > 0
        assert bool(work.gpus) == wants_gpu(one)
    rules = "".join(path.read_text() for path in (ROOT / "workflow" / "rules").glob("*.smk"))
    ends = {run for run in ("gpu-train", "gpu-axioms") if f'run=".+-{run}"' in rules}
    assert rules.count("gpu=1") == 3
    assert {one.run.rpartition("gpu-")[2] for one in paper.steps if wants_gpu(one)} == {
        run.removeprefix("gpu-") for run in ends
    }


def test_costs_are_those_of_the_nearest_amount_in_proportion() -> None:
    known = Costs([cost(10, 3.0), cost(90, 11.5), cost(5000, 900.0)])
    found = known.estimate(step("one"))  # 100 samples
    assert found.source == MEASURED
    assert found.cpu_s == pytest.approx(costs.START + (11.5 - costs.START) * 100 / 90)
    assert found.bytes == pytest.approx(1000 * 100 / 90)
    assert found.peak_memory_MiB == 300.0
    far = Costs([cost(10, 11.5)]).estimate(step("one"))
    assert far.source == SCALED
    assert far.seconds == pytest.approx(costs.START + 10 * (11.5 - costs.START))
    assert Costs([]).estimate(step("one")).source == UNKNOWN
    assert Costs([]).estimate(step("one")).seconds is None


def test_what_nobody_measured_is_assumed_or_unknown_and_says_so(paper: Plan) -> None:
    found = Forecast.of(ROOT, [one for one in paper.steps if wants_gpu(one)], 8, 8)
    assert {one.subject for one in found.with_source(ASSUMED)} == {"classification"}
    assert {one.subject for one in found.with_source(UNKNOWN)} == {"laws"}
    told = "\n".join(found.remarks())
    assert "assuming that a GPU sustains 100 TFLOP/s" in told
    assert "not measured, and in no sum: laws/seed1-gpu-train" in told
    operations = [work_of(one).operations or 0.0 for one in found.steps]
    assert found.total("gpu_s") == pytest.approx(sum(operations) / SUSTAINED)
    assert found.seconds == pytest.approx(sum(operations) / SUSTAINED / 8, rel=0.1)
    name, *numbers = found.rows()[-1]
    assert (name, numbers[0]) == ("all", str(len(found.steps)))
    assert "at least" in numbers[-1]


def test_time_by_inputs_cores_and_gpus() -> None:
    first = step("first")
    second, third = step("second", [first]), step("third-gpu-train")
    fourth, wide = step("fourth-gpu-train"), step("wide")
    of = {
        one.key: Estimate(10.0, MEASURED, Work("", gpus=int(wants_gpu(one))))
        for one in (first, second, third)
    }
    of[fourth.key] = Estimate(7.0, MEASURED, Work("", gpus=1))
    of[wide.key] = Estimate(5.0, MEASURED, Work("", threads=16))
    assert schedule([first, second], of, 8, 0) == {first.key: 10, second.key: 20}
    assert schedule([second], of, 8, 0) == {second.key: 10}  # what it reads is made
    assert schedule([third, fourth], of, 8, 1) == {third.key: 10, fourth.key: 17}
    assert schedule([third, fourth], of, 8, 2) == {third.key: 10, fourth.key: 7}
    assert schedule([first, wide], of, 4, 0) == {first.key: 10, wide.key: 15}
    assert schedule([first, wide], of, 4, 0, {wide.key: 3.0}) == {wide.key: 2, first.key: 12}
    assert schedule([first], of, 4, 0, {first.key: 50.0}) == {first.key: 1}  # late: a tenth more


def test_time_is_within_the_bounds_of_list_scheduling() -> None:
    random.seed(3)
    for cores in (1, 2, 5):
        steps: list[Step] = []
        for number in range(60):
            steps.append(step(str(number), random.sample(steps, min(len(steps), random.choice((0, 1, 3))))))
        of = {one.key: Estimate(random.uniform(1, 9), MEASURED, Work("")) for one in steps}
        ends = schedule(steps, of, cores, 0)
        path: dict[str, float] = {}
        for one in steps:
            before = max((path[source.key] for source in one.inputs.values()), default=0.0)
            path[one.key] = before + (of[one.key].seconds or 0.0)
            began = ends[one.key] - (of[one.key].seconds or 0.0)
            assert all(ends[source.key] <= began + 1e-9 for source in one.inputs.values())
        work, longest = sum(one.seconds or 0.0 for one in of.values()), max(path.values())
        assert max(work / cores, longest) - 1e-9 <= max(ends.values()) <= work / cores + longest  # Graham


def test_the_recorded_table_is_what_the_logs_say(tmp_path: Path) -> None:
    facts = {
        "work": {"kind": "zenn.materials.steps.uncertainty", "amount": 100.0, "size": 100.0},
        **{"cpu_time_s": 20.0, "own_cpu_time_s": 15.0, "loading_cpu_time_s": 3.0},
        **{"wall_time_s": 25.0, "peak_memory_MiB": 301.4, "result_bytes": 4096},
        **{"hardware": "a, b", "commit": "abc", "started_unix_s": 2000.0},
    }
    logs = tmp_path / "logs"
    for name, more in (("one", {}), ("before", {"started_unix_s": 1.0})):
        (logs / "subject" / name).mkdir(parents=True)
        (logs / "subject" / name / "0123.run.json").write_text(json.dumps({**facts, **more}))
    (logs / "subject" / "one" / "cut.run.json").write_text("{")
    assert [one.cpu_s for one in costs.read_runs(tmp_path)] == [20.0, 20.0]
    (logs / "subject" / "one" / "cut.run.json").unlink()
    write(rows(tmp_path), tmp_path / "costs.csv")
    found = costs.read_table(tmp_path / "costs.csv")
    assert [(one.step, one.cpu_s, one.bytes, one.hardware) for one in found] == [
        ("subject/before", 20.0, 4096.0, "a, b"),
        ("subject/one", 20.0, 4096.0, "a, b"),
    ]
    driver = {"started_unix_s": 1500.0, "cpu_time_s": 4.0, "jobs_cpu_time_s": 21.0, "wall_time_s": 30.0}
    (logs / "driver.json").write_text(json.dumps({**driver, "scale": "ci", "cores": 2, "hardware": "a"}))
    run = last_run(tmp_path)
    assert run is not None
    assert (run["jobs"], run["cpu_s"]) == (1, 25.0)
    assert (run["overhead_share"], run["share_with_loading"]) == pytest.approx((0.28, 0.4))


def test_a_table_that_is_none_is_refused(tmp_path: Path) -> None:
    assert costs.read_table(tmp_path / "none.csv") == []
    (tmp_path / "other.csv").write_text("a,b\n")
    with pytest.raises(InputError, match="line 1"):
        costs.read_table(tmp_path / "other.csv")
    write([], tmp_path / "costs.csv")
    with (tmp_path / "costs.csv").open("a") as file:
        csv.writer(file).writerow(["subject/one", "kind", "many", *["1"] * (len(costs.COLUMNS) - 3)])
    with pytest.raises(InputError, match="many"):
        costs.read_table(tmp_path / "costs.csv")


def test_the_committed_table_can_be_read() -> None:
    known = costs.read_table(ROOT / costs.TABLE)
    assert {one.kind for one in known} <= {
        work_of(one).kind for one in plan_checkout(ROOT, scale="small").steps
    }


def test_plan_shows_what_is_to_do_and_what_it_takes(made: Checkout) -> None:
    printed = made.run("python", "-m", "zenn", "plan")
    assert "everything is made" in printed
    printed = made.run("python", "-m", "zenn", "plan", "--scale", "small", "--cores", "3")
    assert "time on 3 cores" in printed
    (row,) = [line.split("│") for line in printed.splitlines() if line.startswith("│ all ")]
    steps = plan_checkout(ROOT, scale="small").steps
    made_there = printed.count("│ made")
    assert int(row[2]) == len(steps) - made_there


def test_spoken() -> None:
    assert forecast.spoken_seconds(59.6) == "60 s"
    assert preflight.memory_MiB() > 100
