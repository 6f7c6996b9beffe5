"""Jobs left in Slurm by an earlier driver; a real Slurm is in tests/slurm."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.pipeline.checkout import ROOT, Checkout
from zenn.errors import ZennError
from zenn.pipeline import cluster

STEP = "materials/fe3pt-eos-round-trip"
RUN = "b42af8e7-9823-4046-9762-c766743fafab"
KEY, OTHER = "0123456789abcdef", "fedcba9876543210"
COMMENT = f"rule_classification_train_wildcards_classification_a-train_{KEY}"

# squeue shows the rows of a file, scancel removes those of the jobs it is given, the others tell how called.
PROGRAMS = {
    "squeue": 'cat "$QUEUE"',
    "scancel": 'for n in "$@"; do sed -i "/^$n|/d; /^${n}_/d" "$QUEUE"; done; echo scancel "$@" >>"$CALLS"',
    "scontrol": 'echo scontrol "$@" >>"$CALLS"; grep -q "^${2#JobId=}|" "$QUEUE"',
    "sbatch": 'echo sbatch "$@" >>"$CALLS"; echo 99',
}


@pytest.fixture
def queue(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "bin").mkdir()
    (tmp_path / "checkout" / cluster.FOLDER).mkdir(parents=True)
    for name, line in PROGRAMS.items():
        (tmp_path / "bin" / name).write_text(f"#!/bin/sh\n{line}\n")
        (tmp_path / "bin" / name).chmod(0o755)
    (tmp_path / "calls").touch()
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("QUEUE", str(tmp_path / "queue"))
    monkeypatch.setenv("CALLS", str(tmp_path / "calls"))
    monkeypatch.setattr(cluster, "_PAUSE", 0.01)
    return tmp_path / "queue"


def rows(queue: Path, *jobs: tuple[str, str, str, str]) -> Path:
    """Put jobs (number, state, name, comment) of this checkout, and foreign ones, into the queue."""
    root = queue.parent / "checkout"
    lines = [f"{'|'.join(job)}|{root}" for job in jobs]
    lines.append(f"900|RUNNING|{RUN}|{COMMENT}|{queue.parent / 'elsewhere'}")
    lines.append(f"901|RUNNING|my own|{COMMENT}|{root}")
    queue.write_text("".join(line + "\n" for line in lines))
    return root


def calls(queue: Path) -> list[str]:
    return (queue.parent / "calls").read_text().splitlines()


def test_what_is_wanted_is_kept_and_the_rest_cancelled(queue: Path) -> None:
    root = rows(
        queue,
        ("1", "RUNNING", RUN, COMMENT),
        ("2", "PENDING", f"zenn_{RUN}", COMMENT.replace(KEY, OTHER)),
        ("3_[1-4]", "PENDING", RUN, COMMENT),
        ("4", "RUNNING", RUN, "a comment of the site's"),
    )
    kept = cluster.clear(root, [KEY])
    assert {key: job.number for key, job in kept.items()} == {KEY: "1"}
    assert calls(queue) == ["scancel 2 3 4"]
    assert [job.number for job in cluster.left_jobs(root)] == ["1"]


def test_a_job_that_does_not_end_is_named(queue: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster, "_PATIENCE", 0.1)
    (queue.parent / "bin" / "scancel").write_text("#!/bin/sh\n")
    root = rows(queue, ("7", "COMPLETING", RUN, COMMENT))
    with pytest.raises(ZennError, match="Slurm jobs 7 of an earlier run do not end"):
        cluster.clear(root, [KEY])


def test_a_slurm_that_does_not_answer_stops_the_run(queue: Path) -> None:
    (queue.parent / "bin" / "squeue").write_text("#!/bin/sh\necho no connection >&2\nexit 1\n")
    with pytest.raises(ZennError, match="squeue: no connection"):
        cluster.left_jobs(queue.parent / "checkout")


def test_slurm_is_not_asked_where_it_was_not_used(queue: Path) -> None:
    root = rows(queue, ("1", "RUNNING", RUN, COMMENT))
    cluster.take_over(root, {}, "local")
    assert cluster.left_jobs(root) == []
    cluster.take_over(root, {}, "slurm")
    assert [job.number for job in cluster.left_jobs(root)] == ["1"]


def test_a_python_that_slurm_could_not_start_is_refused() -> None:
    cluster.check_python("/opt/a.b-c_d/.venv/bin/python3.12")
    with pytest.raises(ZennError, match=r"/opt/a b/bin/python: found a space.*Move the checkout"):
        cluster.check_python("/opt/a b/bin/python")


def submitted(root: Path, comment: str) -> str:
    """What a submission answers, called as the plugin calls it."""
    command = f"sbatch --parsable --job-name new-{RUN} --comment {comment} --wrap='echo \"a b\"'"
    return subprocess.run(command, shell=True, capture_output=True, text=True, check=True).stdout.strip()


def test_a_job_that_is_left_is_not_submitted_again(queue: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = rows(queue, ("1", "RUNNING", RUN, COMMENT))
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("PATH", os.environ["PATH"])  # put back at the end
    cluster.take_over(root, cluster.clear(root, [KEY]), "slurm")
    assert submitted(root, COMMENT) == "1"
    assert calls(queue) == [f"scontrol update JobId=1 JobName=new-{RUN}"]
    other = COMMENT.replace(KEY, OTHER)
    assert submitted(root, other) == "99"
    queue.write_text("")  # it has failed: Snakemake asks for it once more
    assert submitted(root, COMMENT) == "99"
    arguments = f'--parsable --job-name new-{RUN} --comment {{}} --wrap=echo "a b"'
    assert [call for call in calls(queue) if call.startswith("sbatch")] == [
        f"sbatch {arguments.format(comment)}" for comment in (other, COMMENT)
    ]


def test_a_job_that_cannot_be_taken_over_is_not_submitted_beside_itself(
    queue: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = rows(queue, ("1", "RUNNING", RUN, COMMENT))
    (queue.parent / "bin" / "scontrol").write_text("#!/bin/sh\necho refused >&2\nexit 1\n")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("PATH", os.environ["PATH"])  # put back at the end
    cluster.take_over(root, cluster.clear(root, [KEY]), "slurm")
    with pytest.raises(subprocess.CalledProcessError) as failed:
        submitted(root, COMMENT)
    assert "refused. `scancel 1` lets it begin anew" in failed.value.stderr
    assert calls(queue) == []


def test_nothing_left_leaves_submission_alone(queue: Path) -> None:
    root = rows(queue)
    before = os.environ["PATH"]
    cluster.take_over(root, cluster.clear(root, [KEY]), "slurm")
    assert os.environ["PATH"] == before


def test_what_has_made_its_result_may_end(queue: Path) -> None:
    root = rows(queue, ("1", "RUNNING", RUN, COMMENT))
    asked = queue.parent / "asked"
    (queue.parent / "bin" / "squeue").write_text(
        f'#!/bin/sh\n[ -e {asked} ] && sed -i "/^1|/d" "$QUEUE"\ntouch {asked}\ncat "$QUEUE"\n'
    )
    assert cluster.clear(root, [], [KEY]) == {}
    assert calls(queue) == []


def test_a_run_without_slurm_is_refused_beside_jobs_that_are_left(queue: Path, tmp_path: Path) -> None:
    checkout = Checkout.copy_of_repository(tmp_path / "zenn")
    key = json.loads(checkout.run(sys.executable, "-m", "zenn", "plan", "--json"))[STEP]
    subject, run = STEP.split("/")
    comment = f"rule_materials_eos_round_trip_wildcards_{subject}_{run}_{key}"
    queue.write_text(f"5|RUNNING|{RUN}|{comment}|{checkout.folder}\n")
    (checkout.folder / cluster.FOLDER).mkdir(parents=True)
    target = f"results/{STEP}/{key}/record.json"
    assert "This was a dry-run" in checkout.snakemake("--dry-run", "--", target)
    printed = checkout.snakemake("--", target, fails=True)
    assert "error: Slurm jobs of an earlier run are at work in this checkout: 5. Go on with" in printed
    assert not checkout.jobs()
    queue.write_text("")
    checkout.snakemake("--", target)
    assert checkout.jobs() == {STEP}
