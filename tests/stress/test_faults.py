"""Power goes at a write: the same command given again ends at the same results, byte for byte."""

from __future__ import annotations

import re
import shutil
import time
from collections.abc import Iterable, Sequence
from itertools import cycle
from pathlib import Path

import pytest
import yaml

from tests.stress.attacked import PAGE_SHOWN, PUBLISH, Attacked, Fault, Site, differing, hashes

LEAST = 100  # distinct sites
PER_RULE = 1  # writes apart from the appearance of the result
OF_DRIVER = 6  # which makes no result, and much else
TOGETHER = 12  # attacked in one run: each is a process that stands still and keeps its memory
RESULT = re.compile(r"results/[^/]+/[^/]+/KEY")

# What CI attacks: first, in one run, what does not wait for each other.
EPOCH = 3  # at whose end the training stops before it is kept
STATE = "checkpoints/laws/seed1-train/KEY/state.safetensors"
TRAINING = Fault("laws/seed1-train", STATE, "rename", "before", EPOCH)
AT_ONCE = [
    TRAINING,
    Fault("landscape/benchmark-zenn-fit", "results/landscape/benchmark-zenn-fit/KEY", "rename", "half"),
    Fault("materials/claims", "logs/materials/claims/KEY.run.json", "rename", "torn"),
    Fault("laws/design", "results/laws/design/KEY", "rename", "nothing"),
    Fault("data/topics4", "results/data/topics4/.KEY-*", "rmdir"),
    Fault("kernel of materials/figures", "results/materials/figures/.KEY-*/zenn-fig-1.csv", "open"),
]
DRIVER = [
    Fault("driver", ".snakemake/zenn-orders", "rename"),
    Fault("driver", ".snakemake/zenn-intact.json", "rename", "half"),
]
PAGE = Fault("report/page", "results/report/page/.KEY-*/.record.json-*.json", "open")
FIGURES = Fault("publish", "reports/figures", "rename")

REMEMBERED = ".snakemake/zenn-code.json"
ZENN = ("python", "-m", "zenn")
THERE = ("--into", "there", "--keep", "kept", "--only", "laws/design")  # cheap, and needs no other
COMMANDS = {  # and the folders that they write to
    "publish": (PUBLISH, ("reports",)),
    "elsewhere": (("python", "-m", "zenn.pipeline.elsewhere", "orders.json", *THERE), ("there", "kept")),
    "adopt": ((*ZENN, "adopt", "kept"), ("data/recorded",)),
}


def test_ten_faults(attacked: Attacked) -> None:
    reports = hashes(attacked.folder / "reports")
    for faults in ([AT_ONCE], [[fault] for fault in DRIVER], [[PAGE]]):
        for together in faults:
            attacked.remove(together)
            attacked.strike(together)
            attacked.refuse_false_appearance()
    epochs = yaml.safe_load(attacked.text("params.yaml"))["laws"]["ci"]["training"]["epochs"]
    assert attacked.passed(TRAINING) == epochs - (EPOCH - 1)  # those that were kept are not trained again
    attacked.recover()
    attacked.strike([FIGURES], PUBLISH)
    attacked.again(PUBLISH)
    assert differing(hashes(attacked.folder / "reports"), reports) == []
    assert attacked.leftovers() == []


@pytest.mark.stress
def test_faults_at_every_rule(attacked: Attacked) -> None:
    one_of_each = {step.module + step.name.partition("/")[0]: step.name for step in attacked.in_order()}
    attacked.remove_steps(one_of_each.values())
    (attacked.folder / PAGE_SHOWN).unlink()
    attacked.recover()
    # A step that comes to have workers (of a data loader, say) belongs into test_kills.
    assert attacked.started() <= {"git", "nvidia-smi", "pandoc", "ipykernel_launcher"}
    sites = attacked.sites()
    faults = chosen(sites)
    struck = {(fault.process, fault.file, fault.operation) for fault in faults}
    told = {site.told for site in sites if (site.process, site.file, site.operation) in struck}
    for rule, file, operation in sorted(told):
        print(f"{rule:42} {operation:8} {file}")
    assert len(told) >= LEAST
    rounds = 0
    for together in in_rounds(faults, attacked):
        began = time.monotonic()
        attacked.remove(together)
        attacked.strike(together)
        attacked.refuse_false_appearance()
        rounds += 1
        print(f"run {rounds}: {len(together)} faults, {time.monotonic() - began:.0f} s", flush=True)
    attacked.recover()
    print(f"{len(faults)} faults at {len(told)} sites in {rounds} runs, all recovered")


