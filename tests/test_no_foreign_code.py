"""No code of others is run: no pickle is loaded, no archive unpacked but by us, no YAML but the safe kind."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.test_repository import FILES, ROOT

CODE = [
    path
    for path in FILES
    if path.suffix in {".py", ".smk"}
    and path.relative_to(ROOT).parts[0] in {"zenn", "benchmarks", "workflow", "reports"}
] + [ROOT / "Snakefile"]

PICKLES = {"pickle", "_pickle", "cPickle", "cloudpickle", "dill", "joblib", "shelve", "marshal", "jsonpickle"}
UNSAFE = {
    *("read_pickle", "to_pickle", "extractall", "unpack_archive", "unsafe_load", "full_load", "load_all"),
    *("load_module", "load_source", "urlretrieve", "mktemp"),
}
RUN = {"eval", "exec", "compile", "__import__"}
TAR_OR_ZIP = {"tarfile", "zipfile"}
MAY_OPEN_ARCHIVES = {  # the one that unpacks, one that reads headers, one that looks whether it is whole
    "zenn/classification/datasets/archives.py",
    "zenn/classification/encoders/vit.py",
    "zenn/pipeline/fetching.py",
}
LOADERS = {"_Loader", "yaml.SafeLoader", "yaml.CSafeLoader"}


def findings(source: str, name: str) -> Iterator[str]:
    """What a program does that could run code of others, with its line."""
    tree = ast.parse(source)
    called: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            for alias in node.names:
                module = alias.name if isinstance(node, ast.Import) else node.module or ""
                whole = module if isinstance(node, ast.Import) else f"{module}.{alias.name}"
                called[alias.asname or alias.name.split(".")[0]] = (
                    whole if alias.asname else _known(node, whole)
                )
                if module.split(".")[0] in PICKLES:
                    yield f"{name}:{node.lineno}: import of {module}"
                if module.split(".")[0] in TAR_OR_ZIP and name not in MAY_OPEN_ARCHIVES:
                    yield f"{name}:{node.lineno}: {module} beside zenn.classification.datasets.archives"
        if isinstance(node, ast.ClassDef):
            for base in node.bases:
                if (
                    _dotted(base).startswith("yaml.")
                    and _dotted(base) not in LOADERS
                    and "Loader" in _dotted(base)
                ):
                    yield f"{name}:{node.lineno}: a loader of YAML that is not the safe one"
        if isinstance(node, ast.Call):
            yield from (f"{name}:{node.lineno}: {what}" for what in _call(node, called))


def _known(node: ast.Import | ast.ImportFrom, whole: str) -> str:
    return whole.split(".")[0] if isinstance(node, ast.Import) else whole


def _dotted(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return f"{_dotted(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else "?"


def _call(node: ast.Call, imported: dict[str, str]) -> Iterator[str]:
    first, _, rest = _dotted(node.func).partition(".")
    whole = imported.get(first, first) + (f".{rest}" if rest else "")
    given = {word.arg: word.value for word in node.keywords}
    last = whole.rpartition(".")[2]
    if last in UNSAFE or whole in RUN:
        yield f"{whole}()"
    if whole in ("numpy.load", "numpy.lib.npyio.load", "numpy.lib.format.read_array"):
        yield from _unless(given.get("allow_pickle"), False, f"{whole} without allow_pickle=False")
    elif whole == "numpy.fromfile" or (last == "allow_pickle"):
        yield whole
    if whole in ("torch.load", "torch.hub.load", "torch.jit.load", "torch.package"):
        yield from _unless(given.get("weights_only"), True, f"{whole} without weights_only=True")
    if whole == "yaml.load":
        loader = given.get("Loader") or (node.args[1] if len(node.args) > 1 else None)
        if loader is None or _dotted(loader) not in LOADERS:
            yield "yaml.load without a safe loader"
    if "trust_remote_code" in given:
        yield from _unless(given["trust_remote_code"], False, "trust_remote_code")
    if last == "from_pretrained" and "state_dict" not in given:  # it would look for files, pickles too
        yield from _unless(given.get("use_safetensors"), True, "from_pretrained without use_safetensors=True")


def _unless(found: ast.expr | None, wanted: bool, said: str) -> Iterator[str]:
    if not (isinstance(found, ast.Constant) and found.value is wanted):
        yield said


def _python(path: Path) -> str:
    """Snakemake's own syntax is not Python's: of its files the lines of Python alone."""
    source = path.read_text(encoding="utf-8")
    try:
        ast.parse(source)
    except SyntaxError:
        kept = [line for line in source.splitlines() if line.startswith(("import ", "from "))]
        return "\n".join(kept)
    return source


def test_no_pickle_is_loaded_and_no_code_of_others_run() -> None:
    assert len(CODE) > 200
    found = [what for path in CODE for what in findings(_python(path), str(path.relative_to(ROOT)))]
    assert found == []


@pytest.mark.parametrize(
    "source",
    [
        "import pickle",
        "from pickle import loads",
        "import joblib as j",
        "from cloudpickle import load",
        "import numpy as np\nnp.load('x')",
        "import numpy as np\nnp.load('x', allow_pickle=True)",
        "from numpy import load\nload('x')",
        "from numpy import load as read\nread('x')",
        "import torch\ntorch.load('x')",
        "import torch as t\nt.load('x', weights_only=False)",
        "import yaml\nyaml.load(text)",
        "import yaml\nyaml.load(text, Loader=yaml.FullLoader)",
        "import yaml\nyaml.unsafe_load(text)",
        "import yaml\nclass _Loader(yaml.UnsafeLoader): pass",
        "import zipfile",
        "import tarfile\ntarfile.open('x').extractall()",
        "import shutil\nshutil.unpack_archive('x')",
        "import pandas as pd\npd.read_pickle('x')",
        "eval('1')",
        "model.from_pretrained('x')",
        "model.from_pretrained('x', use_safetensors=True, trust_remote_code=True)",
    ],
)
def test_each_way_of_it_is_seen(source: str) -> None:
    assert list(findings(source, "some.py"))


@pytest.mark.parametrize(
    "source",
    [
        "import numpy as np\nnp.load('x', allow_pickle=False)",
        "import torch\ntorch.load('x', weights_only=True)",
        "import yaml\nyaml.load(text, Loader=_Loader)\nyaml.safe_load(text)",
        "import json\njson.load(file)\nre.compile('x')\nmodel.eval()",
    ],
)
def test_what_is_safe_is_left_alone(source: str) -> None:
    assert list(findings(source, "some.py")) == []
