"""Valid files, damaged: bits, cells, keys, headers and members that are almost right, as strategies."""

from __future__ import annotations

import gzip
import io
import json
import struct
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

Bytes = SearchStrategy[bytes]
Edit = Callable[[bytes], bytes]

CELLS = (
    *(
        "",
        " ",
        "nan",
        "-nan",
        "inf",
        "-Infinity",
        "1e999",
        "-1e999",
        "1e308",
        "5e-324",
        "0",
        "-1",
        "0.5",
        "1e15",
    ),
    *("٣", "１２", "1_0", "0x10", "1,5", "1.2.3", "true", "None", "\0", '"', "'", "#", "\x1f", "\u2028", "é"),
    *("9" * 400, "9" * 5000, "x" * 140_000, "../x", "/etc/passwd", "a" * 300, "\ufeff", "=1+1", "-", "\\"),
)
VALUES: tuple[Any, ...] = (
    *(
        None,
        True,
        False,
        0,
        -1,
        1,
        2,
        0.5,
        1e308,
        float("nan"),
        float("inf"),
        10**30,
        -(10**30),
        2**63,
        10**400,
    ),
    *("", "x", "nan", "../x", "\0", [], {}, [[]], [None], [1, "a"], {"a": 1}, "1", [0], [-1], "a" * 300),
)
DEEP = 100_000  # brackets: deeper than any recursion goes
NAMES = (
    *("../out", "/out", "a/../../out", "a\\..\\b", "C:/x", "", ".", "..", "./", "a//b", "\0", "a\0b", "é"),
    *("x" * 300, "a/" * 200 + "a", "~/x", "a/", "/", "CON", "a\nb", "-rf"),
)


def damaged(name: str, content: bytes) -> Bytes:
    """A file called `name`, damaged in a way that its kind can be."""
    end = Path(name).suffix
    kinds = [bits(content)]
    if end in (".csv", ".dat", "", ".xml", ".txt", ".sha256"):
        kinds += [lines(content, "," if end == ".csv" else " ")] * 3
    if end == ".json":
        kinds += [values(content)] * 3
    if end in (".yaml", ".yml"):
        kinds += [yaml(content)] * 3
    if end == ".safetensors":
        kinds += [tensors(content)] * 3
    if end in (".zip", ".npz"):
        kinds += [zipped(content)] * 2
    if end == ".npz":
        kinds += [arrays(content)] * 2
    if end in (".gz", ".tar"):
        kinds += [tar(content, packed=end == ".gz")] * 3
    return st.one_of(kinds)


def bits(content: bytes) -> Bytes:
    """A few bytes flipped, cut out, put in, doubled, or overwritten; or no more than a beginning."""
    size = len(content)
    place = st.integers(0, max(size - 1, 0))
    # headers are where lengths stand
    place = st.one_of(place, st.integers(0, min(512, max(size - 1, 0))))
    length = st.one_of(st.integers(1, 16), st.integers(1, max(size, 1)))
    put = st.one_of(
        st.sampled_from(
            [b"\0", b"\xff", b"\xff" * 8, b"\0" * 8, b"\xef\xbb\xbf", b"\r\n", b"\r", b"\n", b'"']
        ),
        st.integers(0, 2**64 - 1).map(lambda n: struct.pack("<Q", n)),
        st.binary(min_size=1, max_size=8),
    )
    edits = st.one_of(
        st.builds(lambda at, bit: _flip(at, bit), place, st.integers(0, 7)),
        st.builds(lambda at: lambda old: old[:at], place),
        st.builds(lambda at, n: lambda old: old[:at] + old[at + n :], place, length),
        st.builds(lambda at, new: lambda old: old[:at] + new + old[at:], place, put),
        st.builds(lambda at, new: lambda old: old[:at] + new + old[at + len(new) :], place, put),
        st.builds(lambda at, n: lambda old: old[: at + n] + old[at:], place, length),
    )
    return _edited(content, edits)


