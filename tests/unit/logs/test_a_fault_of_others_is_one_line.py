"""Logs while a dependency is down: a line instead of a traceback, and not the same line all the time."""

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog
from temporalio.service import RPCError, RPCStatusCode

from opsmend import log_records
from opsmend.activities.interceptor import in_temporal_words
from opsmend.errors import MemoryUnavailableError
from opsmend.telemetry import configure_logging


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    stream = io.StringIO()
    configure_logging(stream=stream)
    yield stream
    root.handlers, root.level = handlers, level
    structlog.reset_defaults()


def told(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def complain(error: BaseException, logger: str = "temporalio.activity", **extra: Any) -> None:
    """As a library logs what went wrong under it."""
    try:
        raise error
    except BaseException:
        logging.getLogger(logger).warning("Completing activity as failed", exc_info=True, extra=extra)


@pytest.mark.parametrize(
    ("error", "said"),
    [
        pytest.param(MemoryUnavailableError("Milvus is away"), "MemoryUnavailableError: Milvus is away", id="ours"),
        pytest.param(
            in_temporal_words(MemoryUnavailableError("Milvus is away")),
            "MemoryUnavailableError: Milvus is away",
            id="by Temporal",
        ),
        pytest.param(RPCError("no route", RPCStatusCode.UNAVAILABLE, b""), "RPCError: no route", id="Temporal is away"),
        pytest.param(ConnectionRefusedError(111, "refused"), "ConnectionRefusedError: [Errno 111] refused", id="a connection"),
        pytest.param(TimeoutError(), "TimeoutError: ", id="no answer"),
    ],
)
def test_what_others_have_to_mend_is_a_line(stream: io.StringIO, error: BaseException, said: str) -> None:
    complain(error)
    (line,) = told(stream)
    assert line["error"] == said
    assert "exception" not in line


def test_a_bug_brings_its_traceback(stream: io.StringIO) -> None:
    try:
        raise ZeroDivisionError("inside")
    except ZeroDivisionError as bug:
        error = in_temporal_words(bug)
        error.__cause__ = bug
    complain(error)
    (line,) = told(stream)
    assert "ZeroDivisionError: inside" in line["exception"]


def test_a_line_says_which_activity_of_which_incident(stream: io.StringIO) -> None:
    running = {"activity_type": "memory.remember", "attempt": 3, "workflow_id": "incident:x", "task_queue": "q"}
    complain(MemoryUnavailableError("away"), temporal_activity=running)
    (line,) = told(stream)
    assert {key: line[key] for key in ("activity_type", "attempt", "workflow_id")} == {
        "activity_type": "memory.remember",
        "attempt": 3,
        "workflow_id": "incident:x",
    }
    assert line["event"] == "Completing activity as failed"


def test_the_same_within_a_minute_is_counted_and_told_with_the_next(
    stream: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 1000.0
    monkeypatch.setattr("time.monotonic", lambda: now)
    for _ in range(5):
        complain(MemoryUnavailableError("away"))
    logging.getLogger("temporal.core").warning("gRPC call poll retried 7 times")
    logging.getLogger("temporal.core").warning("gRPC call poll retried 8 times")
    structlog.get_logger("opsmend.test").warning("part.not_started", part="worker")
    structlog.get_logger("opsmend.test").warning("part.not_started", part="worker")
    structlog.get_logger("opsmend.test").warning("part.not_started", part="api")
    assert len(told(stream)) == 4
    now += 61
    complain(MemoryUnavailableError("away"))
    structlog.get_logger("opsmend.test").warning("part.not_started", part="worker")
    *_, activity, part = told(stream)
    assert (activity["repeated"], part["repeated"]) == (4, 1)


def test_different_faults_and_incidents_are_told_apart(stream: io.StringIO) -> None:
    for incident in ("incident:a", "incident:b"):
        for text in ("away", "locked"):
            complain(MemoryUnavailableError(text), temporal_activity={"workflow_id": incident, "activity_type": "x"})
    assert len(told(stream)) == 4


def test_events_are_never_left_out(stream: io.StringIO) -> None:
    for _ in range(3):
        structlog.get_logger("opsmend.test").info("incident.joined", incident_id="incident:x")
    assert len(told(stream)) == 3


def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_records, "_MOST_REMEMBERED", 10)
    repeats = log_records.Repeats()
    for number in range(100):
        repeats.filter(logging.LogRecord("x", logging.WARNING, "", 0, f"line {number}", (), None))
    assert len(repeats._seen) == 10
