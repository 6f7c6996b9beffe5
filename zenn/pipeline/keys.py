"""A step's key: the sha256 of everything its result depends on, and of nothing else.

Code enters as source text without comments and docstrings, cut by position, so that a remark reruns
nothing and every Python version computes the same key (`ast.dump` differs between versions).
"""

from __future__ import annotations

import ast
import hashlib
import io
import json
import re
import tokenize
from pathlib import Path
from typing import Any

KEY_LENGTH = 16


def digest(content: bytes | str) -> str:
    """Full sha256 of `content` in hexadecimal."""
    return hashlib.sha256(content.encode() if isinstance(content, str) else content).hexdigest()


def file_digest(path: Path) -> str:
    """Full sha256 of a file's bytes, read in pieces."""
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def canonical_json(value: Any) -> str:
    """One text for one value: sorted keys, no white space, no NaN."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False, ensure_ascii=True)


def key_of(spec: dict[str, Any]) -> str:
    """The key of a step's specification: the first 16 hexadecimal digits of its canonical JSON's sha256."""
    return digest(canonical_json(spec))[:KEY_LENGTH]


def essence(source: str) -> str:
    """`source` without comments, docstrings and blank lines; the inside of other strings is untouched.

    >>> essence('x = 1  # why\\n\\n# more\\ny = 2\\n')
    'x = 1\\ny = 2\\n'
    """
    text = _Text(source)
    kept, position = [], 0
    for begin, end in sorted([*_comments_and_blank_lines(text), *_docstrings(text)]):
        if begin > position:
            kept.append(source[position:begin])
        position = max(position, end)
    return "".join([*kept, source[position:]])


def essence_of_notebook(source: str) -> str:
    """A percent-format notebook without the comments in its code; its prose is content and stays."""
    cells = re.split(r"^# %%", source, flags=re.MULTILINE)
    kept = []
    for cell in cells:
        heading, _, body = cell.partition("\n")
        kept.append(f"{heading}\n{body if '[markdown]' in heading else essence(body)}")
    return "# %%".join(kept)


class _Text:
    """Source text with positions counted from its beginning."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.lines = list(io.StringIO(source))  # str.splitlines also breaks at form feeds
        self.starts = [0]
        for line in self.lines:
            self.starts.append(self.starts[-1] + len(line))

    def at(self, row: int, column: int) -> int:
        """Position of a tokenizer's (row, column): rows from 1, columns in characters."""
        return self.starts[row - 1] + column

    def at_byte(self, row: int, column: int) -> int:
        """Position of an ast node's (row, column), which counts columns in UTF-8 bytes."""
        return self.starts[row - 1] + len(self.lines[row - 1].encode()[:column].decode())

    def with_white_space(self, begin: int, end: int) -> tuple[int, int]:
        """The range with the blanks before it and, when nothing else is on its line, the line's end."""
        while begin > 0 and self.source[begin - 1] in " \t":
            begin -= 1
        alone = begin == 0 or self.source[begin - 1] == "\n"
        if alone and self.source[end : end + 1] == "\n":
            end += 1
        return begin, end


def _comments_and_blank_lines(text: _Text) -> list[tuple[int, int]]:
    tokens = tokenize.generate_tokens(io.StringIO(text.source).readline)
    cuts = []
    for t in tokens:
        begin, end = text.at(*t.start), text.at(*t.end)
        if t.type == tokenize.COMMENT or (t.type == tokenize.NL and not t.line.strip()):
            cuts.append(text.with_white_space(begin, end))
        elif t.type in (tokenize.NEWLINE, tokenize.NL):
            cuts.append(text.with_white_space(begin, begin))  # blanks at the end of a line
    return cuts


def _docstrings(text: _Text) -> list[tuple[int, int]]:
    found = []
    for node in ast.walk(ast.parse(text.source)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            if ast.get_docstring(node, clean=False) is None:
                continue
            doc = node.body[0]
            begin = text.at_byte(doc.lineno, doc.col_offset)
            end = text.at_byte(doc.end_lineno or 0, doc.end_col_offset or 0)
            found.append(text.with_white_space(begin, end))
    return found
