"""How checks run and what comes of them."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from time import perf_counter
from typing import Final

from opsmend.errors import OpsmendError, bounded
from opsmend.settings import Settings

DEADLINE: Final = timedelta(seconds=15)
"""For one check. Longer than any single timeout in the settings' defaults (10 s), so that the check's own sentence is shown."""


class NotSetUp(OpsmendError):
    """There is nothing to check; the message says what is used instead."""


class Health(StrEnum):
    OK = "ok"
    NOT_SET_UP = "not set up"
    WARNING = "warning"
    """It does not work, and opsmend does its main job without it."""
    FAILED = "failed"


@dataclass(frozen=True)
class Check:
    """`run` returns a sentence on what it found, raises NotSetUp, or raises the error that a person must see to."""

    name: str
    run: Callable[[Settings], Awaitable[str]]
    remedy: str
    """What to do when it fails."""
    required: bool = True


@dataclass(frozen=True)
class Finding:
    """How one check went; `detail` is a sentence, `remedy` is empty unless something is wrong."""

    name: str
    health: Health
    detail: str
    remedy: str
    latency: timedelta


async def examine(settings: Settings, checks: Sequence[Check], deadline: timedelta = DEADLINE) -> list[Finding]:
    """Run all checks side by side. A check that breaks in a way that it did not foresee is a finding like any other."""
    began = [_timed(check, settings, deadline) for check in checks]
    results = await asyncio.gather(*began, return_exceptions=True)
    findings = []
    for check, result in zip(checks, results, strict=True):
        if isinstance(result, Finding):
            findings.append(result)
        elif isinstance(result, Exception):
            findings.append(_wrong(check, f"{type(result).__name__}: {result}", timedelta()))
        else:
            raise result
    return findings


async def _timed(check: Check, settings: Settings, deadline: timedelta) -> Finding:
    began = perf_counter()

    def so_far() -> timedelta:
        return timedelta(seconds=perf_counter() - began)

    try:
        async with asyncio.timeout(deadline.total_seconds()):
            detail = await check.run(settings)
    except NotSetUp as absent:
        return Finding(check.name, Health.NOT_SET_UP, str(absent), "", so_far())
    except TimeoutError:
        return _wrong(check, f"No answer within {deadline.total_seconds():g} s.", so_far())
    except OpsmendError as error:
        return _wrong(check, str(error), so_far())
    return Finding(check.name, Health.OK, detail, "", so_far())


def _wrong(check: Check, why: str, latency: timedelta) -> Finding:
    return Finding(check.name, Health.FAILED if check.required else Health.WARNING, bounded(why), check.remedy, latency)
