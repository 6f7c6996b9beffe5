"""The checkout that the tests of the pipeline make once is the one that is attacked."""

import pytest

from tests.pipeline.checkout import Checkout
from tests.pipeline.conftest import made, made_once, ready
from tests.stress.attacked import Attacked

__all__ = ["made", "made_once", "ready"]


@pytest.fixture
def attacked(ready: Checkout) -> Attacked:
    return Attacked(ready.folder)
