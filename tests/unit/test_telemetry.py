"""Logs are events with keys; metrics do not leak between servers."""

import io
import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from opsmend.telemetry import ApiMetrics, configure_logging


@pytest.fixture(autouse=True)
def _logging_as_it_was() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    yield
    root.handlers, root.level = handlers, level
    structlog.reset_defaults()


def test_event_is_one_json_object_a_line_where_nobody_looks() -> None:
    stream = io.StringIO()
    configure_logging(stream=stream)
    structlog.get_logger("opsmend.test").info("incident.opened", incident_id="incident:x", hostile="a\nb\x1b[2J")
    (line,) = stream.getvalue().splitlines()
    event = json.loads(line)
    assert (event["event"], event["incident_id"], event["level"], event["logger"]) == (
        "incident.opened",
        "incident:x",
        "info",
        "opsmend.test",
    )
    assert event["timestamp"].endswith("Z")


def test_libraries_log_in_the_same_form_with_their_traceback() -> None:
    stream = io.StringIO()
    configure_logging(stream=stream)
    try:
        raise ValueError("inside")
    except ValueError:
        logging.getLogger("uvicorn.error").exception("failed")
    event = json.loads(stream.getvalue())
    assert (event["event"], event["logger"]) == ("failed", "uvicorn.error")
    assert "ValueError: inside" in event["exception"]


def test_http_client_does_not_log_each_url() -> None:
    stream = io.StringIO()
    configure_logging(stream=stream)
    logging.getLogger("httpx").info("GET https://example/?token=secret")
    assert stream.getvalue() == ""


def test_two_servers_in_one_process_count_apart() -> None:
    first, second = ApiMetrics(), ApiMetrics()
    first.errors.labels("bad_payload").inc()
    assert first.registry.get_sample_value("opsmend_api_errors_total", {"type": "bad_payload"}) == 1
    assert second.registry.get_sample_value("opsmend_api_errors_total", {"type": "bad_payload"}) is None
