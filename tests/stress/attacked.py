"""A checkout whose processes stop at chosen writes, and what must be true of its files then and later."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tests.pipeline.checkout import Checkout, wait_for
from zenn.pipeline.intact import damage_of
from zenn.pipeline.steps import RECORD

INJECT = Path(__file__).parent / "inject"
HALF_MADE = re.compile(r"\.[^/]+-[a-z0-9_]{8}(\.\w+)?")
ALL = ("snakemake", "--cores", "64", "--resources", "kernels=16", "--", "all")
PAGE_SHOWN = "results/report/index.html"
PUBLISH = ("python", "-m", "zenn", "publish")
FACTS = re.compile(
    rb'<tr><th scope="row"><code>[^<]+</code></th><td><code>[0-9a-f]{16}</code></td>.*\n'
    rb"|<dt>Run time of all steps</dt>.*\n"
)
STEP = re.compile(r"^(results/|logs/|checkpoints/)[^/]+/[^/]+(?=/|$)")
LONGEST = 1200.0  # seconds until all faults of a run have happened
CHEAP = "laws/design"  # a step that takes no time
OLDER = "0123456789abcdef"  # key of an older result, and of an older checkpoint, of the same step


@dataclass(frozen=True)
class Site:
    """An operation on a file: `process` is the step or command, `rule` its kind."""

    rule: str
    file: str
    operation: str
    process: str

    @property
    def told(self) -> tuple[str, str, str]:
        """What makes two sites distinct: names of steps do not."""
        return self.rule, STEP.sub(r"\1STEP", self.file), self.operation

    def fault(self, effect: str) -> Fault:
        """A fault here."""
        return Fault(self.process, self.file, self.operation, effect)


@dataclass(frozen=True)
class Step:
    """What a job is told: `above` are the keys of the steps that it reads."""

    name: str
    key: str
    module: str
    folder: str
    files: tuple[str, ...]
    above: tuple[str, ...]

    @classmethod
    def of(cls, order: dict[str, Any]) -> Step:
        """A step by its order."""
        spec = order["spec"]
        files, above = (*spec["outputs"], RECORD), (*spec["inputs"].values(),)
        return cls(spec["step"], order["key"], spec["module"], order["folder"], files, above)


@dataclass(frozen=True)
class Fault:
    """A process stops at a site; `effect` is what is done to the file first, see `inject`."""

    process: str
    file: str
    operation: str
    effect: str = "before"
    occurrence: int = 1

    @property
    def step(self) -> str:
        """The step that has to run for this to happen; any where the driver has to have work."""
        if self.process != "driver":
            return self.process.removeprefix("kernel of ")
        found = re.match(r"(?:results|logs)/([^/]+/[^/]+)", self.file)
        return found[1] if found else CHEAP


class Attacked(Checkout):
    """A checkout with `reference`: path -> hash of every result file of an undisturbed run.

    Its page is made again first: it shows the commit it was made at, and `made_once` has committed since.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__(folder.resolve())
        self.control = self.folder.parent / "faults"
        self.control.mkdir(exist_ok=True)
        for page in (self.folder / "results/report/page").iterdir():
            shutil.rmtree(page)
        self.again(ALL)
        self.reference = hashes(self.folder / "results")
        orders = (self.folder / ".snakemake" / "zenn-orders").iterdir()  # every planned step
        self.steps = {step.name: step for step in (Step.of(json.loads(path.read_text())) for path in orders)}

    @property
    def environment(self) -> dict[str, str]:
        known = super().environment
        path = os.pathsep.join(filter(None, [str(INJECT), known.get("PYTHONPATH")]))
        told = {"ZENN_FAULTS": str(self.control), "ZENN_FAULTS_ROOT": str(self.folder)}
        return {**known, **told, "PYTHONPATH": path}

    def remove(self, faults: Iterable[Fault]) -> None:
        """Remove the results of the steps that faults are in."""
        faults = [*faults]
        self.remove_steps(fault.step for fault in faults if fault.step in self.steps)
        for fault in faults:  # a state that an earlier fault has left would not be written again
            if fault.file.startswith("checkpoints/"):
                shutil.rmtree(self.folder / "checkpoints" / fault.step, ignore_errors=True)
        if any(fault.process not in self.steps for fault in faults):  # the driver, and what shows the page
            (self.folder / PAGE_SHOWN).unlink(missing_ok=True)

    def remove_steps(self, names: Iterable[str]) -> None:
        """Remove results; in their places lie an older result and an older checkpoint, as after an edit."""
        for step in [self.steps[name] for name in names]:
            made = self.folder / step.folder
            shutil.rmtree(made, ignore_errors=True)
            older = [made.with_name(OLDER) / name for name in step.files]
            for path in (*older, self.folder / "checkpoints" / step.name / OLDER / "older.txt"):
                path.parent.mkdir(parents=True, exist_ok=True)
                path.touch()

    def sites(self) -> list[Site]:
        """Every site that processes have passed since the last strike, in their order; each once."""
        return [site for site in dict.fromkeys(self._seen_sites()) if site.operation != "start"]

    def started(self) -> set[str]:
        """What processes of steps have started since the last strike."""
        return {s.file for s in self._seen_sites() if s.operation == "start" and s.process in self.steps}

    def passed(self, fault: Fault) -> int:
        """How often processes have passed the site of a fault since the last strike."""
        site = fault.process, fault.file, fault.operation
        return [(seen.process, seen.file, seen.operation) for seen in self._seen_sites()].count(site)

    def strike(self, faults: Iterable[Fault], command: tuple[str, ...] = ALL) -> None:
        """Run `command`; when every fault has happened and nothing else is left to do, power goes.

        All processes of the checkout end by SIGKILL, those that stand stopped at their sites too.
        """
        faults = [*faults]
        self._arm(faults)
        log = self.control / "log"
        with log.open("w") as file:
            driver = subprocess.Popen(
                command,
                cwd=self.folder,
                env=self.environment,
                stdout=file,
                stderr=file,
                start_new_session=True,
            )
        deadline = time.monotonic() + LONGEST
        while not (stand := self._stand(faults)):
            if driver.poll() is not None or self._missed(faults) or time.monotonic() > deadline:
                break
            time.sleep(0.05)
        told = "" if stand else self._told(faults, log.read_text())
        self.kill()
        driver.wait()
        assert stand, told

    def kill_one(self, fault: Fault, command: tuple[str, ...] = ALL) -> tuple[int, str]:
        """End by SIGKILL only the process that stands at a site; how the command ends then, and its words.

        It must end, and leave no process at work.
        """
        self._arm([fault])
        driver = self.start(*command)
        try:
            wait_for(lambda: bool(self._stopped()), 600)
            stopped = int(self._stopped()[0]["pid"])
            self._arm(())  # a process that takes its place does not stop
            os.kill(stopped, signal.SIGKILL)
            printed, _ = driver.communicate(timeout=600)
            wait_for(lambda: not self.processes())
        finally:
            self.kill()
        return driver.returncode, printed

    def kill(self) -> None:
        """End every process that works in this checkout, and see that none is left."""

        def end() -> bool:
            for process in self.processes():
                os.kill(process, signal.SIGKILL)
            return not self.processes()

        wait_for(end, 60)

    def processes(self) -> list[int]:
        """The processes that were started here, with their children: they know the folder of the faults."""
        told = f"ZENN_FAULTS={self.control}\0".encode()
        return [process for process in _all() if told in b"\0" + _read(process, "environ") + b"\0"]

    def again(self, command: tuple[str, ...]) -> str:
        """Give a command again, without faults."""
        self._arm(())
        return self.run(*command)

    def recover(self, command: tuple[str, ...] = ALL) -> None:
        """Give the command again, without faults: everything must be as in the undisturbed run."""
        self.again(command)
        found = hashes(self.folder / "results")
        other = differing(found, self.reference)
        assert not other, f"not as in the undisturbed run: {other}"
        left = self.leftovers()
        assert not left, f"left behind: {left}"
        missing = [
            step.name
            for step in self.steps.values()
            if not (self.folder / "logs" / step.name / f"{step.key}.run.json").is_file()
        ]
        assert not missing, f"no facts of these runs: {missing}"

    def refuse_false_appearance(self) -> None:
        """What looks complete is complete: a result that passes its check is that of an undisturbed run."""
        for step in self.steps.values():
            folder = self.folder / step.folder
            if folder.is_dir() and not damage_of(folder, step.key):
                found = {f"{step.folder}/{name}": sha for name, sha in hashes(folder).items()}
                place = f"{step.folder}/".removeprefix("results/")
                expected = {name: sha for name, sha in self.reference.items() if name.startswith(place)}
                assert {name.removeprefix("results/"): sha for name, sha in found.items()} == expected

    def leftovers(self) -> list[str]:
        """What does not belong to a finished run."""
        states = [path for path in (self.folder / "checkpoints").rglob("*") if path.is_file()]
        others = [
            path
            for step in self.steps.values()
            for path in (self.folder / step.folder).parent.iterdir()
            if path.name != step.key
        ]
        found = {str(path.relative_to(self.folder)) for path in (*states, *others)}
        return sorted({*found, *self.half_made()})

    def half_made(self) -> list[str]:
        """Temporary files and folders of a write that was not finished."""
        places = ("results", "logs", "reports", "data/recorded", ".snakemake", "there", "kept")
        found = [path for place in places for path in (self.folder / place).rglob(".*")]
        return [str(path.relative_to(self.folder)) for path in found if HALF_MADE.fullmatch(path.name)]

    def independent(self, one: Fault, other: Fault) -> bool:
        """Whether both can happen in one run."""
        if {one.process, other.process} - {*self.steps, *(f"kernel of {name}" for name in self.steps)}:
            return False
        first, second = self.steps[one.step], self.steps[other.step]
        return first.key not in self.needed_by(second) and second.key not in self.needed_by(first)

    def in_order(self) -> list[Step]:
        """All steps, each after those that it reads."""
        return sorted(self.steps.values(), key=lambda step: (len(self.needed_by(step)), step.name))

    def needed_by(self, step: Step) -> set[str]:
        """The keys of a step and of all that it needs."""
        by_key = {one.key: one for one in self.steps.values()}
        found, todo = {step.key}, [step]
        while todo:
            new = [by_key[key] for key in todo.pop().above if key not in found]
            found |= {one.key for one in new}
            todo += new
        return found

    def _arm(self, faults: Iterable[Fault]) -> None:
        for name in ("seen", "stopped"):
            (self.control / name).write_text("")
        (self.control / "faults.json").write_text(json.dumps([asdict(fault) for fault in faults]))

    def _seen_sites(self) -> list[Site]:
        return [Site(**json.loads(line)) for line in (self.control / "seen").read_text().splitlines()]

    def _stopped(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in (self.control / "stopped").read_text().splitlines()]

    def _left(self, faults: list[Fault]) -> list[Fault]:
        """Those that have not happened yet."""
        stopped = self._stopped()
        return [fault for fault in faults if not any(asdict(fault).items() <= one.items() for one in stopped)]

    def _in_job(self, fault: Fault) -> bool:
        """Whether it happens in a job or its kernel, not in the driver or a command."""
        return fault.process.removeprefix("kernel of ") in self.steps

    def _attacked(self, faults: list[Fault]) -> set[str]:
        """Keys of the steps that faults are in."""
        return {self.steps[fault.step].key for fault in faults if fault.step in self.steps}

    def _stand(self, faults: list[Fault]) -> bool:
        """Whether every fault has happened, and whatever does not wait for an attacked step is made."""
        if self._left(faults):
            return False
        if not all(self._in_job(fault) for fault in faults):
            return True  # the driver or a command stands, and does nothing else
        attacked = self._attacked(faults)
        return not self._not_made(attacked) and not self._jobs_apart_from(attacked)

    def _missed(self, faults: list[Fault]) -> list[Fault]:
        """Those that will not happen: the result of their step is there, and no process of it is."""
        left = [
            fault
            for fault in self._left(faults)
            if self._in_job(fault) and (self.folder / self.steps[fault.step].folder / RECORD).is_file()
        ]
        commands = self._commands() if left else []
        return [fault for fault in left if not any(self.steps[fault.step].key in one for one in commands)]

    def _not_made(self, attacked: set[str]) -> list[str]:
        """Steps that wait for none of the attacked ones and have no result."""
        free = [step for step in self.steps.values() if not attacked & self.needed_by(step)]
        return [step.name for step in free if not (self.folder / step.folder / RECORD).is_file()]

    def _jobs_apart_from(self, attacked: set[str]) -> list[str]:
        jobs = [command for command in self._commands() if "zenn.pipeline.job" in command]
        return [job for job in jobs if not any(key in job for key in attacked)]

    def _commands(self) -> list[str]:
        """Of the processes at work here."""
        return [_read(process, "cmdline").replace(b"\0", b" ").decode() for process in self.processes()]

    def _told(self, faults: list[Fault], printed: str) -> str:
        """What a strike waits for, in words."""
        attacked = self._attacked(faults)
        found = {
            "have not happened": self._left(faults),
            "cannot happen any more": self._missed(faults),
            "are not made": self._not_made(attacked),
            "are at work": self._commands(),
        }
        said = [f"{what}: {one}" for what, ones in found.items() for one in ones]
        return "\n".join(["power does not go", *said, printed])


def hashes(folder: Path) -> dict[str, str]:
    """Path below `folder` -> hash, of every file; of the page without the facts of runs that it shows."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(_content(path)).hexdigest() for path in files}


def _content(path: Path) -> bytes:
    content = path.read_bytes()
    if path.name == "index.html":
        return FACTS.sub(b"", content)
    if path.name == RECORD and path.parent.parent.name == "page":
        return json.dumps(json.loads(content)["spec"]).encode()
    return content


def differing(found: Mapping[str, str], expected: Mapping[str, str]) -> list[str]:
    """Names that only one has, or whose content differs."""
    return sorted(name for name in {*found, *expected} if found.get(name) != expected.get(name))


def _all() -> list[int]:
    return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]


def _read(process: int, name: str) -> bytes:
    try:
        return Path(f"/proc/{process}/{name}").read_bytes()
    except OSError:
        return b""
