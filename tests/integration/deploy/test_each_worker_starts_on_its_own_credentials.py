"""What docker-compose.yml gives a worker is enough for it to do its work, on a Temporal that deploy/temporal set up."""

import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
import yaml
from tests.unit.deploy.compose_file import ROOT, SERVICES, environment, workers

from opsmend.adapters.temporal.connection import connect
from opsmend.agents.queues import ROLES, Role
from opsmend.embedded.processes import free_port
from opsmend.embedded.temporal_server import temporal_binary
from opsmend.workflows.search_attributes import ALL

PATHS: Final = {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
START_DEADLINE: Final = 100
"""Seconds for all workers side by side; alone on two cores they take about twenty."""

KUBECONFIG: Final = {
    "apiVersion": "v1",
    "kind": "Config",
    "current-context": "c",
    "clusters": [{"name": "c", "cluster": {"server": "https://192.0.2.1:6443"}}],
    "users": [{"name": "u", "user": {"token": "t"}}],
    "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
}


@pytest.fixture(scope="module")
def temporal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """A server with the namespace made by deploy/temporal/namespace.sh, run twice; the variables to reach it."""
    port = free_port()
    command = [str(temporal_binary()), "server", "start-dev", "--headless", "--ip", "127.0.0.1", "--port", str(port)]
    log = tmp_path_factory.mktemp("temporal") / "log"
    reach = {"TEMPORAL_ADDRESS": f"127.0.0.1:{port}", "TEMPORAL_NAMESPACE": "opsmend"}
    with log.open("w") as output, subprocess.Popen(command, stdout=output, stderr=output) as server:
        try:
            for _ in range(2):
                setup = ["sh", str(ROOT / "deploy/temporal/namespace.sh")]
                subprocess.run(setup, env={**PATHS, **reach, "HISTORY_KEPT": "720h"}, check=True, timeout=100)
            yield reach
        finally:
            server.terminate()


@pytest.fixture(scope="module")
def logs(temporal: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[Role, Path]]:
    """All workers, each with nothing but the environment of its service; the log of each."""
    folder = tmp_path_factory.mktemp("workers")
    kubeconfig = folder / "kubeconfig"
    kubeconfig.write_text(yaml.safe_dump(KUBECONFIG))
    started: list[subprocess.Popen[bytes]] = []
    try:
        for role in ROLES:
            service = workers()[role]
            command = [sys.executable, "-m", "opsmend.cli", *SERVICES[service]["command"]]
            with (folder / role).open("wb") as log:
                given = given_to(service, temporal, kubeconfig)
                started.append(subprocess.Popen(command, env=given, stdout=log, stderr=log, cwd=folder))
        yield {role: folder / role for role in ROLES}
    finally:
        for process in started:
            process.kill()
            process.wait()


def given_to(service: str, temporal: dict[str, str], kubeconfig: Path) -> dict[str, str]:
    """The environment of `service` as Compose makes it from a filled-in .env, with this machine's places in it."""
    filled_in = {
        name: re.sub(r"\$\{\w+:\?[^}]*\}", "secret", re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", value))
        for name, value in environment(service).items()
        if value is not None
    }
    places = {**temporal, "KUBECONFIG": str(kubeconfig), "OPSMEND_POLICY__DIRECTORY": str(ROOT / "deploy/policies")}
    # In Compose each container has this port for itself.
    places["OPSMEND_METRICS__PORT"] = str(free_port())
    return PATHS | filled_in | {name: place for name, place in places.items() if name in filled_in}


def is_healthy(service: str, temporal: dict[str, str]) -> bool:
    """The answer of the health check as Docker would run it."""
    question = SERVICES[service]["healthcheck"]["test"][1].replace("$$", "$")
    variables = {**PATHS, **temporal, "HOSTNAME": socket.gethostname()}
    return subprocess.run(["sh", "-c", question], env=variables, capture_output=True, check=False).returncode == 0


async def test_the_namespace_has_the_search_attributes_of_the_code(temporal: dict[str, str]) -> None:
    client = await connect(temporal["TEMPORAL_ADDRESS"], "opsmend")
    query = " AND ".join(f'{key.name} = "x"' for key in ALL)
    assert [run async for run in client.list_workflows(query)] == []


def test_a_worker_that_does_not_run_is_not_called_healthy(temporal: dict[str, str]) -> None:
    assert not any(is_healthy(service, temporal) for service in workers().values())


@pytest.mark.parametrize("role", ROLES)
def test_a_worker_polls_its_queue_with_nothing_but_its_own_environment(
    role: Role, temporal: dict[str, str], logs: dict[Role, Path]
) -> None:
    deadline = time.monotonic() + START_DEADLINE
    while not is_healthy(workers()[role], temporal):
        assert time.monotonic() < deadline, f"{role} was not seen polling: {logs[role].read_text()[-2000:]}"
        time.sleep(0.5)


def test_deployment_does_not_act_by_its_own_kubeconfig(temporal: dict[str, str], logs: dict[Role, Path]) -> None:
    test_a_worker_polls_its_queue_with_nothing_but_its_own_environment("deployment", temporal, logs)
    assert "executor.unset" not in logs["deployment"].read_text()
