"""The working tree as the plan sees it: content hashes of code and files, read once per plan."""

from __future__ import annotations

import ast
import io
from functools import cached_property
from pathlib import Path

import grimp

import zenn
from zenn.errors import InputError
from zenn.pipeline.keys import KEY_LENGTH, canonical_json, digest, essence, essence_of_notebook
from zenn.pipeline.remembered import Remembered

PACKAGE = "zenn"
NOTEBOOKS = "reports/notebooks/"


class Tree:
    """Hashes of one checkout at one moment.

    `code(module)` follows imports statically: what the module imports (also lazily and for typing), what
    that imports, and the `__init__` of every package on the way, which Python runs on import.
    """

    def __init__(self, root: Path) -> None:
        imported_from = Path(zenn.__file__).resolve().parent
        if imported_from != (root / PACKAGE).resolve():
            # Keys of one checkout must never be computed from another's code.
            raise InputError(
                "this command",
                "package zenn",
                f"{imported_from}",
                f"{(root / PACKAGE).resolve()}",
                "Run it as `python -m zenn ...` in the folder of the checkout.",
            )
        self.root = root
        self._hash_of_module: dict[str, str] = {}
        self._hash_of_file: dict[str, str] = {}
        self._closure_of: dict[str, frozenset[str]] = {}
        self._remembered = Remembered(root)

    def file(self, path: str) -> str:
        """Sha256 (shortened) of a file's bytes, or of a notebook's essence; `path` is below the root."""
        if path not in self._hash_of_file:
            try:
                content = (self.root / path).read_bytes()
            except OSError as error:
                raise InputError(path, "", error.strerror, "a readable file") from None
            text = essence_of_notebook(content.decode()) if path.startswith(NOTEBOOKS) else content
            self._hash_of_file[path] = digest(text)[:KEY_LENGTH]
        return self._hash_of_file[path]

    def code(self, *modules: str) -> dict[str, str]:
        """Module name -> hash of its text without comments, for the import closure of `modules`."""
        closure = frozenset().union(*(self._closure(module) for module in modules))
        return {module: self._module_hash(module) for module in sorted(closure)}

    def notebook_imports(self, path: str) -> tuple[str, ...]:
        """The modules of this package that a percent-format notebook imports."""
        self.file(path)  # a missing notebook is named as one
        try:
            cells = ast.parse((self.root / path).read_text(encoding="utf-8"))
        except SyntaxError as error:
            raise InputError(path, f"line {error.lineno}", error.msg, "Python in percent format") from None
        names = set()
        for node in ast.walk(cells):
            if isinstance(node, ast.Import):
                names |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
        return tuple(sorted(names & self._everything.modules))

    def remember(self) -> None:
        """Spare the processes to come, this plan's jobs above all, what was found out here."""
        if self._remembered.new and self._state == _state(_read_sources(self.root)):
            self._remembered.save()  # no closure came from files that were edited meanwhile

    def _closure(self, module: str) -> frozenset[str]:
        if module not in self._closure_of:
            known = self._remembered.closure(self._state, module)
            self._closure_of[module] = known or self._found_closure(module)
        return self._closure_of[module]

    def _found_closure(self, module: str) -> frozenset[str]:
        if module not in self._everything.modules:
            raise InputError(str(self.root), f"module {module}", "nothing", "a module of this package")
        found: set[str] = set()
        todo = {module} | self._everything.find_upstream_modules(module)
        while todo:
            found |= todo
            packages = {a for m in todo for a in _ancestors(m)} - found
            # A package's own __init__ runs on import; what it offers lazily does not.
            todo = packages | {u for p in packages for u in self._eager.find_upstream_modules(p)}
            todo -= found
        self._remembered.add_closure(self._state, module, frozenset(found))
        return frozenset(found)

    def _module_hash(self, module: str) -> str:
        if module not in self._hash_of_module:
            content = self._sources[self._module_file(module)]
            known = self._remembered.hashes.get(digest(content))
            if known is None:
                known = digest(essence(_text(content)))[:KEY_LENGTH]
                self._remembered.add_hash(digest(content), known)
            self._hash_of_module[module] = known
        return self._hash_of_module[module]

    def _module_file(self, module: str) -> str:
        path = module.replace(".", "/")
        return f"{path}.py" if f"{path}.py" in self._sources else f"{path}/__init__.py"

    @cached_property
    def _sources(self) -> dict[str, bytes]:
        return _read_sources(self.root)

    @cached_property
    def _state(self) -> str:
        return _state(self._sources)

    @cached_property
    def _everything(self) -> grimp.ImportGraph:
        return self._graph(exclude_type_checking_imports=False)

    @cached_property
    def _eager(self) -> grimp.ImportGraph:
        return self._graph(exclude_type_checking_imports=True)

    def _graph(self, exclude_type_checking_imports: bool) -> grimp.ImportGraph:
        return grimp.build_graph(
            PACKAGE, exclude_type_checking_imports=exclude_type_checking_imports, cache_dir=None
        )


def _ancestors(module: str) -> list[str]:
    parts = module.split(".")
    return [".".join(parts[:n]) for n in range(1, len(parts))]


def _read_sources(root: Path) -> dict[str, bytes]:
    """Path below the root -> content of every module of the package."""
    return {str(path.relative_to(root)): path.read_bytes() for path in (root / PACKAGE).rglob("*.py")}


def _state(sources: dict[str, bytes]) -> str:
    return digest(canonical_json({path: digest(content) for path, content in sources.items()}))


def _text(source: bytes) -> str:
    """As `read_text` reads it."""
    return io.TextIOWrapper(io.BytesIO(source), encoding="utf-8").read()
