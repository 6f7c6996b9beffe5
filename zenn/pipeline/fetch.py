"""A step that fetches files: copies of the verified downloads, and `manifest.json` about them."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from zenn.errors import InputError
from zenn.files import write_json
from zenn.pipeline.downloaded import downloads
from zenn.pipeline.fetching import Entry, fetch, verified_by
from zenn.pipeline.keys import file_digest


def run(params: Mapping[str, Any], inputs: Mapping[str, Path], out: Path) -> None:
    """Fetch `files`, a list of name, url, sha256 and md5; each is left under the last part of its name.

    The manifest holds the sha256 of every file, and what vouched for it.

    Raises
    ------
    InputError : a file cannot be had, or is not the expected one; two have the same last part.
    """
    manifest: list[dict[str, Any]] = []
    for values in params["files"]:
        entry = Entry(**values)
        place = out / PurePosixPath(entry.name).name
        if place.exists():
            raise InputError("parameters", "files", f"two files called {place.name}", "each name once")
        shutil.copyfile(fetch(entry, downloads()), place)
        said = {
            "sha256": file_digest(place),
            "bytes": place.stat().st_size,
            "verified_by": verified_by(entry),
        }
        manifest.append({"file": place.name, **entry._asdict(), **said})
    write_json(out / "manifest.json", manifest)
