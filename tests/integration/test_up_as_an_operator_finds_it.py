"""`opsmend up` as an operator finds it: its data directory, its metrics, its old artifacts, what the README has one type.

A data directory belongs to one opsmend until the last process that it started has ended.
"""

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path

import httpx
import psutil
import pytest
from tests.integration.outside.cluster import Cluster
from tests.integration.outside.neighbours import somebody_who_answers
from tests.integration.outside.opsmend import Opsmend, is_gone
from tests.integration.outside.waiting import eventually
from tests.unit.deploy.compose_file import ROOT

from opsmend.embedded import data_directory
from opsmend.embedded.data_directory import DataDirectoryInUseError, claim
from opsmend.embedded.processes import free_port
from opsmend.embedded.up import _answers

OWNER = """
import subprocess, sys, time
from pathlib import Path
from opsmend.embedded.data_directory import claim
held = claim(Path(sys.argv[1]))
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], pass_fds=(held.lock,))
print(child.pid, flush=True)
time.sleep(600)
"""


@pytest.mark.asyncio(loop_scope="session")
@pytest.mark.timeout(300)
async def test_a_second_one_says_who_has_it_and_leaves_everything_alone(opsmend: Opsmend) -> None:
    assert opsmend.process is not None
    before = {name: part.pid for name, part in opsmend.tree().items()}
    for command in (["up", "--port", str(free_port())], ["demo", "--yes"]):
        refused = await opsmend.run(*command, "--data-dir", str(opsmend.data_dir))
        assert refused.code == 1
        (sentence,) = refused.err.splitlines()
        assert f"another opsmend (pid {opsmend.process.pid})" in sentence
    assert {name: part.pid for name, part in opsmend.tree().items()} == before
    async with opsmend.client() as http:
        assert (await http.get("/readyz")).status_code == 200


@pytest.mark.asyncio(loop_scope="session")
@pytest.mark.timeout(300)
async def test_metrics_of_every_part_are_where_one_file_says(opsmend: Opsmend) -> None:
    told = {entry["labels"]["part"]: entry["targets"] for entry in json.loads((opsmend.data_dir / "metrics.json").read_text())}
    assert told.keys() == {"api", "worker", "temporal"}
    async with httpx.AsyncClient(trust_env=False) as http:
        shown = {part: (await http.get(f"http://{targets[0]}/metrics")).text for part, targets in told.items()}
    assert "opsmend_api_errors_total" in shown["api"]
    for of_worker in ("process_resident_memory_bytes", "process_cpu_seconds", "temporal_num_pollers", "temporal_worker_start"):
        assert of_worker in shown["worker"]
    assert shown["temporal"].startswith("# HELP")


@pytest.mark.asyncio(loop_scope="session")
@pytest.mark.timeout(300)
async def test_what_the_readme_has_one_try_works_as_it_stands(opsmend: Opsmend, cluster: Cluster, tmp_path: Path) -> None:
    await cluster.deploy("shop")
    block = re.search(r"Try it:\n\n```\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    assert block is not None
    (tmp_path / ".venv").symlink_to(Path(sys.prefix))
    (tmp_path / ".opsmend").symlink_to(opsmend.data_dir)
    typed = await asyncio.create_subprocess_exec(
        *("bash", "-ec", block[1].replace("http://127.0.0.1:8080", opsmend.url)),
        cwd=tmp_path, env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path)},
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, err = await typed.communicate()
    assert typed.returncode == 0, err.decode()
    # curl ends its answer without a line break.
    assert '"created":true' in out.decode()
    assert any(line.endswith(":shop:deployment:web") for line in out.decode().splitlines()), out.decode()


