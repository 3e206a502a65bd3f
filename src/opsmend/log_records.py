"""What becomes of a log record on its way out: keys instead of prose, one line instead of a traceback or of many lines.

An error that is part of the world (a dependency is away, a policy says no) is one line. A traceback is for a bug.
"""

import logging
import re
import sys
import time
from collections import OrderedDict
from datetime import timedelta
from typing import Any, Final

from structlog.typing import EventDict
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError

from opsmend.errors import OpsmendError, bounded

_EXPECTED: Final = (OpsmendError, RPCError, OSError)
"""What people mend elsewhere: our own errors, a Temporal that does not answer, and connections that fail under a library."""

_QUIET_FOR: Final = timedelta(minutes=1)
_MOST_REMEMBERED: Final = 1000
"""Different lines. Whatever was repeated longest ago is forgotten first."""

_TIMES: Final = re.compile(r"\d+ times")


def in_a_line(_: object, __: str, event: EventDict) -> EventDict:
    """Say an expected error instead of showing where it was raised."""
    given = event.get("exc_info")
    error = sys.exc_info()[1] if given is True else given[1] if isinstance(given, tuple) else given
    if isinstance(error, BaseException) and _is_expected(error):
        del event["exc_info"]
        event["error"] = _told(error)
    return event


def of_temporal(_: object, __: str, event: EventDict) -> EventDict:
    """What the SDK knows of a record, as keys: of an activity, of a workflow, and of its Rust half."""
    record = event.get("_record")
    running = getattr(record, "temporal_activity", None) or getattr(record, "temporal_workflow", None) or {}
    known = {key: running[key] for key in ("activity_type", "attempt", "workflow_id") if key in running}
    core = getattr(record, "temporal_log", None)
    fields = {str(key): bounded(str(value)) for key, value in core.fields.items()} if core else {}
    return {**event, **known, **fields}


def repeats(_: object, __: str, event: EventDict) -> EventDict:
    """How often the same was left out before this, see Repeats."""
    repeated = getattr(event.get("_record"), "repeated", None)
    return event if repeated is None else {**event, "repeated": repeated}


def _is_expected(error: BaseException) -> bool:
    """Temporal's ApplicationError counts when it stands for one of ours (activities/interceptor.py): then it has no cause."""
    return isinstance(error, _EXPECTED) or (isinstance(error, ApplicationError) and error.__cause__ is None)


def _told(error: BaseException) -> str:
    # An ApplicationError's own text begins with the name of what it stands for.
    return bounded(str(error) if isinstance(error, ApplicationError) else f"{type(error).__name__}: {error}")


class Repeats(logging.Filter):
    """Lets a warning or an error through once a minute. The next one after that says how often it was `repeated` meanwhile.

    Two are the same when they say the same of the same workflow; how often Temporal's client has tried makes no difference.
    """

    def __init__(self) -> None:
        super().__init__()
        self._seen: OrderedDict[tuple[Any, ...], tuple[float, int]] = OrderedDict()

    def filter(self, record: logging.LogRecord) -> bool:
        if record.levelno < logging.WARNING:
            return True
        key, now = _identity(record), time.monotonic()
        since, repeated = self._seen.get(key, (-_QUIET_FOR.total_seconds(), 0))
        shown = now - since >= _QUIET_FOR.total_seconds()
        self._seen[key] = (now, 0) if shown else (since, repeated + 1)
        self._seen.move_to_end(key)
        if len(self._seen) > _MOST_REMEMBERED:
            self._seen.popitem(last=False)
        if shown and repeated:
            record.repeated = repeated
        return shown


def _identity(record: logging.LogRecord) -> tuple[Any, ...]:
    message = record.msg
    if isinstance(message, dict):
        said = str({key: value for key, value in message.items() if key != "timestamp"})
    else:
        said = _TIMES.sub("", record.getMessage())
    error = record.exc_info[1] if record.exc_info else None
    running = getattr(record, "temporal_activity", None) or {}
    return record.name, record.levelno, said, running.get("activity_type"), running.get("workflow_id"), str(error)
