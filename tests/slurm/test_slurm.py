"""The pipeline on a real Slurm with fake GPUs, which `tests/slurm/one_node.sh` starts: `make test-slurm`."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.pipeline.checkout import Checkout, wait_for
from tests.slurm.queue import Job, devices, fields, in_state, jobs, slurm
from zenn.pipeline import cluster

MISSING = os.environ.get("ZENN_NO_SLURM", "")
REQUIRED = os.environ.get("ZENN_REQUIRE_SLURM") == "1"
pytestmark = [
    pytest.mark.slurm,
    pytest.mark.skipif(bool(MISSING) and not REQUIRED, reason=f"no Slurm: {MISSING}"),
]

SCRIPT = Path(__file__).with_name("one_node.sh")
GPUS = 4  # of one_node.sh
TARGET = "classification/topics5-bag-evaluation"  # reads six trainings, each of two seeds
LOOP = "    for number, seed in enumerate(seeds, 1):\n"
# Between its two seeds a training fails, if it is the first to come, and waits for a sign.
BETWEEN = """\
        import os, time
        if number == 2:
            try:
                Path("fail").unlink()
            except FileNotFoundError:
                pass
            else:
                raise OSError("the first to come fails")
        while number == 2 and Path("hold").exists() and not Path("go", os.environ["SLURM_JOB_ID"]).exists():
            Path("held", os.environ["SLURM_JOB_ID"]).touch()
            time.sleep(0.2)
