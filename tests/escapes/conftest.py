"""One set of accounts for all tests: they only ask, and change nothing."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.escapes.accounts import Grounds, prepared


@pytest.fixture(scope="session")
def grounds() -> Iterator[Grounds]:
    path = os.environ.get("OPSMEND_TEST_KUBECONFIG")
    if not path:
        pytest.skip("OPSMEND_TEST_KUBECONFIG names no real cluster (make lab-up)")
    with prepared(Path(path)) as found:
        yield found
