"""A step that fetches files: copies of the verified downloads, and `manifest.json` about them."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from zenn.files import write_json
from zenn.pipeline.fetching import Entry, downloads, fetch


def run(params: Mapping[str, Any], inputs: Mapping[str, Path], out: Path) -> None:
    """Fetch `files`, a list of name, url and sha256 each; a file is left under the last part of its name.

    Raises
    ------
    InputError : a file cannot be had, or is not the expected one.
    """
    manifest = []
    for values in params["files"]:
        entry = Entry(**values)
        place = out / PurePosixPath(entry.name).name
        shutil.copyfile(fetch(entry, downloads()), place)
        manifest.append({"file": place.name, **entry._asdict(), "bytes": place.stat().st_size})
    write_json(out / "manifest.json", manifest)
