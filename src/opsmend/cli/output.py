"""Where commands write: results to stdout, complaints and progress to stderr."""

import asyncio
import json
import sys
from collections.abc import Coroutine
from contextlib import suppress
from datetime import timedelta
from typing import Any, Final, TypeVar

from pydantic import BaseModel
from rich.console import RenderableType

from opsmend.console.layout import console_for, say, show_on

T = TypeVar("T")

_SOON: Final = timedelta(seconds=1)
"""What answers within it needs no word about waiting."""


def show(result: RenderableType) -> None:
    show_on(console_for(sys.stdout), result)


def show_json(result: BaseModel) -> None:
    """For programs: JSON in ASCII, so that nothing in it can control a terminal."""
    sys.stdout.write(json.dumps(result.model_dump(mode="json"), indent=2) + "\n")


def complain(sentence: str) -> None:
    show_on(console_for(sys.stderr), say(sentence, "red"))


def waiting_for(what: str, work: Coroutine[Any, Any, T]) -> T:
    """Run `work` to its end; a person at a terminal is told what is waited for if it takes longer than a moment."""
    return asyncio.run(_told_after_a_moment(what, work))


async def _told_after_a_moment(what: str, work: Coroutine[Any, Any, T]) -> T:
    working = asyncio.ensure_future(work)
    if sys.stderr.isatty():
        with suppress(TimeoutError):
            return await asyncio.wait_for(asyncio.shield(working), _SOON.total_seconds())
        show_on(console_for(sys.stderr), say(f"waiting for {what} …", "dim"))
    return await working