"""


class Run:
    """A checkout, and a driver of it."""

    def __init__(self, checkout: Checkout) -> None:
        self.checkout = checkout
        self.folder = checkout.folder
        keys = json.loads(checkout.run(sys.executable, "-m", "zenn", "plan", "--json"))
        self.target = f"results/{TARGET}/{keys[TARGET]}/record.json"
        self.driver: subprocess.Popen[str] | None = None

    def start(self) -> subprocess.Popen[str]:
        """The documented command; quicker to ask and to believe, and with a GPU for the small trainings."""
        with (self.folder / "driver.log").open("a") as log:
            self.driver = subprocess.Popen(
                [
                    *("snakemake", "--workflow-profile", "profiles/slurm"),
                    *("--slurm-init-seconds-before-status-checks", "1"),
                    *("--seconds-between-status-checks", "1", "--latency-wait", "10"),
                    *("--default-resources", "runtime=10", "mem_mb=500"),
                    *("--set-resources", "classification_train:gpu=1", "classification_train:mem_mb=500"),
                    *("--", self.target),
                ],
                cwd=self.folder,
                env=self.checkout.environment,
                stdout=log,
                stderr=subprocess.STDOUT,
                text=True,
            )
        return self.driver

    @property
    def printed(self) -> str:
        return self.checkout.text("driver.log")

    def log(self, run: str) -> str:
        (path,) = (self.folder / "logs" / "classification" / run).glob("*.log")
        return path.read_text()

    def wait(self, condition: Callable[[], object], seconds: float = 120.0) -> None:
        """As `wait_for`, but a driver that ends is not waited for."""

        def now() -> bool:
            assert self.driver is not None
            assert self.driver.poll() is None, self.printed
            return bool(condition())

        wait_for(now, seconds)

    def held(self) -> list[Job]:
        """Trainings that run, and wait between their seeds."""
        return [job for job in in_state("RUNNING") if (self.folder / "held" / job.number).exists()]


def waits_after_preemption(job: Job) -> bool:
    found = fields(job.number)
    return found["Restarts"] == "1" and found["JobState"] == "PENDING" and found["Reason"] == "BeginTime"


@pytest.fixture(autouse=True)
def _real_slurm() -> None:
    if MISSING:
        pytest.fail(f"ZENN_REQUIRE_SLURM=1, and no Slurm: {MISSING}")


@pytest.fixture
def run(tmp_path: Path) -> Run:
    checkout = Checkout.copy_of_repository(tmp_path / "zenn")
    checkout.edit("zenn/classification/steps/train.py", LOOP, LOOP + BETWEEN)
    for name in ("hold", "go", "held"):
        (tmp_path / "zenn" / name).mkdir()
    (tmp_path / "zenn" / "fail").touch()
    return Run(checkout)


def test_the_pipeline_on_slurm(run: Run) -> None:
    driver = run.start()

    # A failed job is given to Slurm once more.
    run.wait(lambda: in_state("FAILED"))
    (failed,) = in_state("FAILED")
    run.wait(lambda: [job.run for job in jobs()].count(failed.run) == 2)

    # Every job has a device of its own: as Slurm says, and as the job sees it.
    run.wait(lambda: len(run.held()) == GPUS)
    held = run.held()
    assert sorted(devices(job.number) for job in held) == ["0", "1", "2", "3"]
    for job in held:
        assert f"GPU {devices(job.number)}, assigned by the scheduler" in run.log(job.run)

    # One is preempted: Slurm puts it back into the queue, and it goes on from its checkpoint.
    slurm("sbatch", "--partition=urgent", "--gpus=1", "--output=/dev/null", "--wrap=sleep 3")
    run.wait(lambda: [job for job in held if waits_after_preemption(job)])
    (preempted,) = (job for job in held if waits_after_preemption(job))
    (run.folder / "held" / preempted.number).unlink()
    slurm("scontrol", "update", f"JobId={preempted.number}", "StartTime=now")  # not two minutes later
    staying = [job for job in held if job != preempted]
    for job in staying[:2]:  # they make room for it, and for the other one that waits
        (run.folder / "go" / job.number).touch()
    run.wait(lambda: preempted.number in [job.number for job in run.held()])
    assert "seed 1: trained before" in run.log(preempted.run)

    # The driver is killed; what runs goes on. One training ends while there is none.
    run.wait(lambda: len(run.held()) == GPUS)
    before = jobs()
    os.kill(driver.pid, signal.SIGKILL)
    driver.wait()
    alone = next(job for job in run.held() if job != preempted)
    (run.folder / "go" / alone.number).touch()
    wait_for(lambda: alone.number in [job.number for job in in_state("COMPLETED")])
    wait_for(lambda: len(run.held()) == len(in_state("RUNNING", "PENDING", "CONFIGURING", "COMPLETING")))

    # Another one takes over what is there, and submits nothing twice.
    left = in_state("RUNNING", "PENDING")
    assert left
    old = left[0].name
    again = run.start()

    def taken_over() -> bool:
        assert [job.number for job in jobs()] == [job.number for job in before], run.printed
        return not [job for job in in_state("RUNNING", "PENDING") if job.name == old]

    run.wait(taken_over)
    (run.folder / "hold").rmdir()
    again.wait(timeout=180)
    assert again.returncode == 0, run.printed
    assert (run.folder / run.target).is_file()
    ended = jobs()
    assert {job.number for job in ended if job.state != "COMPLETED"} == {failed.number}
    submitted = Counter(job.run for job in ended)
    assert submitted.pop(failed.run) == 2
    assert len(submitted) == 7  # the data, five other trainings, the evaluation
    assert set(submitted.values()) == {1}


def test_jobs_that_nobody_wants_are_cancelled(tmp_path: Path) -> None:
    (tmp_path / cluster.FOLDER).mkdir(parents=True)
    name = "0a0a0a0a-0000-4000-8000-00000000000"
    keys = {number: f"{number}" * 16 for number in "123"}
    for number, key in keys.items():
        slurm(
            *("sbatch", f"--job-name={name}{number}", f"--comment=rule_a_wildcards_b_c_{key}"),
            *(f"--chdir={tmp_path}", "--output=/dev/null", "--wrap=sleep 300"),
        )
    own = slurm(
        "sbatch", "--parsable", f"--chdir={tmp_path}", "--output=/dev/null", "--wrap=sleep 300"
    ).strip()
    kept = cluster.clear(tmp_path, [keys["2"]])
    assert list(kept) == [keys["2"]]
    assert [job.number for job in cluster.left_jobs(tmp_path)] == [kept[keys["2"]].number]
    assert fields(own)["JobState"] in {"PENDING", "RUNNING"}  # a user's own, in the same folder
    assert cluster.clear(tmp_path, []) == {}
    slurm("scancel", own)


def controllers() -> int:
    """Controllers of Slurm that run here, and in namespaces below."""
    names = (path.read_text() for path in Path("/proc").glob("[0-9]*/comm"))
    return sum(name == "slurmctld\n" for name in names)


@pytest.mark.parametrize("ended_by", [signal.SIGKILL, signal.SIGTERM])
def test_the_script_leaves_nothing_when_it_is_killed(ended_by: signal.Signals, tmp_path: Path) -> None:
    before = controllers()
    script = subprocess.Popen([str(SCRIPT), "sh", "-c", f"touch {tmp_path}/up; exec sleep 600"])
    wait_for((tmp_path / "up").exists, 60)
    assert controllers() == before + 1
    script.send_signal(ended_by)
    script.wait()
    wait_for(lambda: controllers() == before, 10)
