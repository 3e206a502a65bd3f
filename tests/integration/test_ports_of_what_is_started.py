"""A port is chosen some time before the process that it is for listens on it."""

import socket
from pathlib import Path
from random import SystemRandom

import pytest

from opsmend.embedded import processes
from opsmend.embedded.processes import PartFailedError, free_port

CONNECTIONS = Path("/proc/sys/net/ipv4/ip_local_port_range")


@pytest.mark.skipif(not CONNECTIONS.exists(), reason="only Linux tells which ports it gives to connections")
def test_no_connection_gets_a_port_before_what_it_was_chosen_for_listens() -> None:
    first, last = map(int, CONNECTIONS.read_text().split())
    if first < 30_000:
        pytest.skip(f"this machine gives all ports from {first} to connections")
    assert not [port for port in (free_port() for _ in range(200)) if first <= port <= last]


def test_nobody_else_is_given_a_port_before_what_it_was_chosen_for_listens(monkeypatch: pytest.MonkeyPatch) -> None:
    first = SystemRandom().randrange(10_000, 19_000)
    monkeypatch.setattr(processes, "_PORTS", range(first, first + 20))
    monkeypatch.setattr(processes, "_MOST_TRIES", 20)
    given: list[int] = []
    with pytest.raises(PartFailedError, match="no loopback port"):
        given.extend(iter(free_port, 0))  # until there is none left
    assert given
    assert len(given) == len(set(given))
    for port in given:
        socket.create_server(("127.0.0.1", port)).close()


def test_the_preferred_port_is_taken_if_it_is_free() -> None:
    preferred = free_port()
    assert free_port(preferred) == preferred
    with socket.create_server(("127.0.0.1", preferred)):
        assert free_port(preferred) != preferred
