"""What cannot work is refused before anything runs; what is doubtful is said."""

from __future__ import annotations

import json
from collections import namedtuple
from pathlib import Path
from typing import Any

import pytest

from tests.pipeline.checkout import Checkout
from tests.pipeline.server import serving
from zenn.errors import ZennError
from zenn.pipeline import preflight
from zenn.pipeline.costs import Cost, Costs
from zenn.pipeline.downloaded import VARIABLE
from zenn.pipeline.forecast import Forecast
from zenn.pipeline.preflight import Finding, Wanted, check, refuse
from zenn.pipeline.steps import Step

Usage = namedtuple("Usage", "total used free")
GPUS = "laws={ci: {training: {gpu: true}}}"


def fetching(url: str, name: str = "cifar-10/cifar-10-binary.tar.gz") -> Step:
    files = [{"name": name, "url": url, "sha256": "0" * 64, "md5": ""}]
    return Step("data", "some-fetch", "zenn.pipeline.fetch", {"files": files}, ("a",), "ci")


def simple(run: str = "some") -> Step:
    return Step("materials", run, "zenn.materials.steps.eos_round_trip", {}, ("a",), "ci")


def forecast(
    steps: list[Step], tmp_path: Path, *costs: Cost, sizes: dict[str, int] | None = None
) -> Forecast:
    known = Costs(costs, dict(sizes or {}))
    return Forecast(steps, {one.key: known.estimate(one, 2) for one in steps}, 2, 1, known)


def cost(memory: float = 200.0, size: float = 1e6) -> Cost:
    kind = "zenn.materials.steps.eos_round_trip"
    return Cost("materials/some", kind, 1.0, 1.0, 2.0, 2.0, memory, size, "a machine")


@pytest.fixture(autouse=True)
def _own_downloads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, str(tmp_path / "downloads"))
    monkeypatch.delenv(preflight.ALL_THE_SAME, raising=False)


def test_the_disk_has_to_hold_what_is_certain(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    steps = [simple()]
    small = forecast(steps, tmp_path, cost(size=5e9))
    for free, fatal in ((4e9, [True]), (5.2e9, [False]), (9e9, [])):
        monkeypatch.setattr(preflight.shutil, "disk_usage", lambda _, free=free: Usage(1e12, 0, free))
        found = check(tmp_path, small, Wanted(steps))
        assert [one.fatal for one in found] == fatal
        assert all(f"{tmp_path / 'results'}: found {free / 1e9:.1f} GB free" in one.text for one in found)


def test_downloads_count_until_they_are_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preflight.shutil, "disk_usage", lambda _: Usage(1e12, 0, 100e6))
    with serving() as server:
        steps = [fetching(f"{server.url}/file")]
        large = forecast(steps, tmp_path, sizes={"cifar-10/cifar-10-binary.tar.gz": 60_000_000})
        (found,) = check(tmp_path, large, Wanted(steps))  # and a copy among the results
        assert found.fatal
        assert "at least 120 MB" in found.text
        place = tmp_path / "downloads" / "cifar-10" / "cifar-10-binary.tar.gz"
        place.parent.mkdir(parents=True)
        place.touch()
        assert check(tmp_path, large, Wanted(steps)) == []


def test_the_largest_job_has_to_fit_into_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preflight, "memory_MiB", lambda: 1000.0)
    steps = [simple()]
    (found,) = check(tmp_path, forecast(steps, tmp_path, cost(memory=1500)), Wanted(steps))
    assert found.fatal
    assert found.text.startswith("materials/some: found 1000 MiB of memory here, expected 1500")
    (found,) = check(tmp_path, forecast(steps, tmp_path), Wanted(steps, memory_MiB=2000))
    assert not found.fatal
    elsewhere = Wanted(steps, memory_MiB=2000, local=False)  # a login node says nothing of the others
    assert check(tmp_path, forecast(steps, tmp_path, cost(memory=1500)), elsewhere) == []


def test_gpus_are_looked_for_only_where_they_are_wanted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def look() -> list[str]:
        looked.append(1)
        return there

    looked: list[int] = []
    monkeypatch.setattr(preflight, "devices", look)
    steps, there = [simple(f"{n}-gpu-train") for n in range(3)], ["0", "1"]
    assert check(tmp_path, forecast(steps, tmp_path), Wanted(steps)) == []
    assert check(tmp_path, forecast(steps, tmp_path), Wanted(steps, steps, 8, local=False)) == []
    assert looked == []
    wanted: list[tuple[Any, ...]] = [
        ((2, 1), []),
        ((8, 1), [(False, "--resources gpu=8: found 2 GPUs here")]),
        ((1, 1), [(False, "--resources gpu=2 uses all")]),
        ((4, 3), [(True, "a job wants 3 GPUs: found 2 here")]),
    ]
    for (gpus, of_one), expected in wanted:
        found = check(tmp_path, forecast(steps, tmp_path), Wanted(steps, steps, gpus, of_one))
        assert [(one.fatal, text) for one, (_, text) in zip(found, expected, strict=True)] == expected
        assert all(text in one.text for one, (_, text) in zip(found, expected, strict=True))
    there = []
    (found_none,) = check(tmp_path, forecast(steps, tmp_path), Wanted(steps, steps, 1, 1))
    assert found_none.fatal
    assert "3 jobs want a GPU, such as materials/0-gpu-train: found none here" in found_none.text


def test_a_server_that_answers_is_asked_once_and_one_that_does_not_is_named(tmp_path: Path) -> None:
    with serving() as server:
        answering = [fetching(f"{server.url}/{name}", name) for name in ("one", "two")]
        assert check(tmp_path, forecast(answering, tmp_path), Wanted(answering)) == []
        gone = server.url
    silent = [fetching(f"{gone}/three", "three")]
    (found,) = check(tmp_path, forecast(silent, tmp_path), Wanted(silent))
    assert found.fatal
    assert f"three, from {gone}/three: found no answer (ConnectionError: is there a network?)" in found.text
    assert VARIABLE in found.text


def test_a_refusal_names_everything_and_the_way_on(monkeypatch: pytest.MonkeyPatch) -> None:
    findings = [Finding(True, "no disk"), Finding(False, "perhaps"), Finding(True, "no network")]
    with pytest.raises(ZennError, match=r"(?s)no disk.*no network.*ZENN_UNCHECKED=1 starts all the same"):
        refuse(findings)
    assert refuse([findings[1]]) == ["perhaps"]
    monkeypatch.setenv(preflight.ALL_THE_SAME, "1")
    assert refuse(findings) == ["no disk", "perhaps", "no network"]


def test_a_run_that_cannot_work_begins_nothing(made: Checkout, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    made.jobs()
    printed = made.snakemake("--config", GPUS, "--", "laws", fails=True)
    assert "error: " in printed
    assert "want a GPU, such as laws/" in printed
    assert "nothing was started" in printed
    assert "Traceback" not in printed
    assert made.jobs() == set()
    assert "This was a dry-run" in made.run("snakemake", "--dry-run", "--config", GPUS, "--", "laws")
    keys = json.loads(made.run("python", "-m", "zenn", "plan", "--json"))
    assert (made.folder / "results/laws/summary" / keys["laws/summary"] / "record.json").is_file()
