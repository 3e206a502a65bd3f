"""The demo as a person plays it who reads what it prints, types it into another terminal, and says no in the end."""

import asyncio
import os
import re
import sys
from pathlib import Path
from typing import Final

import pytest
from tests.integration.outside.waiting import eventually

pytestmark = pytest.mark.timeout(400)

BARE: Final = {"HOME": "/nonexistent", "PATH": "/usr/bin:/bin"}
"""The environment of the other terminal: it knows of no virtual environment and of none of our variables."""

REPRS: Final = re.compile(r"\[(True|False|None)|created: |\bNone\b|passed=")


class Playing:
    """A running demo."""

    def __init__(self, process: asyncio.subprocess.Process, out: Path) -> None:
        self.process = process
        self._out = out

    @property
    def text(self) -> str:
        return self._out.read_text()

    async def line(self, pattern: str, nth: int = 1) -> str:
        """The first group of `pattern` in the line of the output that is the `nth` to match."""

        async def look() -> str | None:
            assert self.process.returncode is None or len(re.findall(pattern, self.text, re.MULTILINE)) >= nth, self.text
            found = re.findall(pattern, self.text, re.MULTILINE)
            return found[nth - 1] if len(found) >= nth else None

        return await eventually(look, pattern, 240)

    def answers(self, typed: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(typed.encode())


async def typed_elsewhere(command: str, answer: str = "") -> str:
    """What a shell in another terminal shows of `command`."""
    shell = await asyncio.create_subprocess_exec(
        "bash",
        "-c",
        command,
        env=BARE,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await shell.communicate(answer.encode())
    assert shell.returncode == 0, f"{command}: {err.decode()}"
    return out.decode()


async def started(folder: Path, *arguments: str) -> Playing:
    own = ("OPSMEND_", "TEMPORAL_", "KUBE")
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(own)}
    out = folder / "out"
    with out.open("wb") as file:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "opsmend.cli", "demo", *arguments),
            env=inherited | {"COLUMNS": "80"},
            cwd=folder, stdin=asyncio.subprocess.PIPE, stdout=file, stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
    return Playing(process, out)


async def test_what_it_prints_works_as_printed_and_no_ends_it_cleanly(tmp_path: Path) -> None:
    demo = await started(tmp_path)
    try:
        incidents = await demo.line(r"^CLI +(.*)$")
        approve = await demo.line(r"^(OPSMEND_DATA_DIR=\S+ \S+ approve \S+)$")
        assert "awaiting_approval" in await typed_elsewhere(incidents)
        kubectl = await demo.line(r"^cluster +(kubectl .*)$")
        assert "deployment.apps/web" in await typed_elsewhere(f"PATH={Path(sys.executable).parent}:$PATH {kubectl}")

        assert "Approve was recorded" in await typed_elsewhere(approve, "y\n")
        await demo.line(r"^(answered elsewhere)$")
        await demo.line(r"^(OPSMEND_DATA_DIR=\S+ \S+ approve \S+:checkout)$")
        demo.answers("N\n")
        assert await asyncio.wait_for(demo.process.wait(), 120) == 0, demo.text
    finally:
        if demo.process.returncode is None:
            demo.process.terminate()
            await demo.process.wait()
    assert "You said no: nothing was changed" in demo.text
    assert "Traceback" not in demo.text
    assert not REPRS.search(demo.text), REPRS.search(demo.text)
