"""Can it work? Disk, GPUs, memory and network, looked at before anything runs.

What cannot work is refused at once instead of in the middle of a night; what is doubtful is said. Everything
rests on what the run will do: one that fetches nothing asks no network, one that wants no GPU looks for none.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from zenn.errors import InputError, ZennError
from zenn.pipeline.costs import MEASURED, missing
from zenn.pipeline.downloaded import VARIABLE, downloads
from zenn.pipeline.fetching import Entry
from zenn.pipeline.forecast import Forecast, spoken_bytes
from zenn.pipeline.gpus import devices
from zenn.pipeline.steps import RESULTS, Step

ALL_THE_SAME = "ZENN_UNCHECKED"
"""Set to anything, refusals become notes: the way on where an estimate is wrong."""
TIMEOUT = 5.0  # seconds for a server to answer
CGROUPS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")
NOT_ENOUGH = 0.9  # share of the free space beyond which an uncertain estimate is doubtful
GONE = {404, 410}
HASHES = ("sha256", "md5")


@dataclass(frozen=True)
class Finding:
    """Something that speaks against a run; `fatal` when it cannot work."""

    fatal: bool
    text: str


@dataclass(frozen=True)
class Wanted:
    """What the jobs of a run ask for: steps, those of them that want a GPU, GPUs at a time and for one job,
    MiB of the largest job."""

    steps: Sequence[Step]
    gpu_steps: Sequence[Step] = ()
    gpus: int = 1
    gpus_of_one: int = 1
    memory_MiB: float = 0.0
    local: bool = True  # jobs run on this machine


def check(root: Path, forecast: Forecast, wanted: Wanted) -> list[Finding]:
    """Everything that speaks against a run."""
    fetched = missing(wanted.steps)
    found = [*_disk(root, forecast, fetched), *_network(fetched)]
    if wanted.local:  # the login node of a cluster says nothing of the nodes that compute
        found += [*_gpus(wanted), *_memory(forecast, wanted)]
    return found


def refuse(findings: Iterable[Finding]) -> list[str]:
    """What is doubtful, to be said.

    Raises
    ------
    ZennError : something cannot work.
    """
    findings = list(findings)
    fatal = [one.text for one in findings if one.fatal]
    if fatal and not os.environ.get(ALL_THE_SAME):
        raise ZennError(
            "\nerror: ".join([*fatal, f"nothing was started; {ALL_THE_SAME}=1 starts all the same"])
        )
    return [one.text for one in findings]


def _disk(root: Path, forecast: Forecast, fetched: Sequence[Entry]) -> list[Finding]:
    """Free space of the file systems that results, downloads and checkpoints lie on."""
    known = (forecast.estimates[step.key] for step in forecast.steps)
    sure = sum(one.bytes or 0.0 for one in known if one.bytes_certain)
    certain = {root / RESULTS: sure, downloads(): forecast.downloads, root / "checkpoints": 0.0}
    likely = {
        root / RESULTS: forecast.total("bytes"),
        downloads(): forecast.downloads,
        root / "checkpoints": forecast.scratch,
    }
    places: dict[int, list[Path]] = {}
    for place in likely:
        places.setdefault(_existing(place).stat().st_dev, []).append(place)
    found = []
    for together in places.values():
        free = shutil.disk_usage(_existing(together[0])).free
        names = ", ".join(str(place) for place in together if likely[place])
        needed, most = sum(certain[place] for place in together), sum(likely[place] for place in together)
        if needed > free or most > NOT_ENOUGH * free:
            at_least = "at least" if needed > free else "about"
            size = spoken_bytes(needed if needed > free else most)
            hint = f"Free some space, or name another folder for downloads in {VARIABLE}"
            text = f"{names}: found {spoken_bytes(free)} free, expected {at_least} {size}. {hint}"
            found.append(Finding(needed > free, text))
    return found


def _existing(place: Path) -> Path:
    while not place.exists():
        place = place.parent
    return place


def _gpus(wanted: Wanted) -> list[Finding]:
    asking = wanted.gpu_steps
    if not asking:
        return []
    there = devices()
    if not there:
        found = f"{len(asking)} jobs want a GPU, such as {asking[0].name}: found none here"
        hint = "Run on a machine that has some, or at scale small: --config scale=small"
        return [Finding(True, f"{found}, expected at least {wanted.gpus_of_one}. {hint}")]
    if wanted.gpus_of_one > len(there):
        text = f"a job wants {wanted.gpus_of_one} GPUs: found {len(there)} here"
        return [Finding(True, f"{text}. Ask for fewer with --set-resources")]
    if wanted.gpus > len(there):
        text = f"--resources gpu={wanted.gpus}: found {len(there)} GPUs here; the other jobs wait for one"
        return [Finding(False, text)]
    if wanted.gpus < len(there) and len(asking) > wanted.gpus:
        text = f"found {len(there)} GPUs here, of which {wanted.gpus} will be used"
        return [Finding(False, f"{text}; --resources gpu={len(there)} uses all")]
    return []


def _memory(forecast: Forecast, wanted: Wanted) -> list[Finding]:
    """The largest job's memory: measured, or as its rule asks for it."""
    there = memory_MiB()
    estimates = ((step, forecast.estimates[step.key]) for step in wanted.steps)
    measured = {step.name: one.peak_memory_MiB or 0.0 for step, one in estimates if one.source == MEASURED}
    largest = max(measured, key=lambda name: measured[name], default="")
    needed = measured.get(largest, 0.0)
    if needed > there:
        text = f"{largest}: found {there:.0f} MiB of memory here, expected {needed:.0f}, as it once took"
        return [Finding(True, f"{text}. Run on a larger machine, or at a smaller scale")]
    if wanted.memory_MiB > there:
        text = f"a job's rule asks for {wanted.memory_MiB:.0f} MiB of memory, and {there:.0f} are here"
        return [Finding(False, text)]
    return []


def memory_MiB() -> float:
    """Memory that processes here may use: the machine's, or the limit of a container."""
    limits = [os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")]
    for path in map(Path, CGROUPS):
        if path.is_file() and (said := path.read_text().strip()).isdigit():
            limits.append(int(said))
    return min(limits) / 2**20


def _network(fetched: Sequence[Entry]) -> list[Finding]:
    """Whether the servers of what is to be fetched answer: one request a server, all at a time."""
    of_server = {urlsplit(entry.url).netloc: entry for entry in reversed(fetched)}
    if not of_server:
        return []
    with ThreadPoolExecutor(len(of_server)) as pool:
        answers = [*pool.map(_asked, of_server.values())]
    return [finding for finding in answers if finding is not None]


def _asked(entry: Entry) -> Finding | None:
    import requests

    try:
        answer = requests.head(entry.url, timeout=TIMEOUT, allow_redirects=True)
    except requests.RequestException as error:
        found = f"no answer ({type(error).__name__}: is there a network?)"
        known = next((f" with {name} {getattr(entry, name)}" for name in HASHES if getattr(entry, name)), "")
        hint = f"Connect this machine, or put it there by hand; {VARIABLE} names another folder"
        place = downloads() / entry.name
        return Finding(True, str(InputError(place, f"from {entry.url}", found, f"the file{known}", hint)))
    if answer.status_code in GONE:
        return Finding(False, f"{entry.url}: found the answer {answer.status_code}, expected the file")
    return None
