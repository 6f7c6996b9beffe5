"""Faults at writes: every Python that starts with this folder on PYTHONPATH loads it.

It sees each operation on files through an audit hook before the operation is done, below the places where the
pipeline writes (PLACES). ZENN_FAULTS names a folder of the test, with

`seen` : a line for every such operation of every process, its site: process, rule, file and operation; and
    for every process that is started, with the operation `start`.
`faults.json` : sites at which to stop, with the occurrence there and what is done to the file first.
`stopped` : a line for every fault that happened, with the process that stands there, stopped (SIGSTOP).

The test then kills what stands stopped, with SIGKILL: what was not done yet is never done. Apart from what it
says here, nothing of a process is changed. Standard library only: it runs before everything else.
"""

from __future__ import annotations

import itertools
import json
import os
import re
import signal
import sys
import threading
import time
from typing import Any

VARIABLE, PROCESS, ROOT = "ZENN_FAULTS", "ZENN_FAULTS_PROCESS", "ZENN_FAULTS_ROOT"
PLACES = (
    *("results/", "checkpoints/", "logs/", "downloads/", "reports/", "data/recorded/", "dvc.lock"),
    *("there/", "kept/"),
    *(".snakemake/zenn-", ".snakemake/.zenn-", ".snakemake/incomplete/", ".snakemake/metadata/"),
)
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
# Audit event -> the path that an operation changes, and the file descriptor that it is relative to.
OPERATIONS = {
    "open": (0, None),
    "os.rename": (1, 3),
    "os.link": (1, 3),
    "os.mkdir": (0, 2),
    "os.remove": (0, 1),
    "os.rmdir": (0, 1),
    "os.truncate": (0, None),
}
STARTS = {"subprocess.Popen", "os.fork", "os.forkpty", "os.posix_spawn"}  # of other processes: noted, too
SLOW = ("zenn.landscape.steps.fit", "zenn.classification.steps.train")  # save every 20 s: here, at every look


def process() -> tuple[str, str, str]:
    """What this process is: the step or command, its rule, and the module that does the work."""
    words = sys.orig_argv
    names = [os.path.basename(word) for word in words]
    if "zenn.pipeline.job" in words:
        with open(words[words.index("zenn.pipeline.job") + 1], encoding="utf-8") as file:
            spec = json.load(file)["spec"]
        subject = spec["step"].partition("/")[0]
        return spec["step"], f"{subject} {spec['module'].rpartition('.')[2]}", spec["module"]
    if "ipykernel_launcher" in words:
        above = os.environ.get(PROCESS, "")
        return f"kernel of {above}", f"kernel of {above}", ""
    for name, said in (("snakemake", "driver"), ("dvc", "dvc")):
        if name in names[1:2]:
            return said, said, ""
    for name in ("publish", "adopt"):
        if name in words:
            return name, name, ""
    for module in ("zenn.pipeline.report.show", "zenn.pipeline.elsewhere"):
        if module in words:
            return module, module, ""
    return "", "", ""


def place(path: Any, folder: Any) -> str:
    """A path below the checkout with what is random taken out; empty when it is in none of the places."""
    if isinstance(path, int):
        return ""
    path = os.fsdecode(path)
    above = os.readlink(f"/proc/self/fd/{folder}") if isinstance(folder, int) and folder >= 0 else os.getcwd()
    path = os.path.relpath(os.path.join(above, path), os.environ[ROOT])
    if not path.startswith(PLACES):
        return ""
    path = re.sub(r"(/(incomplete|metadata)/).*", r"\1*", path)
    path = re.sub(r"(^|/)(\.[^/]+)-[a-z0-9_]{8}(?=[./]|$)", r"\1\2-*", path)
    return re.sub(r"[0-9a-f]{16}", "KEY", path)


class Injector:
    """Notes the operations of this process, and stops it at its site."""

    def __init__(self, folder: str, name: str, rule: str) -> None:
        self.folder, self.name, self.rule = folder, name, rule
        self.own = threading.local()  # what this file does itself is not looked at
        self.counts: dict[tuple[str, str], int] = {}
        self.seen = os.open(
            os.path.join(folder, "seen"), os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
        )
        with open(os.path.join(folder, "faults.json"), encoding="utf-8") as file:
            self.faults = [fault for fault in json.load(file) if fault["process"] == name]

    def hook(self, event: str, arguments: tuple[Any, ...]) -> None:
        """Called before every audited operation of this process, in the thread that does it."""
        if event in STARTS:
            words = arguments[1] if event == "subprocess.Popen" else [event]
            words = [words] if isinstance(words, str) else [os.fsdecode(word) for word in words]
            module = words[words.index("-m") + 1] if "-m" in words[:-1] else os.path.basename(words[0])
            self.note(module, "start")
        if event not in OPERATIONS or getattr(self.own, "busy", False):
            return
        if event == "open" and not (isinstance(arguments[2], int) and arguments[2] & WRITING):
            return
        self.own.busy = True
        try:
            self.look(event, arguments)
        finally:
            self.own.busy = False

    def look(self, event: str, arguments: tuple[Any, ...]) -> None:
        """Note the operation; stop if it is the one."""
        at, folder = OPERATIONS[event]
        found = place(arguments[at], None if folder is None else arguments[folder])
        if not found:
            return
        operation = event.removeprefix("os.")
        site = found, operation
        self.counts[site] = self.counts.get(site, 0) + 1
        self.note(found, operation)
        for fault in self.faults:
            if (fault["file"], fault["operation"], fault["occurrence"]) == (*site, self.counts[site]):
                self.stop(fault, arguments)

    def note(self, file: str, operation: str) -> None:
        """Write a line into `seen`, in one piece."""
        line = {"process": self.name, "rule": self.rule, "file": file, "operation": operation}
        os.write(self.seen, f"{json.dumps(line)}\n".encode())

    def stop(self, fault: dict[str, Any], arguments: tuple[Any, ...]) -> None:
        """Do what the fault says to the file, and stand still until the test kills this process.

        Without a flush a file system may carry out a rename and lose the content: `half` and `nothing`; or
        power goes while a file is written: `torn`.
        """
        if fault["effect"] != "before":
            cut(os.fsdecode(arguments[0]), 0 if fault["effect"] == "nothing" else 2)
        if fault["effect"] in ("half", "nothing"):
            os.rename(arguments[0], arguments[1])
        with open(os.path.join(self.folder, "stopped"), "a", encoding="utf-8") as file:
            file.write(json.dumps({**fault, "pid": os.getpid()}) + "\n")
        os.kill(os.getpid(), signal.SIGSTOP)
        time.sleep(3600)  # until another thread has noticed the signal


def cut(path: str, parts: int) -> None:
    """Cut a file to nothing or to a part; of a folder, the largest file, or its last: the record."""
    if os.path.isdir(path):
        files = sorted(
            (entry for entry in os.scandir(path) if entry.is_file()), key=lambda e: e.stat().st_size
        )
        if not files:
            return
        record = [entry for entry in files if entry.name == "record.json"]
        path = (record if record and not parts else files)[-1].path
    os.truncate(path, os.path.getsize(path) // parts if parts else 0)


def install() -> None:
    """Watch this process if it is one of the pipeline's."""
    name, rule, module = process()
    if not name:
        return
    os.environ.setdefault(ROOT, os.getcwd())
    os.environ[PROCESS] = name
    if module in SLOW:
        real, calls = time.monotonic, itertools.count()
        time.monotonic = lambda: real() + 1000 * next(calls)
    sys.addaudithook(Injector(os.environ[VARIABLE], name, rule).hook)


if os.environ.get(VARIABLE):
    install()
