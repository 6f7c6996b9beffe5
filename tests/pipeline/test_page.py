"""The report page: complete, self-contained, honest about what is not known."""

import base64
import csv
import json
import re
import struct
import subprocess
import sys
import zlib
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from zenn.errors import InputError
from zenn.files import write_json, write_text
from zenn.pipeline import provenance
from zenn.pipeline.claims.ledger import CLAIM_COLUMNS, Verdict, collect, to_csv
from zenn.pipeline.report import formats, page, show
from zenn.pipeline.report.exhibits import COLUMNS

ROOT = Path(__file__).resolve().parents[2]
TEMPLATE = ROOT / "zenn/pipeline/report/page.html.j2"
KEY = "9f3ab17c02de4411"
SUBJECTS = ("materials", "landscape", "classification", "laws")
EVIL = "<script>alert('x')</script> & \"quoted\" <b>S~</b>"
ATTRIBUTES_THAT_LOAD = ("src", "srcset", "poster", "data", "action", "background", "xlink:href")


class Reader(HTMLParser):
    """Tags, attributes and visible text of a page."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.text, self._open = [], "", []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        self._open.append(tag)

    def handle_endtag(self, tag):
        while self._open and self._open.pop() != tag:
            pass
        if tag in ("td", "th", "dt", "dd", "caption"):
            self.text += " "  # cells are apart on the screen

    def handle_data(self, data):
        if "style" not in self._open:
            self.text += data

    def of(self, tag):
        return [attributes for name, attributes in self.tags if name == tag]

    @property
    def ids(self):
        return [attributes["id"] for _, attributes in self.tags if "id" in attributes]


def png(width=680, height=560):
    def chunk(kind, content):
        return (
            struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
        )

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    pixels = zlib.compress((b"\0" + b"\xff" * width) * height)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


def measured(identity, verdict, **more):
    return {
        "id": identity,
        "paper": "zenn",
        "artefact": "Table S1",
        "claim": f"claim {identity}",
        "paper_value": "1",
        "measured": "164.197 K",
        "uncertainty": "exact",
        "verdict": verdict.value,
        "why": "because",
        "source": f"materials/fe3pt-critical-point/{KEY}/critical_point.json",
        "scale": "small",
        "key": KEY,
        **more,
    }


def listed(wanted=lambda row: True):
    with (ROOT / "data/inputs/artefacts.csv").open(encoding="utf-8", newline="") as handle:
        return [row["id"] for row in csv.DictReader(handle) if wanted(row)]


@pytest.fixture
def job(tmp_path, monkeypatch):
    """Parameters and inputs of a page with the real lists of claims and artefacts where they exist."""
    monkeypatch.chdir(tmp_path)
    ledger = tmp_path / "ledger"
    folders = {subject: tmp_path / f"results/{subject}/figures/0" for subject in SUBJECTS}
    with (ROOT / "data/inputs/claims.csv").open(encoding="utf-8", newline="") as handle:
        claims = [{name: row[name] for name in CLAIM_COLUMNS} for row in csv.DictReader(handle)]
    found = [
        measured("fe3pt-dft-tc", Verdict.HOLDS),
        measured("fe3pt-table-rows", Verdict.FAILS),
        measured("fe3pt-eos-fit", Verdict.UNDECIDABLE, why=EVIL),
    ]
    elsewhere = {"scale": "paper", "hardware": "8 GPUs", "commit": "aaaabbbbcccc", "current": "no"}
    above = [measured("cifar10-error", Verdict.ONLY_WITH_TEST_LABELS, **elsewhere)]
    write_text(ledger / "claims.csv", to_csv(collect(claims, found, above, "small")))
    write_json(ledger / "metrics.json", {"materials": {"critical_temperature_K": 164.19721431}})
    for subject, figures in folders.items():
        for name in listed(lambda row, subject=subject: row["step"] == f"{subject}/figures"):
            write_text(figures / f"{name}.csv", "temperature_K,volume_A3_per_atom\n5,12.5\n600,13.25\n")
            (figures / f"{name}.png").write_bytes(png())
            (figures / f"{name}.pdf").write_bytes(b"%PDF-1.4 nothing")
    parameters = {
        "scale": "small",
        "materials": {"systems": {"fe3pt": {"debye_scaling": 0.617}}, "list": [1, 2]},
    }
    steps = {"materials/fe3pt-critical-point": KEY, "report/ledger": "0123456789abcdef"}
    return {
        "params": {"scale": "small", "parameters": parameters, "steps": steps},
        "inputs": {
            "ledger": ledger,
            **{f"{subject}_figures": figures for subject, figures in folders.items()},
            "artefacts": ROOT / "data/inputs/artefacts.csv",
            "template": TEMPLATE,
        },
    }


def made(job, out):
    out.mkdir()
    page.run(job["params"], job["inputs"], out)
    return (out / "index.html").read_text(encoding="utf-8")


@pytest.fixture
def text(job, tmp_path):
    return made(job, tmp_path / "out")


def rewrite(path, to, change):
    with path.open(encoding="utf-8", newline="") as handle:
        rows = [change(row) for row in csv.DictReader(handle)]
    write_text(to, to_csv(rows, tuple(rows[0])))
    return to


def identities(path):
    with path.open(encoding="utf-8", newline="") as handle:
        return [row["id"] for row in csv.DictReader(handle)]


def test_every_claim_and_every_artefact_is_there(text, job):
    read = Reader(text)
    claims = identities(job["inputs"]["ledger"] / "claims.csv")
    artefacts = identities(job["inputs"]["artefacts"])
    assert sum(not name.startswith("beyond-") for name in artefacts) == 46
    assert [f"claim-{name}" for name in claims if f"claim-{name}" not in read.ids] == []
    assert [name for name in artefacts if name not in read.text] == []
    assert len(read.ids) == len(set(read.ids))


def test_what_goes_beyond_the_papers_stands_apart(text):
    words = " ".join(Reader(text).text.split())
    beyond = listed(lambda row: row["paper"] == "beyond")
    assert "Of the papers’ 46 figures and tables" in words
    assert f"A further {len(beyond)} go beyond the papers." in words
    assert text.count("<h3>Beyond the papers</h3>") == 2  # among the figures, and among the tables
    first = text.index("<h3>Beyond the papers</h3>")
    assert text.index('<figure id="zenn-fig-s2"') < first < text.index('<figure id="beyond-fig-')
    tables = text.index("<h3>Beyond the papers</h3>", first + 1)
    assert text.index('id="zenn-table-s1"') < tables < text.index('id="beyond-table-')


def test_shows_scale_verdicts_units_parameters_and_keys(text):
    read = Reader(text)
    words = " ".join(read.text.split())
    assert "Scale: small." in words
    assert "Claims below that were decided at another scale: 1 of" in words
    assert "critical temperature 164.1972 K" in words
    assert all(verdict.value in words for verdict in Verdict)
    assert "systems.fe3pt.debye_scaling 0.617" in words
    assert "temperature (K)" in words
    assert "volume (Å³/atom)" in words
    assert "0123456789abcdef" in words
    assert "no: code, parameters or input have changed since" in words
    assert provenance.versions()["torch"] in words


def test_is_self_contained(text):
    read = Reader(text)
    tags = {tag for tag, _ in read.tags}
    assert not tags & {"script", "link", "iframe", "object", "embed", "base", "form", "video", "audio"}
    loaded = [
        value
        for _, attributes in read.tags
        for name, value in attributes.items()
        if name in ATTRIBUTES_THAT_LOAD
    ]
    assert loaded
    assert all(value.startswith("data:") for value in loaded)
    style = re.search(r"<style>(.*?)</style>", text, re.DOTALL)[1]
    assert not re.search(r"url\(|@import|https?:", style)
    assert all(a["href"].startswith(("#", "data:", "https://doi.org/")) for a in read.of("a"))
    assert not any("style" in attributes for _, attributes in read.tags)


def test_is_accessible(text):
    read = Reader(text)
    assert read.of("html")[0]["lang"] == "en"
    assert any(m.get("name") == "viewport" for m in read.of("meta"))
    assert all(image["alt"] and image["width"] and image["height"] for image in read.of("img"))
    assert len(read.of("caption")) == len(read.of("table"))
    targets = [a["href"][1:] for a in read.of("a") if a["href"].startswith("#")]
    assert targets[0] == "main"
    assert set(targets) <= set(read.ids)


def test_downloads_are_the_files_themselves(text, job):
    read = Reader(text)
    offered = {a["download"]: a["href"] for a in read.of("a") if "download" in a}
    assert {"zenn-fig-1.csv", "zenn-fig-1.pdf", "zenn-table-s1.csv"} <= set(offered)
    for name, uri in offered.items():
        folders = (job["inputs"][f"{subject}_figures"] for subject in SUBJECTS)
        (source,) = (folder / name for folder in folders if (folder / name).is_file())
        assert base64.b64decode(uri.split("base64,")[1]) == source.read_bytes()


def test_text_of_claims_is_escaped(text):
    assert "<script" not in text
    assert "&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt; &amp; &#34;quoted&#34;" in text
    assert EVIL in Reader(text).text


def test_equal_inputs_equal_bytes(job, tmp_path):
    assert made(job, tmp_path / "a") == made(job, tmp_path / "b")


def test_unknown_run_facts_say_so(text):
    words = " ".join(Reader(text).text.split())
    assert f"materials/fe3pt-critical-point {KEY} not recorded not recorded" in words
    assert "Run time of all steps not recorded" in words


def test_known_run_facts_are_shown(job, tmp_path):
    facts = {
        "wall_time_s": 251.2,
        "peak_memory_MiB": 128.4,
        "started_unix_s": 1.76e9,
        "commit": "d8438d627573",
        "hardware": "AMD EPYC, 2 cores",
        "python": "3.11.9",
        "packages": {"numpy": "1.0.0"},
    }
    step = "materials/fe3pt-critical-point"
    write_json(provenance.run_file(tmp_path, step, KEY), facts)
    words = " ".join(Reader(made(job, tmp_path / "out")).text.split())
    assert "4 min 11 s 128 MiB 2025-10-09 08:53:20 UTC d8438d627573" in words
    assert "4 min 11 s for 1 of 2 steps" in words
    assert "numpy 1.0.0" in words  # other versions than the page's own are named
    assert "commit d8438d627573 hardware AMD EPYC, 2 cores" in words  # the ledger's row too


def test_same_versions_are_not_repeated():
    around = page.Surroundings("c", "h", "3.11.9", {"numpy": "2.0"})
    run = {"python": "3.11.9", "packages": {"numpy": "2.0"}}
    assert page.run_facts("a/b", KEY, run, around).environment == "as listed"
    assert page.run_facts("a/b", KEY, run, replace(around, python="3.12.1")).environment == "Python 3.11.9"
    assert page.run_facts("a/b", KEY, {}, around).environment == provenance.UNKNOWN


@pytest.mark.parametrize("ending", ["png", "pdf", "csv"])
def test_a_missing_file_of_a_named_step_is_an_error(job, tmp_path, ending):
    (job["inputs"]["materials_figures"] / f"zenn-fig-s2.{ending}").unlink()
    with pytest.raises(InputError, match=rf"zenn-fig-s2\.{ending}.*no such file.*materials/figures"):
        made(job, tmp_path / "out")
    assert not (tmp_path / "out/index.html").exists()


def test_an_artefact_without_a_step_is_not_run(job, tmp_path):
    (job["inputs"]["materials_figures"] / "zenn-fig-s2.png").unlink()
    job["inputs"]["artefacts"] = rewrite(
        job["inputs"]["artefacts"],
        tmp_path / "artefacts.csv",
        lambda row: {**row, "step": "" if row["id"] == "zenn-fig-s2" else row["step"]},
    )
    read = Reader(made(job, tmp_path / "out"))
    assert "zenn-fig-s2" not in read.ids
    row = read.text[: read.text.index("zenn-fig-s2")].rsplit("Paper A", 1)[1]
    assert "not run" in row


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda row: {**row, "step": row["step"].replace("figures", "figurs")}, "did you mean"),
        (lambda row: {**row, "id": "same"}, "stands once"),
        (lambda row: {name: row[name] for name in COLUMNS if name != "title"}, "title"),
    ],
)
def test_a_wrong_list_of_artefacts_names_the_row(job, tmp_path, change, message):
    job["inputs"]["artefacts"] = rewrite(job["inputs"]["artefacts"], tmp_path / "artefacts.csv", change)
    with pytest.raises(InputError, match=rf"artefacts\.csv, row \d+.*{message}"):
        made(job, tmp_path / "out")


@pytest.mark.parametrize(
    ("file", "content", "message"),
    [
        ("zenn-fig-1.png", b"GIF89a", "PNG"),
        ("zenn-table-s1.csv", b"a,b\n1\n", "row 2: found 1 cells, expected 2"),
        ("zenn-table-s1.csv", b"", "names of the columns"),
    ],
)
def test_a_damaged_file_is_an_error(job, tmp_path, file, content, message):
    (job["inputs"]["materials_figures"] / file).write_bytes(content)
    with pytest.raises(InputError, match=message):
        made(job, tmp_path / "out")


def test_an_unknown_verdict_is_an_error(job, tmp_path):
    ledger = job["inputs"]["ledger"] / "claims.csv"
    rewrite(ledger, ledger, lambda row: {**row, "verdict": row["verdict"].replace("holds", "hold")})
    with pytest.raises(InputError, match="column verdict: found 'hold'"):
        made(job, tmp_path / "out")


def test_half_a_measurement_is_shown_and_is_no_verdict(job, tmp_path):
    half = {"measured": "half of it", "verdict": Verdict.NOT_RUN.value, "why": "the other half is to come"}
    ledger = job["inputs"]["ledger"] / "claims.csv"
    rewrite(ledger, ledger, lambda row: {**row, **half} if row["id"] == "fe3pt-dft-tc" else row)
    text = made(job, tmp_path / "out")
    assert "half of it" in text
    assert "Nothing was measured: the other half" not in text
    assert text.index("half of it") < text.index("Nothing was measured")


def test_a_column_is_written_for_comparison():
    assert formats.column(["0.0122", "1.2e-17", "-3e-18"]) == ["0.0122", "0.0000", "0.0000"]
    assert formats.column(["1e-4", "10"]) == ["0.0001", "10.0000"]
    assert formats.column(["1e-7", "10.5"]) == ["1.000×10⁻⁷", "1.050×10¹"]
    assert formats.column(["1", "", "3"]) == ["1", "", "3"]
    assert formats.column(["0.5", "nan", ""]) == ["0.5", "nan", ""]
    assert formats.column(["FM", "1.50"]) == ["FM", "1.50"]
    assert formats.column(["0.0", "0.0"]) == ["0.0", "0.0"]


def test_show_puts_the_page_in_its_place_once(text, tmp_path, capsys):
    arguments = [str(tmp_path / "ledger/claims.csv"), str(tmp_path / "out/index.html"), "x/record.json"]
    assert show.main(arguments) == 0
    line = capsys.readouterr().out
    assert line.startswith(
        "results/report/index.html: holds 1, does not hold 1, holds only with test labels 0"
    )
    shown = tmp_path / "results/report/index.html"
    assert shown.read_text(encoding="utf-8") == text
    assert [p.name for p in shown.parent.iterdir()] == ["index.html"]  # no temporary file is left
    before = shown.stat()
    assert show.main(arguments) == 0
    after = shown.stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    (tmp_path / "out/index.html").write_text("other", encoding="utf-8")
    assert show.main(arguments) == 0
    assert shown.read_text(encoding="utf-8") == "other"
    assert shown.stat().st_ino != before.st_ino  # renamed over it, never written into


def test_show_refuses_what_it_cannot_show(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert show.main(["results/report/ledger/0/record.json"]) == 1
    assert show.main(["nowhere/index.html"]) == 1
    assert "nowhere/index.html: found No such file" in capsys.readouterr().err
    assert not (tmp_path / "results").exists()


def test_show_starts_without_heavy_imports():
    code = "import sys, json, zenn.pipeline.report.show; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert not {"jinja2", "pandas", "numpy", "torch", "zenn.pipeline.report.page"} & set(
        json.loads(done.stdout)
    )
