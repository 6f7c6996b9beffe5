"""`zenn <group> ...` as a user runs it, for the tests of one group of commands."""

import shlex
import sys
from pathlib import Path

import pytest

from zenn.cli import main


@pytest.fixture
def zenn(request, monkeypatch, capsys, tmp_path):
    """`zenn <the module's GROUP> ...` in an empty folder: its status, what it prints and says of errors."""
    monkeypatch.chdir(tmp_path)

    def run(line):
        monkeypatch.setattr(sys, "argv", ["zenn", request.module.GROUP, *shlex.split(str(line))])
        with pytest.raises(SystemExit) as left:
            main()
        printed = capsys.readouterr()
        return left.value.code or 0, printed.out, printed.err

    return run


def names(folder):
    return {path.name for path in Path(folder).iterdir()}
