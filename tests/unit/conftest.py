"""Unit tests are pure: whoever opens a socket belongs into contract, workflows or integration."""

from collections.abc import Iterator

import pytest
from pytest_socket import disable_socket, enable_socket


@pytest.fixture(autouse=True)
def _no_sockets() -> Iterator[None]:
    """An event loop wakes itself by a pair of Unix sockets, which stay allowed."""
    disable_socket(allow_unix_socket=True)
    yield
    enable_socket()