def lines(content: bytes, separator: str) -> Bytes:
    """A table of which cells, rows, columns or line ends have changed."""
    text = content.decode()
    rows = text.splitlines()
    row = st.integers(0, max(len(rows) - 1, 0))
    row = st.one_of(row, st.integers(0, min(3, max(len(rows) - 1, 0))))
    column, cell = st.integers(0, 20), st.sampled_from(CELLS)

    def cells(change: Callable[[list[str]], object], at: int | None = None) -> Edit:
        def edit(old: bytes) -> bytes:
            table = [line.split(separator) for line in old.decode("utf-8", "replace").splitlines()]
            for number, fields in enumerate(table):
                if at is None or number == at % len(table):
                    change(fields)
            return ("\n".join(map(separator.join, table)) + "\n").encode("utf-8", "replace")

        return edit

    def put(i: int, new: str) -> Callable[[list[str]], object]:
        return lambda fields: fields.__setitem__(i % len(fields), new)

    def drop(i: int) -> Callable[[list[str]], object]:
        return lambda fields: fields.pop(i % len(fields)) if len(fields) > 1 else None

    def double(i: int) -> Callable[[list[str]], object]:
        return lambda fields: fields.insert(0, fields[i % len(fields)])

    def moved(change: Callable[[list[str]], object]) -> Edit:
        def edit(old: bytes) -> bytes:
            all_lines = old.decode("utf-8", "replace").splitlines()
            change(all_lines)
            return ("\n".join(all_lines) + "\n").encode("utf-8", "replace")

        return edit

    edits = st.one_of(
        st.builds(lambda at, i, new: cells(put(i, new), at), row, column, cell),
        st.builds(lambda i, new: cells(put(i, new)), column, cell),  # in every row
        st.builds(lambda at, i: cells(drop(i), at), row, column),
        st.builds(lambda i: cells(drop(i)), column),
        st.builds(lambda i: cells(double(i)), column),
        st.builds(lambda at, i: cells(double(i), at), row, column),
        st.builds(lambda at: moved(lambda all_: all_.pop(at % len(all_)) if all_ else None), row),
        st.builds(lambda at: moved(lambda all_: all_.append(all_[at % len(all_)]) if all_ else None), row),
        st.builds(lambda at, new: moved(lambda all_: all_.insert(at, new)), row, cell),
        st.sampled_from(
            [
                lambda old: b"\xef\xbb\xbf" + old,
                lambda old: old.replace(b"\n", b"\r\n"),
                lambda old: old.replace(b"\n", b"\r"),
                lambda old: old.rstrip(b"\n"),
                lambda old: old + b"\0",
                lambda old: old.decode("utf-8", "replace").encode("utf-16"),
                lambda old: old[:0],
                lambda old: old.split(b"\n")[0] + b"\n",
                lambda old: old.replace(b",", b";"),
                lambda old: b'"' + old,
                lambda old: old.replace(b"0", "٠".encode()),
            ]
        ),
    )
    return _edited(content, edits)


def values(content: bytes) -> Bytes:
    """A JSON document of which one value or name has changed, or that is too deep."""
    said = json.loads(content)
    changed = _changed(said).map(_json)
    deep = st.sampled_from([b"[" * DEEP, b'{"a":' * DEEP, b"[" * 900 + b"]" * 900])
    twice = st.just(content.rstrip().removesuffix(b"}") + b', "a": 1, "a": 2}')
    return st.one_of(changed, changed, changed, deep, twice)


