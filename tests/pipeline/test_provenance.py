"""Facts of a run: the machine by name, with the GPUs that the process may use and no others."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from zenn.pipeline import provenance


@pytest.fixture
def two_gpus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine whose driver names two devices of one kind."""
    program = tmp_path / "nvidia-smi"
    program.write_text("#!/bin/sh\nprintf 'NVIDIA H200\\nNVIDIA H200\\n'\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")


@pytest.mark.usefixtures("two_gpus")
def test_accelerators_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    assert provenance.hardware().endswith(f"{os.cpu_count()} cores, 2 x NVIDIA H200")


@pytest.mark.usefixtures("two_gpus")
def test_a_job_that_sees_none_names_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert provenance.hardware().endswith(f"{os.cpu_count()} cores")


def test_a_machine_without_the_pipeline_has_versions_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(provenance, "PACKAGES", ("numpy", "no-such-package"))
    assert set(provenance.versions()) == {"numpy"}
