"""Plays one part: its make targets one after the other, with their output shown as it comes."""

import os
import re
import signal
import subprocess
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final, Literal

from ci.parts import Part

_FLAKY: Final = re.compile(r"^flaky: (.+)$", re.MULTILINE)
"""A suite prints this line for a case that came too late at first and passed on its second try."""

_SAFETY: Final = re.compile(r"^SAFETY: (.+)$", re.MULTILINE)
"""A suite prints this line for a broken safety check."""

_FAILED: Final = re.compile(r"^failed: (.+)$", re.MULTILINE)
"""A suite prints this line for each case that failed."""

_GRACE: Final = 20.0
"""Seconds from SIGTERM to SIGKILL: time for a suite to stop what it has started."""

Outcome = Literal["passed", "failed", "skipped"]


@dataclass
class Played:
    """How a part went. `flaky` names what passed only on its second try."""

    part: str
    outcome: Outcome
    seconds: float
    why: str = ""
    flaky: list[str] = field(default_factory=list)
    unsafe: bool = False
    """Whether it broke a safety check."""


@dataclass(frozen=True)
class _Ended:
    code: int | None
    """None: it ran past the limit and was killed."""
    output: str


def play(part: Part, *, may_replay: bool = True) -> Played:
    """Play `part`. One that runs past its limit is played once more, unless it has broken a safety check.

    `may_replay`: whether there is time left for that.
    """
    began = time.monotonic()
    first = _play_once(part)
    if first.outcome == "failed" and first.why.startswith(_TOO_LATE) and may_replay:
        print(f"── {part.name} {first.why}; it is played once more", flush=True)
        second = _play_once(part)
        flaky = [f"{part.name} ({first.why}, then {second.outcome})"] if second.outcome == "passed" else []
        first = Played(part.name, second.outcome, 0, second.why, [*first.flaky, *second.flaky, *flaky])
    first.seconds = time.monotonic() - began
    return first


_TOO_LATE: Final = "ran past its limit"


def _play_once(part: Part) -> Played:
    tidied = True
    try:
        played = _targets(part)
    finally:
        if part.cleanup:
            tidied = _make(part.cleanup, 180).code == 0
    if played.outcome == "passed" and not tidied:
        # What it left behind is in the way of the next part.
        return Played(part.name, "failed", 0, f"make {' '.join(part.cleanup)} did not clean up", played.flaky)
    return played


def _targets(part: Part) -> Played:
    deadline = time.monotonic() + part.limit.total_seconds()
    flaky: list[str] = []
    for target in part.targets:
        print(f"── {part.name}: make {' '.join(target)}", flush=True)
        ended = _make(target, deadline - time.monotonic())
        flaky += _FLAKY.findall(ended.output)
        if broken := _SAFETY.findall(ended.output):
            return Played(part.name, "failed", 0, f"broke a safety check: {'; '.join(broken)}", flaky, unsafe=True)
        if ended.code is None:
            return Played(part.name, "failed", 0, f"{_TOO_LATE} ({part.limit})", flaky)
        if ended.code:
            cases = "; ".join(_FAILED.findall(ended.output))
            return Played(part.name, "failed", 0, cases or f"make {' '.join(target)} ended with {ended.code}", flaky)
    return Played(part.name, "passed", 0, flaky=flaky)


def _make(target: tuple[str, ...], seconds: float) -> _Ended:
    """Run it in a process group of its own, so that all it has started can be ended with it."""
    process = subprocess.Popen(
        ["make", *target],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        start_new_session=True,
    )
    lines: list[str] = []
    reader = threading.Thread(target=_show, args=(process, lines), daemon=True)
    reader.start()
    try:
        code: int | None = process.wait(timeout=max(seconds, 1))
    except subprocess.TimeoutExpired:
        code = None
        _end(process)
    except BaseException:  # whoever ends CI ends what it plays: it is in a group of its own, which no signal to CI reaches
        _end(process)
        raise
    reader.join(timeout=_GRACE)
    return _Ended(code, "".join(lines))


def _show(process: subprocess.Popen[str], lines: list[str]) -> None:
    assert process.stdout is not None
    for line in process.stdout:
        print(line, end="", flush=True)
        lines.append(line)


def _end(process: subprocess.Popen[str]) -> None:
    os.killpg(process.pid, signal.SIGTERM)
    with suppress(subprocess.TimeoutExpired):
        process.wait(timeout=_GRACE)
    # Also when make itself has gone: something that it started may have stayed.
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
