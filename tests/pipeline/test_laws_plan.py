"""What is dispatched for the gas: stages apart, the paper's design, refusals before any work."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.pipeline.checkout import ROOT
from zenn.errors import InputError
from zenn.laws.processes import PAPER, SMALL, Design, Gas
from zenn.pipeline.params import load_params, resolve
from zenn.pipeline.plan import Plan, plan, plan_checkout
from zenn.pipeline.tree import Tree


@pytest.fixture(scope="module")
def small() -> Plan:
    return plan_checkout(ROOT, scale="small")


@pytest.mark.parametrize(("scale", "wanted"), [("paper", PAPER), ("small", SMALL)])
def test_the_designs_are_those_of_the_room(scale: str, wanted: tuple[Gas, Design]) -> None:
    simulation = resolve(load_params(ROOT / "params.yaml"), scale=scale).laws.simulation
    assert Gas(**simulation.gas.model_dump()) == wanted[0]
    assert Design(**simulation.design.model_dump()) == wanted[1]


def test_the_papers_processes_are_counted() -> None:
    paper = plan_checkout(ROOT, scale="paper")
    simulated = paper.by_name["laws/snapshots"].outputs
    assert sum(name.startswith("process-") for name in simulated) == 448  # Sec. III A
    twins = paper.by_name["laws/twins"]
    assert sum(name.startswith("process-") for name in twins.outputs) == 56
    assert set(twins.outputs) <= set(simulated)  # the test processes are the same ones
    assert paper.by_name["laws/pictures"].params["pixels"] == 256


def test_every_training_of_the_paper_wants_a_gpu_and_none_of_the_small_ones(small: Plan) -> None:
    paper = plan_checkout(ROOT, scale="paper")
    for of, ending in ((paper, "-gpu-train"), (small, "-train")):
        trainings = [step for step in of.of("laws") if step.module.endswith(".train")]
        assert len(trainings) >= 5
        assert all(step.run.endswith(ending) for step in trainings)
    assert not [step for step in small.of("laws") if "gpu" in step.run]


def test_controls_differ_from_the_network_in_nothing_else(small: Plan) -> None:
    network = small.by_name["laws/seed1-train"]
    for control in ("frozen", "shuffled"):
        other = small.by_name[f"laws/{control}-seed1-train"]
        assert other.params == {**network.params, "control": control}
        assert other.inputs == network.inputs
    assert (
        Counter(step.params["control"] for step in small.of("laws") if "control" in step.params)["none"] == 3
    )


def moved(change: tuple[str, ...], value: object) -> set[str]:
    """Runs of the gas whose keys move when a parameter does."""
    raw = load_params(ROOT / "params.yaml")
    before = plan(resolve(raw, scale="small"), Tree(ROOT))
    group = raw["laws"]
    for name in change[:-1]:
        group = group[name]
    group[change[-1]] = value
    after = plan(resolve(raw, scale="small"), Tree(ROOT))
    return {step.run for step in after.of("laws") if step.key not in before.by_key}


def test_a_new_network_simulates_and_draws_nothing_again() -> None:
    found = moved(("small", "training", "epochs"), 3)
    assert {"seed1-train", "seed1-axioms", "frozen-seed1-train", "summary", "figures", "claims"} <= found
    assert not {"snapshots", "twins", "pictures", "twin-pictures", "recombined", "examples"} & found


def test_a_new_axiom_trains_nothing_again() -> None:
    found = moved(("axioms", "epsilons"), [0.01])
    assert {"seed1-axioms", "summary", "figures", "claims"} <= found
    assert not any(run.endswith("-train") for run in found)


def test_pictures_of_another_size_simulate_nothing_again() -> None:
    found = moved(("small", "pictures", "pixels"), 32)
    assert {"pictures", "twin-pictures", "recombined", "seed1-train"} <= found
    assert not {"snapshots", "twins"} & found


@pytest.mark.parametrize(
    ("change", "value", "said"),
    [
        (("small", "simulation", "design", "distances"), [75, 40], r"laws\.simulation\.design\.distances"),
        (("small", "simulation", "design", "train"), 4000, r"laws\.simulation\.design\.train"),
        (("small", "simulation", "gas", "length"), 20, r"laws\.simulation\.design\.(distances|particles)"),
        (("simulation", "gas", "time_step"), 0.02, r"laws\.simulation\.gas\.time_step"),
        (("small", "training", "controls"), ["frozn"], r"laws\.small\.training\.controls"),
    ],
)
def test_what_cannot_be_simulated_is_refused_before_anything_runs(
    change: tuple[str, ...], value: object, said: str
) -> None:
    raw = load_params(ROOT / "params.yaml")
    group = raw["laws"]
    for name in change[:-1]:
        group = group[name]
    group[change[-1]] = value
    with pytest.raises(InputError, match=said):
        plan(resolve(raw, scale="small"), Tree(ROOT))


def test_light_steps_are_what_can_be_made_from_results_of_another_machine(small: Plan) -> None:
    light = {step.run for step in small.of("laws") if step.light}
    assert light == {"summary", "design", "figures", "claims"}