@pytest.mark.asyncio(loop_scope="session")
@pytest.mark.timeout(300)
async def test_artifacts_older_than_every_history_can_be_pruned(opsmend: Opsmend) -> None:
    """Its oldest history began just now, so 30 days before that are safe whatever is asked for."""
    await opsmend.alert("nowhere")
    # Artifacts of incidents lie among these: which folder an artifact gets is a matter of its hash.
    artifacts = [opsmend.data_dir / "artifacts" / "ab" / f"{days:064x}" for days in (20, 40, 100)]
    for artifact, days in zip(artifacts, (20, 40, 100), strict=True):
        artifact.parent.mkdir(parents=True, exist_ok=True)
        artifact.write_bytes(b"x" * 1_000_000)
        os.utime(artifact, (time.time() - days * 86_400,) * 2)
    for arguments, said, kept in (
        (["--dry-run"], "1 artifact (1.0 MB)", 3),
        ([], "1 artifact (1.0 MB)", 2),
        (["--older-than", "1s"], "1 artifact (1.0 MB)", 1),
        (["--older-than", "PT1S"], "0 artifacts (0.0 MB)", 1),
    ):
        done = await opsmend.run("prune", *arguments)
        assert done.code == 0, done.err
        assert done.out.startswith(said)
        assert sum(artifact.exists() for artifact in artifacts) == kept
    assert (await opsmend.run("prune", "--older-than", "soon")).code == 2


async def test_readiness_is_not_taken_from_another_process() -> None:
    for body in ('{"status": "ok"}', '{"status": "ok", "instance": "theirs"}', "[]", "no JSON"):
        assert not await answers_as_ours(body)
    assert await answers_as_ours('{"status": "ok", "instance": "ours"}')


async def answers_as_ours(body: str) -> bool:
    async with (
        somebody_who_answers("200 OK", body) as port,
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False) as http,
    ):
        return await _answers(http, "ours")


@pytest.fixture
def owner(tmp_path: Path) -> subprocess.Popen[str]:
    """A process that holds `tmp_path`, with a child that it started."""
    return subprocess.Popen([sys.executable, "-c", OWNER, str(tmp_path)], stdout=subprocess.PIPE, text=True)


async def test_what_a_killed_one_left_running_is_waited_for(
    tmp_path: Path, owner: subprocess.Popen[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert owner.stdout is not None
    child = psutil.Process(int(owner.stdout.readline()))
    try:
        with pytest.raises(DataDirectoryInUseError, match=rf"another opsmend \(pid {owner.pid}\)"):
            claim(tmp_path)
        owner.kill()
        owner.wait()
        monkeypatch.setattr(data_directory, "_LEFT_BEHIND", timedelta(seconds=0.3))
        with pytest.raises(DataDirectoryInUseError, match=rf"what is left of an opsmend that has ended \(pid {owner.pid}\)"):
            claim(tmp_path)
        monkeypatch.setattr(data_directory, "_LEFT_BEHIND", timedelta(seconds=30))
        waiting = asyncio.create_task(asyncio.to_thread(claim, tmp_path))
        child.send_signal(signal.SIGKILL)
        held = await waiting
    finally:
        for process in (owner, child):
            if isinstance(process, subprocess.Popen) or not is_gone(process):
                process.kill()
    assert (tmp_path / "up.lock").read_text() == f"{os.getpid()}\n"
    os.close(held.lock)


async def test_an_up_that_is_told_to_end_while_it_starts_leaves_nothing(tmp_path: Path) -> None:
    async with somebody_who_answers("200 OK", '{"gitVersion": "v1.34.0"}') as cluster:
        kubeconfig = tmp_path / "kubeconfig"
        kubeconfig.write_text(
            f"""{{kind: Config, current-context: x, contexts: [{{name: x, context: {{cluster: x, user: x}}}}], users: [],
            clusters: [{{name: x, cluster: {{server: "http://127.0.0.1:{cluster}"}}}}]}}"""
        )
        up = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "opsmend.cli", "up", "--port", str(free_port()), "--data-dir", str(tmp_path / "state")),
            env={**os.environ, "KUBECONFIG": str(kubeconfig)},
        )

        async def temporal_starts() -> list[psutil.Process] | None:
            return psutil.Process(up.pid).children(recursive=True) or None

        parts = await eventually(temporal_starts, "the first part")
        up.terminate()
        assert await asyncio.wait_for(up.wait(), 60) == 0
        assert all(map(is_gone, parts))