@pytest.mark.stress
@pytest.mark.parametrize("name", COMMANDS)
def test_faults_in_other_commands(attacked: Attacked, name: str, tmp_path: Path) -> None:
    """What writes outside the rules: publishing, a machine without the pipeline, taking in what it made."""
    attacked.run(*ZENN, "plan", "--scale", "small", "--subject", "laws", "--orders", "orders.json")
    if name == "adopt":
        attacked.run(*COMMANDS["elsewhere"][0])
    command, places = COMMANDS[name]
    before = tmp_path / "before"
    for place in places:
        (attacked.folder / place).mkdir(exist_ok=True)
        shutil.copytree(attacked.folder / place, before / place)
    attacked.again(command)
    whole = without_times({place: hashes(attacked.folder / place) for place in places})
    sites = [*{site.told: site for site in attacked.sites()}.values()]
    for site, effect in zip(spread(sites, 12), cycle(("half", "before", "nothing", "torn")), strict=False):
        for place in places:
            shutil.rmtree(attacked.folder / place)
            shutil.copytree(before / place, attacked.folder / place)
        (attacked.folder / REMEMBERED).unlink(missing_ok=True)  # else it is not written again
        attacked.strike([site.fault(effect if site.operation == "rename" else "before")], command)
        attacked.again(command)
        assert without_times({place: hashes(attacked.folder / place) for place in places}) == whole, site
        assert attacked.half_made() == []


def without_times(found: dict[str, dict[str, str]]) -> dict[str, str]:
    """Facts of runs are to be there; what they say of time differs."""
    files = {f"{place}/{name}": sha for place, hashed in found.items() for name, sha in hashed.items()}
    return {name: "" if name.endswith("run.json") else sha for name, sha in files.items()}


def chosen(sites: Iterable[Site]) -> list[Fault]:
    """Of every rule the appearance of its result, a state of its work, some of its writes, a removal."""
    of_rule: dict[str, dict[tuple[str, str, str], Site]] = {}
    for site in sites:
        of_rule.setdefault(site.rule, {}).setdefault(site.told, site)
    effects = cycle(("half", "before", "nothing", "torn"))
    faults: list[Fault] = []
    for rule, distinct in of_rule.items():
        renames = [site for site in distinct.values() if site.operation == "rename"]
        removals = [site for site in distinct.values() if site.operation in ("remove", "rmdir")]
        appears = [site for site in renames if RESULT.fullmatch(site.file)]
        states = [site for site in renames if site.file.startswith("checkpoints/")]
        writes = [site for site in distinct.values() if site not in (*removals, *appears, *states)]
        number = OF_DRIVER if rule == "driver" else PER_RULE
        for site in (*appears, *spread(writes, number), *spread(removals, 1)):
            faults.append(site.fault(next(effects) if site.operation == "rename" else "before"))
        faults += [site.fault("half") for site in states[:1]]
    return faults


def spread(sites: Sequence[Site], number: int) -> list[Site]:
    """At most so many, evenly."""
    return [*sites[len(sites) // number // 2 :: max(1, len(sites) // number)]][:number]


def in_rounds(faults: Sequence[Fault], attacked: Attacked) -> Iterable[list[Fault]]:
    """Faults that can be made in one run: in different steps, none of which waits for another."""
    left = [*faults]
    while left:
        together: list[Fault] = []
        for fault in left:
            if len(together) < TOGETHER and all(attacked.independent(fault, other) for other in together):
                together.append(fault)
        left = [fault for fault in left if fault not in together]
        yield together