def yaml(content: bytes) -> Bytes:
    """A YAML document with a line that says something else."""
    odd = (
        *(
            "2001-99-99",
            "2001-01-01",
            "!!int x",
            "!!float x",
            "!!binary x",
            "!!timestamp x",
            "1e5",
            "0b",
            "0o9",
        ),
        *(
            "!!python/object/apply:os.system [x]",
            "!!python/name:os.system",
            "*a",
            "&a [*a]",
            "<<: 3",
            "? [a]",
        ),
        *("1:60:00", "1" * 5000, ".nan", "-.inf", "=", "!!set {a}", "!!omap [a]", "!!pairs [a]", "~", "yes"),
        *(
            "[" * 900,
            "{a: " * 2000,
            "|",
            ">",
            "- a",
            "'",
            "%YAML 9.9",
            "---",
            "...",
            "\t",
            "@",
            "`",
            "{}",
            "[]",
        ),
        *(
            "-1",
            "0",
            "1e999",
            "x",
            "1.0e+400",
            "[1, 2, 3]",
            "null",
            "true",
            "{a: b}",
            "!!str",
            "!<tag> x",
            "\x07",
        ),
    )
    rows = content.decode().splitlines()
    row = st.integers(0, len(rows) - 1)

    def at(n: int, new: str, kind: str) -> Edit:
        def edit(old: bytes) -> bytes:
            all_ = old.decode("utf-8", "replace").splitlines() or [""]
            i = n % len(all_)
            name, colon, _ = all_[i].partition(":")
            if kind == "value":
                all_[i] = f"{name}{colon} {new}"
            elif kind == "name":
                all_[i] = f"{new}: 1"
            elif kind == "double":
                all_.insert(i, all_[i])
            elif kind == "drop":
                all_.pop(i)
            else:
                all_[i] = f" {all_[i]}"
            return ("\n".join(all_) + "\n").encode("utf-8", "replace")

        return edit

    kinds = st.sampled_from(["value"] * 5 + ["name", "double", "drop", "indent"])
    return _edited(content, st.builds(at, row, st.sampled_from([*odd, *CELLS]), kinds))


def tensors(content: bytes) -> Bytes:
    """A safetensors file whose header says something else, or whose notes do."""
    (size,) = struct.unpack("<Q", content[:8])
    header, rest = json.loads(content[8 : 8 + size]), content[8 + size :]

    def packed(said: Any) -> bytes:
        text = said if isinstance(said, bytes) else _json(said)
        return struct.pack("<Q", len(text)) + text + rest

    kinds = [
        _changed(header).map(packed),
        st.sampled_from([b"[" * DEEP, b"", b"{}", b"[]", b"null"]).map(packed),
    ]
    notes = header.get("__metadata__", {})
    for name, text in notes.items():
        try:
            said = json.loads(text)
        except ValueError:
            continue
        if isinstance(said, dict | list):

            def noted(new: bytes, name: str = name) -> bytes:
                return packed({**header, "__metadata__": {**notes, name: new.decode("utf-8", "replace")}})

            kinds += [st.one_of(_changed(said).map(_json), st.just(b"[" * DEEP)).map(noted)] * 2
    return st.one_of(kinds)


def arrays(content: bytes) -> Bytes:
    """An .npz whose arrays are of another type or shape, pickles among them, or no arrays at all."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    heads = (
        *("{'descr': '|O', 'fortran_order': False, 'shape': (1,), }", "{'descr': '<f8', 'shape': (1,), }"),
        *("{'descr': '<f4', 'fortran_order': True, 'shape': (-1,), }", "{", "", "1", "[" * 5000, "(" * 300),
        *(
            "{'descr': '<f4', 'fortran_order': False, 'shape': (10**30,), }",
            "__import__('os')",
            "{'descr': 1}",
        ),
        *(
            "{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999, 99999999999), }",
            "\0",
            "{1: 2, []: 3}",
        ),
        *("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (), }", "{'descr': '<U999999999999'}"),
    )

    def headed(head: str, version: int) -> bytes:
        text = head.encode("latin-1")
        length = struct.pack("<H", len(text)) if version == 1 else struct.pack("<I", len(text))
        return b"\x93NUMPY" + bytes([version, 0]) + length + text

    made = st.builds(headed, st.sampled_from(heads), st.sampled_from([1, 2, 3, 9]))
    name = st.sampled_from([*files])

    def with_member(which: str, new: bytes) -> bytes:
        return _zip({**files, which: new})

    inner = name.flatmap(lambda which: bits(files[which]).map(lambda new: with_member(which, new)))
    return st.one_of(st.builds(with_member, name, made), inner)


def zipped(content: bytes) -> Bytes:
    """A zip with a member that is called otherwise, gone, twice there, or of an odd kind."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    return st.one_of(
        st.builds(lambda old, new: _zip(_renamed(files, old, new)), _one(files), st.sampled_from(NAMES)),
        st.builds(lambda old: _zip({k: v for k, v in files.items() if k != old}), _one(files)),
        st.builds(lambda old, mode: _zip(files, {old: mode << 16}), _one(files), st.integers(0, 0o177777)),
        st.builds(lambda new: _zip({**files, new: b"x"}), st.sampled_from(NAMES)),
        st.builds(lambda old, new: _zip({**files, old: new}), _one(files), st.binary(max_size=64)),
    )


