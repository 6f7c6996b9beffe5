"""`python -m zenn.pipeline.report.show PAGE [RECORD...]`: put the made page where people look for it.

The page of a run lies under its key; this copies it to `results/report/index.html` and says where it is and
how many claims have which verdict. It runs at the end of every `make run`, so it imports next to nothing.
"""

from __future__ import annotations

import html
import re
import sys
from pathlib import Path

from zenn.errors import InputError, ZennError
from zenn.files import atomic_file

SHOWN = Path("results/report/index.html")
VERDICTS = re.compile(r'<meta name="zenn-verdicts" content="([^"]*)">')


def show(page: Path, shown: Path = SHOWN) -> str:
    """Copy `page` to `shown` unless it is there already; returns the line to print.

    Raises
    ------
    InputError : the page cannot be read.
    """
    try:
        content = page.read_bytes()
    except OSError as error:
        raise InputError(page, "", error.strerror, "the page that the step report/page wrote") from None
    if not shown.is_file() or shown.read_bytes() != content:
        with atomic_file(shown) as temporary:
            temporary.write_bytes(content)
    counts = VERDICTS.search(content[:4096].decode("utf-8", errors="ignore"))
    return f"{shown}: {html.unescape(counts[1]) if counts else 'verdicts not recorded'}"


def main(argv: list[str]) -> int:
    """Entry point; returns the exit status."""
    pages = [argument for argument in argv if Path(argument).name == "index.html"]
    try:
        if len(pages) != 1:
            raise InputError("arguments", "", f"{len(pages)} paths to an index.html", "exactly one")
        print(show(Path(pages[0])))
    except ZennError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"error: {SHOWN}: found '{error.strerror}', expected a place one can write to", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
