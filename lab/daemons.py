"""Daemons that outlive the command that started them: a record of each, told apart from a later process with its number."""

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psutil

from lab.errors import LabError

_GRACE: Final = 10.0
"""Seconds from SIGTERM to SIGKILL."""


@dataclass(frozen=True)
class Daemons:
    """Records in `folder`, a file a daemon; output in `logs`."""

    folder: Path
    logs: Path

    def start(self, name: str, argv: Sequence[str | Path], env: Mapping[str, str] | None = None) -> None:
        """Start it unless it runs already."""
        if self.running(name):
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        self.logs.mkdir(parents=True, exist_ok=True)
        with (self.logs / f"{name}.log").open("ab") as log:
            process = subprocess.Popen(
                [str(word) for word in argv],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**os.environ, **(env or {})},
                start_new_session=True,
            )
        born = psutil.Process(process.pid).create_time()
        self._record(name).write_text(json.dumps({"pid": process.pid, "born": born}))

    def until(self, name: str, ready: Callable[[], bool], within: float = 60) -> None:
        """Wait until `ready` says yes.

        Raises:
            LabError: the daemon ended, or `within` seconds passed; with the end of its log.
        """
        deadline = time.monotonic() + within
        while not ready():
            if not self.running(name):
                raise LabError(f"{name} ended: {self.last_words(name)}")
            if time.monotonic() > deadline:
                raise LabError(f"{name} was not ready after {within:.0f} s: {self.last_words(name)}")
            time.sleep(0.1)

    def running(self, name: str) -> bool:
        return self._process(name) is not None

    def names(self) -> list[str]:
        """All that were started, in the order of their starts."""
        records = sorted(self.folder.glob("*.json"), key=lambda path: path.stat().st_mtime_ns)
        return [path.stem for path in records]

    def memory_mb(self, name: str) -> float:
        """Resident memory, 0 for one that does not run."""
        process = self._process(name)
        return process.memory_info().rss / 1e6 if process else 0.0

    def stop(self, *names: str) -> None:
        """SIGTERM to all, SIGKILL to those that do not go; their records go too."""
        found = [process for name in names if (process := self._process(name))]
        for process in found:
            process.terminate()
        for process in psutil.wait_procs(found, _GRACE)[1]:
            process.kill()
        for name in names:
            self._record(name).unlink(missing_ok=True)

    def kill(self, name: str) -> None:
        """SIGKILL, at once, as a crash would end it. Its record stays, so that `start` finds it dead and starts it anew."""
        process = self._process(name)
        if process is not None:
            process.kill()
            process.wait(_GRACE)

    def reload(self, name: str) -> None:
        """SIGHUP: what knows how to reads its configuration anew."""
        process = self._process(name)
        if process is not None:
            process.send_signal(signal.SIGHUP)

    def last_words(self, name: str) -> str:
        log = self.logs / f"{name}.log"
        return log.read_text(errors="replace")[-800:].strip() if log.exists() else "it said nothing"

    def _record(self, name: str) -> Path:
        return self.folder / f"{name}.json"

    def _process(self, name: str) -> psutil.Process | None:
        try:
            record = json.loads(self._record(name).read_text())
            process = psutil.Process(record["pid"])
            # A number is given out again: only the time of birth tells whether it is still ours.
            same = abs(process.create_time() - record["born"]) < 1
            return process if same and process.status() != psutil.STATUS_ZOMBIE else None
        except (FileNotFoundError, psutil.NoSuchProcess):
            return None