def tar(content: bytes, *, packed: bool) -> Bytes:
    """A tar that is damaged inside its packing, or with a member of an odd name or kind."""
    plain = gzip.decompress(content) if packed else content
    files: dict[str, bytes] = {}
    with tarfile.open(fileobj=io.BytesIO(plain)) as archive:
        for member in archive:
            handle = archive.extractfile(member)
            files[member.name] = handle.read() if handle else b""

    def made(name: str, kind: bytes, link: str) -> bytes:
        out = io.BytesIO()
        with tarfile.open(fileobj=out, mode="w") as archive:
            for known, value in [*files.items(), (name, b"x")]:
                member = tarfile.TarInfo(known)
                member.size = len(value)
                if known == name:
                    member.type, member.linkname = kind, link
                archive.addfile(member, io.BytesIO(value))
        return out.getvalue()

    # every byte but NUL is a kind of member that somebody may have written
    kind = st.one_of(
        st.sampled_from([bytes([n]) for n in b"0123456789xgLKSDAVNX"]), st.binary(min_size=1, max_size=1)
    )
    odd = st.builds(
        made, st.sampled_from([n for n in NAMES if "\0" not in n]), kind, st.sampled_from(["/etc", "../x"])
    )
    inside = st.one_of(bits(plain), odd)
    return inside.map(lambda new: gzip.compress(new, 1)) if packed else inside


def _edited(content: bytes, edits: SearchStrategy[Edit]) -> Bytes:
    def apply(chosen: list[Edit]) -> bytes:
        new = content
        for edit in chosen:
            new = edit(new) if new else new
        return new

    return st.lists(edits, min_size=1, max_size=3).map(apply)


def _flip(at: int, bit: int) -> Edit:
    def edit(old: bytes) -> bytes:
        new = bytearray(old)
        new[at % len(new)] ^= 1 << bit
        return bytes(new)

    return edit


def _changed(said: Any) -> SearchStrategy[Any]:
    """One value, name or entry of nested lists and mappings put otherwise."""
    places: list[tuple[Any, ...]] = []

    def look(value: Any, path: tuple[Any, ...]) -> None:
        places.append(path)
        inner = (
            value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
        )
        for key, each in inner:
            look(each, (*path, key))

    look(said, ())
    # few of many alike: the first ones of every list
    few = [path for path in places if all(not isinstance(key, int) or key < 3 for key in path)]

    def change(path: tuple[Any, ...], how: str, new: Any) -> Any:
        if not path:
            return new
        copy = json.loads(json.dumps(said))
        inner = copy
        for key in path[:-1]:
            inner = inner[key]
        if how == "drop":
            inner.pop(path[-1])
        elif how == "rename" and isinstance(inner, dict):
            inner[str(new)[:50]] = inner.pop(path[-1])
        elif how == "wrap":
            inner[path[-1]] = [inner[path[-1]]]
        elif how == "number" and isinstance(inner[path[-1]], int | float):
            inner[path[-1]] = inner[path[-1]] * -3 + 1
        else:
            inner[path[-1]] = new
        return copy

    how = st.sampled_from(["put"] * 4 + ["drop", "rename", "wrap", "number"])
    return st.builds(change, st.sampled_from(few), how, st.sampled_from(VALUES))


def _json(value: Any) -> bytes:
    return json.dumps(value).encode()


def _one(files: dict[str, bytes]) -> SearchStrategy[str]:
    return st.sampled_from([*files])


def _renamed(files: dict[str, bytes], old: str, new: str) -> dict[str, bytes]:
    return {new if name == old else name: value for name, value in files.items()}


def _zip(files: dict[str, bytes], modes: dict[str, int] | None = None) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, value in files.items():
            info = zipfile.ZipInfo(name.replace("\0", "\x01"))
            info.filename = name
            info.external_attr = (modes or {}).get(name, 0o100644 << 16)
            archive.writestr(info, value)
    return out.getvalue()
