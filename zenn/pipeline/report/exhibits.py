"""The figures and tables of the page: the list of artefacts against the files that the steps left."""

from __future__ import annotations

import base64
import csv
import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from zenn.errors import InputError, did_you_mean
from zenn.pipeline.report import formats

COLUMNS = ("id", "paper", "artefact", "title", "subject", "issue", "step", "part")
MEDIA_TYPES = {"png": "image/png", "pdf": "application/pdf", "csv": "text/csv;charset=utf-8"}
PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
ROLE_ENDING = "_figures"
BEYOND = "beyond"  # in place of a paper: what goes beyond the papers
# A figure's 200 pixels per inch, shown at 110 per inch: its 9-point letters are as large as a table's.
SHOWN_PER_PIXEL = 0.55


@dataclass(frozen=True)
class Artefact:
    """A figure or table, of a paper or beyond them; `step` (`subject/run`) makes it, if one does.

    `part` says what is made of it, where that is not all; empty otherwise. Its `id` says whether it is a
    figure or a table: `<paper>-<fig or table>-<number or name>`.
    """

    id: str
    paper: str
    artefact: str
    title: str
    subject: str
    issue: str
    step: str
    part: str

    @property
    def status(self) -> str:
        """What a reader is told: made, made in part, or not run."""
        if not self.step:
            return "not run"
        return f"made in part: {self.part}" if self.part else "made"

    @property
    def is_table(self) -> bool:
        """Whether it is a table, not a figure."""
        return self.id.split("-")[1:2] == ["table"]


@dataclass(frozen=True)
class Download:
    """A file that travels inside the page."""

    name: str
    kind: str
    size: str
    uri: str


@dataclass(frozen=True)
class Figure:
    """A drawn artefact; width and height in CSS pixels."""

    of: Artefact
    uri: str
    width: int
    height: int
    alt: str
    downloads: tuple[Download, ...]


@dataclass(frozen=True)
class Table:
    """A tabulated artefact; `numeric` says which columns hold numbers."""

    of: Artefact
    headings: tuple[str, ...]
    numeric: tuple[bool, ...]
    rows: tuple[tuple[str, ...], ...]
    downloads: tuple[Download, ...]


Exhibit = TypeVar("Exhibit", Figure, Table)


@dataclass(frozen=True)
class Exhibits:
    """Every artefact of the list, and what was made, in its order."""

    artefacts: tuple[Artefact, ...]
    figures: tuple[Figure, ...]
    tables: tuple[Table, ...]

    @property
    def of_papers(self) -> tuple[Artefact, ...]:
        """The artefacts that a paper prints."""
        return tuple(artefact for artefact in self.artefacts if artefact.paper != BEYOND)

    @property
    def beyond(self) -> tuple[Artefact, ...]:
        """The artefacts that no paper has."""
        return tuple(artefact for artefact in self.artefacts if artefact.paper == BEYOND)


def by_paper(exhibits: Iterable[Exhibit]) -> list[tuple[str, list[Exhibit]]]:
    """Figures or tables under the paper they belong to, in the order of the first of each."""
    groups: dict[str, list[Exhibit]] = {}
    for exhibit in exhibits:
        groups.setdefault(exhibit.of.paper, []).append(exhibit)
    return list(groups.items())


def gather(listed: Path, inputs: Mapping[str, Path]) -> Exhibits:
    """What the folders among `inputs` (roles `<subject>_figures`) hold of the artefacts in `listed`.

    Raises
    ------
    InputError : the list cannot be read, names a step that is not planned, or names one that did not leave
        the artefact's files.
    """
    folders = {
        f"{role.removesuffix(ROLE_ENDING)}/figures": folder
        for role, folder in inputs.items()
        if role.endswith(ROLE_ENDING)
    }
    artefacts = read_artefacts(listed, folders)
    made = [artefact for artefact in artefacts if artefact.step]
    return Exhibits(
        tuple(artefacts),
        tuple(_figure(a, folders[a.step]) for a in made if not a.is_table),
        tuple(_table(a, folders[a.step]) for a in made if a.is_table),
    )


