"""Readers of tables and texts: the registry, configurations, points, landscapes, samples, ledgers, VASP."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import numpy as np
from PIL import Image

from tests.fuzz.harness import Target
from tests.landscape import authors_files
from tests.pipeline.checkout import ROOT
from tests.readers.test_phonopy import SILICON
from tests.readers.test_vasp import DENSITY_OF_STATES, OSZICAR, POSCAR, vasprun
from zenn.classification.datasets.news import read_ag_news
from zenn.classification.datasets.own import Own, own_data
from zenn.classification.datasets.tokens import word_tokenizer
from zenn.commands.classify_inputs import Reading, digest_of_data, read_samples
from zenn.commands.points import read_points
from zenn.landscape.authors_grid import read_authors_grid
from zenn.landscape.table import read_landscape
from zenn.laws.pictures import load_index
from zenn.materials.configurations import printed_decimals, read_configurations
from zenn.materials.energy_volume import fit_configurations, read_energy_volume
from zenn.pipeline.claims.ledger import read_published, read_rows
from zenn.pipeline.fetching import Entry, _wanted
from zenn.pipeline.registry import read_registry
from zenn.pipeline.report.exhibits import _cells, png_size, read_artefacts
from zenn.readers.phonopy import read_phonopy_energy_volume
from zenn.readers.vasp import read_vasp, read_vasp_density_of_states

INPUTS = ROOT / "data/inputs"


def copied(name: str, rows: int | None = None):
    """Writes a file of this repository, or its first rows."""
    content = (ROOT / name).read_text(encoding="utf-8")
    kept = content if rows is None else "".join(content.splitlines(keepends=True)[: rows + 1])
    return lambda folder: (folder / Path(name).name).write_text(kept, encoding="utf-8")


def written(name: str, content: str | bytes):
    """Writes a file."""
    data = content if isinstance(content, bytes) else content.encode()
    return lambda folder: (folder / name).write_bytes(data)


def _landscape(folder: Path) -> None:
    rows = ["x,temperature,free_energy,weight,slope,entropy"]
    rows += [
        f"{x},{t},{x * x * t},1.5,{2 * x * t},{-x * x}" for t in (1.0, 2.0) for x in (0.0, 0.5, 1.0, 1.5)
    ]
    (folder / "landscape.csv").write_text("# rows: 8\n" + "\n".join(rows) + "\n")


def _several(folder: Path) -> None:
    rows = [f"{x},{y},{t},{x * y}" for t in (1, 2) for x in (0, 1, 2) for y in (0, 1)]
    (folder / "several.csv").write_text("\n".join(["x1,x2,temperature,free_energy", *rows]) + "\n")


def _texts(folder: Path) -> None:
    rows = [(f"text {i} of {kind}", kind) for i in range(8) for kind in ("good", "bad")]
    with (folder / "texts.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("text", "label"), *rows])


def picture(seed: int, kind: str = "png") -> bytes:
    out = io.BytesIO()
    pixels = np.random.default_rng(seed).integers(0, 256, (6, 5, 3), np.uint8)
    Image.fromarray(pixels).save(out, kind)
    return out.getvalue()


def _pictures(folder: Path) -> None:
    for number, kind in enumerate(("cat", "dog")):
        (folder / kind).mkdir()
        for i in range(5):
            end = "jpeg" if i == 2 else "png"
            (folder / kind / f"{i}.{end}").write_bytes(picture(10 * number + i, end))


def _table_of_pictures(folder: Path) -> None:
    rows = ["path,label"]
    for i in range(6):
        (folder / f"{i}.png").write_bytes(picture(i))
        rows.append(f"{i}.png,{'ab'[i % 2]}")
    (folder / "pictures.csv").write_text("\n".join(rows) + "\n")


def _given_texts(folder: Path) -> None:
    _texts(folder)
    (folder / "tokenizer.json").write_text(word_tokenizer(["text 1 of good", "of bad 2 3"], 50))


def _read_given_texts(folder: Path) -> None:
    reading = Reading("texts", ("bad", "good"), tokenizer=folder / "tokenizer.json", maximum_length=9)
    for labelled in (True, False):
        read_samples(folder / "texts.csv", reading, labelled=labelled)
    digest_of_data(folder / "texts.csv")


def _read_given_pictures(folder: Path) -> None:
    reading = Reading("images", ("a", "b"), size=(6, 5, 3))
    for labelled in (True, False):
        read_samples(folder / "pictures.csv", reading, labelled=labelled)
    digest_of_data(folder / "pictures.csv")


def _list_of_runs(folder: Path) -> None:
    for i in range(2):
        (folder / f"{i}.dat").write_text(SILICON)
    rows = ["configuration,degeneracy,path", "A,1,0.dat", "B,2,1.dat"]
    (folder / "list.csv").write_text("\n".join(rows) + "\n")


def _run(folder: Path) -> None:
    (folder / "OSZICAR").write_text(OSZICAR)
    (folder / "POSCAR").write_text(POSCAR.format(height=3.5))


def _steps() -> set[str]:
    with (INPUTS / "artefacts.csv").open(newline="") as file:
        return {row["step"] for row in csv.DictReader(file)}


def _index(folder: Path) -> None:
    header = "process,split,stop,particles,time,width,energy,work"
    (folder / "index.csv").write_text(
        f"{header}\n0,train,0,5,1.0,9.0,3.5,0.0\n0,train,1,5,2.0,8.0,3.6,-0.1\n"
    )


TARGETS = [
    Target("registry", copied("data/inputs/registry.csv"), lambda f: read_registry(f / "registry.csv")),
    Target(
        "record of a first download",
        written("w.npz.sha256", f"{'0' * 64}  w.npz\n"),
        lambda f: _wanted(Entry("w.npz", ""), f / "w.npz"),
    ),
    Target(
        "configurations",
        copied("data/inputs/fe3pt_table_s1.csv"),
        lambda f: (
            read_configurations(f / "fe3pt_table_s1.csv", 12),
            printed_decimals(f / "fe3pt_table_s1.csv"),
        ),
    ),
    Target(
        "energy-volume table",
        copied("data/inputs/cuau_emt_energy_volume.csv"),
        lambda f: fit_configurations(read_energy_volume(f / "cuau_emt_energy_volume.csv", 8)),
    ),
    Target("landscape table", _landscape, lambda f: read_landscape(f / "landscape.csv")),
    Target("landscape of two coordinates", _several, lambda f: read_landscape(f / "several.csv")),
    Target(
        "authors' grid",
        lambda f: authors_files.write(f, "%.6g"),
        lambda f: read_authors_grid(f / "V_T.csv", f / "PP.csv"),
        cost=8,
    ),
    Target("own texts", _texts, lambda f: own_data(f / "texts.csv", Own(vocabulary=60)), cost=2),
    Target("own pictures", _pictures, lambda f: own_data(f, Own()), cost=2),
    Target("own table of pictures", _table_of_pictures, lambda f: own_data(f / "pictures.csv", Own())),
    Target("texts to judge", _given_texts, _read_given_texts, cost=2),
    Target("pictures to judge", _table_of_pictures, _read_given_pictures),
    Target(
        "AG News",
        written("train.csv", '1,a,b\n4,"c, d",e\n3,x,y\n'),
        lambda f: read_ag_news(f / "train.csv", 3),
    ),
    Target("list of claims", copied("data/inputs/claims.csv", 8), lambda f: read_rows(f / "claims.csv")),
    Target("ledger", copied("reports/claims.csv", 8), lambda f: read_published(f / "claims.csv")),
    Target(
        "list of artefacts",
        copied("data/inputs/artefacts.csv"),
        lambda f: read_artefacts(f / "artefacts.csv", _steps()),
        cost=2,
    ),
    Target(
        "table of the report", written("t.csv", "a,b\n1,2\n"), lambda f: _cells((f / "t.csv").read_bytes(), f)
    ),
    Target(
        "picture of the report",
        written("a.png", picture(1)),
        lambda f: png_size((f / "a.png").read_bytes(), f),
    ),
    Target("index of pictures", _index, lambda f: load_index(f / "index.csv")),
    Target("e-v.dat", written("e-v.dat", SILICON), lambda f: read_phonopy_energy_volume(f / "e-v.dat", 8)),
    Target(
        "list of e-v.dat", _list_of_runs, lambda f: read_points([f / "list.csv"], None, 8, None, None), cost=2
    ),
    Target("vasprun.xml", written("vasprun.xml", vasprun()), lambda f: read_vasp([f]), cost=4),
    Target(
        "density of states",
        written("vasprun.xml", vasprun(dos=DENSITY_OF_STATES)),
        read_vasp_density_of_states,
        cost=4,
    ),
    Target("OSZICAR", _run, lambda f: read_vasp([f]), cost=2),
]
