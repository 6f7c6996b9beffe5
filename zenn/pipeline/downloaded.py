"""Where fetched files lie. Apart, as what looks there does not need what fetches."""

from __future__ import annotations

import os
from pathlib import Path

FOLDER = "downloads"
VARIABLE = "ZENN_DOWNLOADS"


def downloads(root: Path = Path()) -> Path:
    """The folder of fetched files of a checkout."""
    return (root / Path(os.environ.get(VARIABLE) or FOLDER).expanduser()).resolve()
