"""The working tree as the plan sees it: content hashes of code and files, read once per plan."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from functools import cached_property
from pathlib import Path

import grimp

import zenn
from zenn.errors import InputError
from zenn.pipeline.keys import KEY_LENGTH, digest, essence, essence_of_notebook

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

    def hashes(self, modules: Iterable[str]) -> dict[str, str]:
        """Module name -> hash of its text without comments; of one that is gone, nothing."""
        return {
            name: self._module_hash(name) for name in sorted(modules) if self._module_file(name).is_file()
        }

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

    def _closure(self, module: str) -> frozenset[str]:
        if module not in self._closure_of:
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
            self._closure_of[module] = frozenset(found)
        return self._closure_of[module]

    def _module_hash(self, module: str) -> str:
        if module not in self._hash_of_module:
            text = self._module_file(module).read_text(encoding="utf-8")
            self._hash_of_module[module] = digest(essence(text))[:KEY_LENGTH]
        return self._hash_of_module[module]

    def _module_file(self, module: str) -> Path:
        path = self.root.joinpath(*module.split("."))
        return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")

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
