"""How many threads a client of ours takes, and that nobody else is told to take as few."""

import os
import subprocess
import sys

import pytest

CONNECT = """
import asyncio, os
from opsmend.adapters.temporal.connection import connect
before = len(os.listdir("/proc/self/task"))
asyncio.run(connect("127.0.0.1:1", "default", lazy=True))
print(len(os.listdir("/proc/self/task")) - before, os.environ.get("TOKIO_WORKER_THREADS"))
"""


def connected(**more: str) -> str:
    env = {name: value for name, value in os.environ.items() if name != "TOKIO_WORKER_THREADS"} | more
    return subprocess.run([sys.executable, "-c", CONNECT], env=env, capture_output=True, text=True, check=True).stdout.strip()


pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="threads are counted by /proc")


def test_a_client_takes_one_thread_for_the_sdk_and_hands_nothing_on_to_child_processes() -> None:
    assert connected() == "1 None"


def test_the_environment_may_say_otherwise() -> None:
    assert connected(TOKIO_WORKER_THREADS="3") == "3 3"
