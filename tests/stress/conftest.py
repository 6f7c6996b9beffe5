"""The checkout that the tests of the pipeline make once is the one that is attacked."""

from tests.pipeline.conftest import made, made_once, ready

__all__ = ["made", "made_once", "ready"]