def read_artefacts(path: Path, steps: Iterable[str]) -> list[Artefact]:
    """The list of artefacts; a named step must be one of `steps`.

    Raises
    ------
    InputError : a column is missing, an id stands twice, or a step is unknown.
    """
    steps = sorted(steps)
    artefacts: dict[str, Artefact] = {}
    try:
        with path.open(encoding="utf-8", newline="") as handle:
            rows = list(csv.DictReader(handle))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(path, "", error, "a CSV file in UTF-8") from None
    for number, row in enumerate(rows, start=2):
        missing = [name for name in COLUMNS if row.get(name) is None]
        if missing:
            raise InputError(path, f"row {number}", f"no value for {missing}", f"columns {COLUMNS}")
        artefact = Artefact(**{name: row[name].strip() for name in COLUMNS})
        if artefact.id in artefacts:
            raise InputError(path, f"row {number}, column id", repr(artefact.id), "an id that stands once")
        if artefact.step and artefact.step not in steps:
            raise InputError(
                path,
                f"row {number}, column step",
                repr(artefact.step),
                f"empty (not run) or one of {steps}",
                did_you_mean(artefact.step, steps),
            )
        artefacts[artefact.id] = artefact
    return list(artefacts.values())


def png_size(content: bytes, source: Path) -> tuple[int, int]:
    """Width and height in pixels, from the header.

    Raises
    ------
    InputError : it is not a PNG.
    """
    if not content.startswith(PNG_SIGNATURE) or len(content) < 24:
        raise InputError(source, "", f"{content[:8]!r}", f"a PNG, which begins with {PNG_SIGNATURE!r}")
    return int.from_bytes(content[16:20], "big"), int.from_bytes(content[20:24], "big")


def data_uri(content: bytes, kind: str) -> str:
    """A file as a `data:` address: it needs no second file and no host."""
    return f"data:{MEDIA_TYPES[kind]};base64,{base64.b64encode(content).decode('ascii')}"


def _figure(artefact: Artefact, folder: Path) -> Figure:
    png, pdf, numbers = (_content(artefact, folder, kind) for kind in ("png", "pdf", "csv"))
    width, height = png_size(png, folder / f"{artefact.id}.png")
    header, rows = _cells(numbers, folder / f"{artefact.id}.csv")
    alt = (
        f"{artefact.artefact}: {artefact.title}. Drawn from {len(rows)} rows of "
        f"{', '.join(formats.heading(name) for name in header)}."
    )
    return Figure(
        artefact,
        data_uri(png, "png"),
        round(width * SHOWN_PER_PIXEL),
        round(height * SHOWN_PER_PIXEL),
        alt,
        (_download(artefact, numbers, "csv"), _download(artefact, pdf, "pdf")),
    )


def _table(artefact: Artefact, folder: Path) -> Table:
    content = _content(artefact, folder, "csv")
    header, rows = _cells(content, folder / f"{artefact.id}.csv")
    columns = [[row[index] for row in rows] for index in range(len(header))]
    shown = [formats.column(cells) for cells in columns]
    return Table(
        artefact,
        tuple(formats.heading(name) for name in header),
        tuple(formats.is_numeric(cells) for cells in columns),
        tuple(zip(*shown, strict=True)),
        (_download(artefact, content, "csv"),),
    )


def _content(artefact: Artefact, folder: Path, kind: str) -> bytes:
    path = folder / f"{artefact.id}.{kind}"
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise InputError(
            path,
            "",
            "no such file",
            f"what step {artefact.step} makes of {artefact.artefact}",
            "Let the step make it, or empty the column 'step' of this row in the list of artefacts.",
        ) from None


def _cells(content: bytes, source: Path) -> tuple[list[str], list[list[str]]]:
    try:
        header, *rows = list(csv.reader(io.StringIO(content.decode("utf-8"), newline=""))) or [[]]
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(source, "", error, "a CSV table in UTF-8") from None
    if not header:
        raise InputError(source, "row 1", "nothing", "the names of the columns")
    for number, row in enumerate(rows, start=2):
        if len(row) != len(header):
            raise InputError(source, f"row {number}", f"{len(row)} cells", f"{len(header)}, one per column")
    return header, rows


def _download(artefact: Artefact, content: bytes, kind: str) -> Download:
    size = f"{max(1, round(len(content) / 1024))} KiB"
    return Download(f"{artefact.id}.{kind}", kind.upper(), size, data_uri(content, kind))
