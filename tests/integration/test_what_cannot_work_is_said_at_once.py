"""Whatever stands in the way of a start is one sentence, before anything has been started; no traceback, no JSON."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
import pytest_asyncio
from tests.integration.outside.neighbours import nobody, somebody_silent, somebody_who_answers
from tests.integration.outside.opsmend import Ran

pytestmark = pytest.mark.timeout(300)

TOKENS = {"OPSMEND_API_TOKEN": "a-token-of-webhooks", "OPSMEND_OPERATOR_TOKEN": "a-token-of-operators"}
PROGRESS = "asking the cluster of KUBECONFIG …"
STARTING = "starting Temporal, Milvus Lite, the workers and the API …"
READING = (["incidents"], ["incident", "web"], ["explain", "web"], ["approve", "web"], ["reject", "web", "--reason", "no"])


async def opsmend(folder: Path, *arguments: str, **environment: str) -> Ran:
    """`opsmend ARGUMENTS` in `folder`, with nothing of ours in the environment but `environment`."""
    # pytest-xdist tells its processes how wide the terminal is.
    own = ("OPSMEND_", "TEMPORAL_", "KUBE", "COLUMNS")
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(own)}
    command = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "opsmend.cli", *arguments),
        env={**inherited, "HOME": str(folder), **environment},
        cwd=folder, stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, err = await command.communicate()
    assert command.returncode is not None
    return Ran(command.returncode, out.decode(), err.decode())


def the_sentence(ran: Ran, code: int) -> str:
    """The one line that was said, beside those that tell how far it has come."""
    assert (ran.code, ran.out) == (code, ""), ran.err
    said = [line for line in ran.err.splitlines() if line not in (PROGRESS, STARTING)]
    assert len(said) == 1, ran.err
    return said[0]


def a_kubeconfig(folder: Path, port: int) -> dict[str, str]:
    path = folder / f"kubeconfig-{port}"
    path.write_text(
        f"""{{apiVersion: v1, kind: Config, current-context: x, users: [{{name: x, user: {{token: expired}}}}],
        clusters: [{{name: x, cluster: {{server: "http://127.0.0.1:{port}"}}}}],
        contexts: [{{name: x, context: {{cluster: x, user: x}}}}]}}"""
    )
    return {"KUBECONFIG": str(path)}


@pytest_asyncio.fixture
async def around() -> AsyncIterator[AsyncExitStack]:
    async with AsyncExitStack() as stack:
        yield stack


@pytest.mark.parametrize("command", [["up"], ["api"]], ids=" ".join)
async def test_a_port_that_another_program_has(tmp_path: Path, around: AsyncExitStack, command: list[str]) -> None:
    taken = await around.enter_async_context(somebody_who_answers("200 OK", '{"status": "ready"}'))
    told = the_sentence(await opsmend(tmp_path, *command, "--port", str(taken), **TOKENS), 78)
    assert f"Port {taken} of 127.0.0.1 cannot be used: another program listens there." in told
    assert "--port" in told


async def test_an_address_that_this_machine_does_not_have(tmp_path: Path) -> None:
    assert "--host" in the_sentence(await opsmend(tmp_path, "api", "--host", "192.0.2.1", **TOKENS), 78)
    assert "nowhere.invalid" in the_sentence(await opsmend(tmp_path, "api", "--host", "nowhere.invalid", **TOKENS), 78)


@pytest.mark.parametrize("port", ["99999", "-1", "http"])
async def test_a_port_that_is_none(tmp_path: Path, port: str) -> None:
    for command in ("up", "api"):
        refused = await opsmend(tmp_path, command, f"--port={port}")
        assert refused.code == 2
        assert "--port" in refused.err
        assert "Traceback" not in refused.err


@pytest.mark.parametrize("command", [["up"], ["demo"], *READING], ids=" ".join)
async def test_a_file_in_the_place_of_the_data_directory(tmp_path: Path, command: list[str]) -> None:
    (tmp_path / "file").touch()
    told = the_sentence(await opsmend(tmp_path, *command, "--data-dir", "file"), 78)
    assert str(tmp_path / "file") in told or "file/connection.json" in told
    assert "--data-dir" in told


async def test_a_file_in_the_place_of_a_workers_data_directory(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    told = the_sentence(await opsmend(tmp_path, "worker", OPSMEND_DATA_DIR="file"), 78)
    assert "OPSMEND_DATA_DIR" in told


@pytest.mark.skipif(sys.platform != "linux", reason="no /proc")
async def test_a_data_directory_that_nobody_can_write(tmp_path: Path) -> None:
    for place in ("/proc/opsmend", "/proc/self"):
        told = the_sentence(await opsmend(tmp_path, "up", "--data-dir", place), 78)
        assert "/proc/" in told
        assert "--data-dir" in told


async def test_no_kubeconfig(tmp_path: Path) -> None:
    for missing in ({}, {"KUBECONFIG": str(tmp_path / "nothing")}):
        assert "KUBECONFIG" in the_sentence(await opsmend(tmp_path, "up", "--port", str(nobody()), **missing), 78)
    assert not (tmp_path / ".opsmend" / "logs").exists()


async def test_a_kubeconfig_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "config").write_text("just: [text")
    told = the_sentence(await opsmend(tmp_path, "up", "--port", str(nobody()), KUBECONFIG=str(tmp_path / "config")), 78)
    assert "is no kubeconfig" in told


async def test_a_cluster_that_cannot_be_worked_with(tmp_path: Path, around: AsyncExitStack) -> None:
    silent = await around.enter_async_context(somebody_silent())
    unauthorized = await around.enter_async_context(somebody_who_answers("401 Unauthorized", '{"message": "Unauthorized"}'))
    broken = await around.enter_async_context(somebody_who_answers("500 Internal Server Error"))
    something = await around.enter_async_context(somebody_who_answers("200 OK", "<html>"))
    for port, expected in (
        (silent, "did not answer within 5 s"),
        (unauthorized, "does not take your credential (HTTP 401)"),
        (broken, "HTTP 500"),
        (something, "is this the Kubernetes API?"),
        (nobody(), "no answer"),
    ):
        told = the_sentence(await opsmend(tmp_path, "up", "--port", str(nobody()), **a_kubeconfig(tmp_path, port)), 1)
        assert f"http://127.0.0.1:{port}" in told
        assert expected in told
    assert not (tmp_path / ".opsmend" / "logs").exists()


async def test_a_temporal_that_does_not_answer(tmp_path: Path, around: AsyncExitStack) -> None:
    silent = await around.enter_async_context(somebody_silent())
    cluster = await around.enter_async_context(somebody_who_answers("200 OK", '{"gitVersion": "v1.34.0"}'))
    here = a_kubeconfig(tmp_path, cluster)
    for port, expected in (
        (silent, "no answer within 5 s"),
        (nobody(), "Connection refused"),
        (cluster, "does not speak gRPC"),
    ):
        for command in (["worker", "--role", "workflows"], ["up", "--port", str(nobody())]):
            told = the_sentence(await opsmend(tmp_path, *command, TEMPORAL_ADDRESS=f"127.0.0.1:{port}", **here), 1)
            assert f"127.0.0.1:{port} (TEMPORAL_ADDRESS)" in told
            assert expected in told


@pytest.mark.parametrize(
    ("environment", "named"),
    [
        pytest.param({"OPSMEND_POLICY__DIRECTORY": "nothing"}, "OPSMEND_POLICY__DIRECTORY", id="policies"),
        pytest.param(
            {"OPSMEND_SLACK__BOT_TOKEN": "xoxb-1", "OPSMEND_SLACK__CHANNEL": "#ops"},
            "OPSMEND_SLACK__SIGNING_SECRET",
            id="Slack",
        ),
    ],
)
async def test_what_a_part_would_only_find_later(tmp_path: Path, environment: dict[str, str], named: str) -> None:
    assert named in the_sentence(await opsmend(tmp_path, "up", "--port", str(nobody()), **environment), 78)


async def test_a_report_that_could_not_be_written(tmp_path: Path) -> None:
    refused = await opsmend(tmp_path, "demo", "--yes", "--report", "nowhere/report.json")
    assert refused.code == 2
    assert "--report" in refused.err


async def test_an_opsmend_that_does_not_answer(tmp_path: Path, around: AsyncExitStack) -> None:
    silent = await around.enter_async_context(somebody_silent())
    other = await around.enter_async_context(somebody_who_answers("200 OK", '{"status": "ready"}'))
    for port, expected in (
        (silent, "says nothing"),
        (other, "is not opsmend's API"),
        (nobody(), "does not answer"),
    ):
        told = the_sentence(await opsmend(tmp_path, "incidents", "--api", f"http://127.0.0.1:{port}"), 3)
        assert f"http://127.0.0.1:{port}" in told
        assert expected in told


@pytest.mark.parametrize("command", READING, ids=" ".join)
async def test_an_address_that_is_none(tmp_path: Path, command: list[str]) -> None:
    told = the_sentence(await opsmend(tmp_path, *command, "--api", "htp:/127.0.0.1"), 78)
    assert "OPSMEND_API_URL" in told
    assert "http://127.0.0.1:8080" in told


async def test_doctor_tells_of_all_that_does_not_answer(tmp_path: Path, around: AsyncExitStack) -> None:
    silent = await around.enter_async_context(somebody_silent())
    elsewhere: Mapping[str, str] = {
        "TEMPORAL_ADDRESS": f"127.0.0.1:{silent}",
        "OPSMEND_PROMETHEUS_URL": f"http://127.0.0.1:{silent}",
        "OPSMEND_MILVUS__URI": f"http://127.0.0.1:{silent}",
    }
    told = await opsmend(tmp_path, "doctor", **a_kubeconfig(tmp_path, silent), **elsewhere)
    assert told.code == 1
    assert told.err == "opsmend cannot do its work: Temporal, Kubernetes, Kubernetes: look.\n"
    assert "Traceback" not in told.out
    failed = [line.split("  ")[0] for line in told.out.splitlines() if line.startswith(("failed", "warning"))]
    assert len(failed) == 6, told.out
