"""Disks that fill up or turn read-only at different moments: a clear error, nothing lost, and it goes on."""

from __future__ import annotations

import hashlib
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.pipeline.checkout import ROOT, Checkout, wait_for
from tests.pipeline.server import serving
from tests.pipeline.small_disk import MIB, SmallDiskCheckout, on_small_disk, small_disk

ONE, TWO = "temperature: 298.0", "temperature: 300.0"  # of V_N: the free energy is made again
FREE_ENERGY = ("--until", "materials_free_energy", "--", "materials")
RUN = "results/materials/fe3pt-free-energy"


def results(checkout: Checkout, run: str = "results") -> dict[str, str]:
    """Every file of the results with its hash, records and what only the key makes differ aside."""
    files = [path for path in (checkout.folder / run).rglob("*") if path.is_file()]
    return {
        str(path.relative_to(checkout.folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in files
    }


def numbers(checkout: Checkout) -> dict[str, bytes]:
    """What the held step makes."""
    made = (checkout.folder / RUN).glob("[0-9a-f]*/*.*")
    return {path.name: path.read_bytes() for path in made if path.name != "record.json"}


def no_traceback(printed: str) -> bool:
    return "Traceback" not in printed and "Logging error" not in printed


def interrupted(
    checkout: SmallDiskCheckout, command: tuple[str, ...], befall: Callable[[], None]
) -> tuple[int, str]:
    """Run a command that the held step is part of; while it waits, `befall` happens."""
    driver = checkout.start(*command)
    checkout.wait_until_held()
    befall()
    checkout.release()
    printed, _ = driver.communicate(timeout=600)
    return driver.returncode, printed


def snakemake(*arguments: str) -> tuple[str, ...]:
    return ("snakemake", "--cores", "1", *arguments)


PLACES = {
    "all": (),
    "results": ("results",),
    "logs": ("logs",),
    "snakemake": (".snakemake",),
}


@pytest.mark.parametrize(
    "where", ["all", *(pytest.param(n, marks=pytest.mark.stress) for n in PLACES if n != "all")]
)
@pytest.mark.parametrize("how", ["full", pytest.param("closed", marks=pytest.mark.stress)])
def test_while_a_job_runs(ready: Checkout, where: str, how: str) -> None:
    ready.hold_free_energy()
    good = numbers(ready)
    with on_small_disk(ready, *PLACES[where]) as small:
        before = results(small)
        befall = small.disk.fill if how == "full" else small.disk.close_folders
        status, printed = interrupted(small, snakemake(*FREE_ENERGY), befall)
        assert status == 1
        said = small.disk.full if how == "full" else small.disk.closed
        assert f"found '{said}', expected " in printed
        assert "then give the command again" in printed
        assert no_traceback(printed)
        kept = results(small)
        assert all(kept.get(path) == sha for path, sha in before.items() if not path.startswith(RUN))
        assert len({Path(path).parent for path in results(small, RUN)}) == 1  # the old result, or the new one
        if how == "full":
            small.disk.make_room()
        else:
            small.disk.open_folders()
        small.run(*snakemake(*FREE_ENERGY))
        assert numbers(small) == good
        assert not [*(small.folder / RUN).glob(".*")]


def test_before_anything_runs(ready: Checkout) -> None:
    """Full, then read-only: said at once; looking at the plan needs no room."""
    ready.edit("params.yaml", ONE, TWO)
    with on_small_disk(ready) as small:
        before = results(small)
        small.disk.fill()
        printed = small.run(*snakemake(*FREE_ENERGY), fails=True)
        assert f"found '{small.disk.full}', expected room for what is written there" in printed
        assert no_traceback(printed)
        small.disk.make_room()
        small.disk.close_folders()
        printed = small.run(*snakemake(*FREE_ENERGY), fails=True)
        assert f"found '{small.disk.closed}'" in printed
        assert no_traceback(printed)
        assert "to do" in small.run("python", "-m", "zenn", "plan", "--subject", "materials")
        assert results(small) == before
        small.disk.open_folders()


def test_a_finished_result_outlives_a_log_without_room(ready: Checkout) -> None:
    """The last line of a log and Snakemake's benchmark come after the result: it stays, made for good."""
    ready.edit("params.yaml", ONE, TWO)
    ready.edit(
        "zenn/pipeline/job.py",
        "    remove_siblings(folder)\n    shutil",
        "    Path('../fill').touch()\n    while Path('../fill').exists():\n        time.sleep(0.05)\n"
        "    remove_siblings(folder)\n    shutil",
    )
    ready.jobs()
    with on_small_disk(ready, "logs") as small:
        driver = small.start(*snakemake(*FREE_ENERGY))
        flag = ready.folder.parent / "fill"
        wait_for(flag.exists)
        small.disk.fill()
        flag.unlink()
        printed, _ = driver.communicate(timeout=600)
        assert "done in" in printed  # past the log
        assert f"logs: found '{small.disk.full}'" in printed
        made = results(small, RUN)
        small.disk.make_room()
        small.jobs()
        small.run(*snakemake(*FREE_ENERGY))
        assert small.jobs() == set()
        assert results(small, RUN) == made
        assert (
            '"temperature_K": 300.0'
            in small.result("materials/fe3pt-free-energy", "reference_state.json").read_text()
        )


def test_publishing_without_room(ready: Checkout) -> None:
    published = results(ready, "reports")
    for path in ("reports/claims.csv", "reports/metrics.json"):
        (ready.folder / path).write_text("older")
    older = results(ready, "reports")
    with on_small_disk(ready, "reports") as small:
        small.disk.fill(leave=MIB)
        printed = small.run("python", "-m", "zenn", "publish", fails=True)
        assert f"error: reports: found '{small.disk.full}'" in printed
        assert no_traceback(printed)
        assert results(small, "reports") == older  # all of it, or nothing
        small.disk.make_room()
        small.run("python", "-m", "zenn", "publish")
        assert {*results(small, "reports")} == {*published}
        assert results(small, "reports/figures") == {p: s for p, s in published.items() if "figures" in p}


def test_a_verb_without_room_for_its_results(tmp_path: Path) -> None:
    """A fit whose checkpoints and results lie on a full disk; with room again it goes on."""
    table = ROOT / "data" / "inputs" / "double_well.csv"
    verb = ["python", "-m", "zenn", "landscape", "fit", str(table), "--k", "1", "--iterations", "20"]
    verb += ["--boltzmann-constant", "0.0861733", "--out", "small/fit"]
    with small_disk([tmp_path / "small"]) as disk:

        def run() -> subprocess.CompletedProcess[str]:
            command = disk.command(verb, tmp_path)
            return subprocess.run(command, capture_output=True, text=True, check=False)

        disk.fill()
        done = run()
        assert done.returncode == 1
        assert disk.full in done.stderr
        assert done.stderr.startswith("error: small/fit")
        assert no_traceback(done.stderr)
        assert not (disk.view(tmp_path / "small") / "fit").exists()
        disk.make_room()
        done = run()
        assert done.returncode == 0, done.stderr
        assert (disk.view(tmp_path / "small") / "fit" / "metadata.json").is_file()


def test_a_download_without_room_goes_on(tmp_path: Path) -> None:
    content = bytes(range(256)) * 8192
    script = (
        "import sys\nfrom pathlib import Path\nfrom zenn.errors import ZennError\n"
        "from zenn.pipeline.fetching import Entry, fetch\n"
        "try:\n    fetch(Entry('data.bin', *sys.argv[1:]), Path('small'))\n"
        "except ZennError as error:\n    sys.exit(f'error: {error}')\n"
    )
    with serving() as server, small_disk([tmp_path / "small"], 4 * MIB) as disk:
        server.files["/data.bin"] = content
        given = [f"{server.url}/data.bin", hashlib.sha256(content).hexdigest()]

        def fetch() -> subprocess.CompletedProcess[str]:
            command = disk.command(["python", "-c", script, *given], tmp_path)
            return subprocess.run(command, capture_output=True, text=True, check=False)

        disk.fill(leave=MIB)
        done = fetch()
        assert done.returncode == 1
        assert f"found {disk.full}" in done.stderr
        assert "Free some space, or name another folder in ZENN_DOWNLOADS" in done.stderr
        disk.make_room()
        assert fetch().returncode == 0
        assert (disk.view(tmp_path / "small") / "data.bin").read_bytes() == content
        assert server.asked[1][1] is not None  # what had come was kept
