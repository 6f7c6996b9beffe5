"""What the steps that prepare data sets share."""

from __future__ import annotations

from pathlib import Path

from zenn.classification.datasets.mixing import Sources
from zenn.errors import InputError
from zenn.given import Given


def read_sources(given: Given) -> Sources:
    """The sources of a made data set; what is special to it stands in the same group."""
    return Sources(
        names=given.texts("names"),
        shares=given.numbers("shares"),
        label_noise=given.numbers("label_noise"),
        noisy_splits=given.texts("noisy_splits"),
    )


def file_of(path: Path, name: str) -> Path:
    """The file `name` in the folder of a step that fetched it, or a file that was given itself.

    Raises
    ------
    InputError : it is not there.
    """
    file = path / name if path.is_dir() else path
    if not file.is_file():
        raise InputError(file, "", "no file", f"{name}, fetched or put there by hand")
    return file
