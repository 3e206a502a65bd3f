"""A port is chosen some time before the process that it is for listens on it."""

import socket
from pathlib import Path

import pytest

from opsmend.embedded.processes import free_port

CONNECTIONS = Path("/proc/sys/net/ipv4/ip_local_port_range")


@pytest.mark.skipif(not CONNECTIONS.exists(), reason="only Linux tells which ports it gives to connections")
def test_no_connection_gets_a_port_before_what_it_was_chosen_for_listens() -> None:
    first, last = map(int, CONNECTIONS.read_text().split())
    if first < 30_000:
        pytest.skip(f"this machine gives all ports from {first} to connections")
    assert not [port for port in (free_port() for _ in range(200)) if first <= port <= last]


def test_the_preferred_port_is_taken_if_it_is_free() -> None:
    preferred = free_port()
    assert free_port(preferred) == preferred
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", preferred))
        taken.listen()
        assert free_port(preferred) != preferred
