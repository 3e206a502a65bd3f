"""How the tests take a failure (docs/ci.md), and what each of them leaves as it found it."""

import logging
from collections.abc import Generator, Iterator
from typing import Final

import pytest
import structlog


@pytest.fixture(autouse=True)
def logs_as_before() -> Iterator[None]:
    """A test of an entry point sets up the logs of its whole process."""
    root, configured = logging.getLogger(), structlog.get_config()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.configure(**configured)


REAL_PARTS: Final = frozenset({"contract", "integration", "workflows"})
"""Folders of tests against real servers, whose clocks nobody stops: whatever fails there may be a busy machine."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.get_closest_marker("safety"):
            item.add_marker(pytest.mark.flaky(reruns=0))
        elif REAL_PARTS & set(item.path.parts):
            item.add_marker(pytest.mark.flaky(reruns=1, only_rerun=[".*"]))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A traceback begins in the test: `--tb native` leaves out nothing by itself. A broken safety check ends the run."""
    if call.excinfo is not None:
        call.excinfo.traceback = call.excinfo.traceback.cut(path=item.path)
    report = yield
    if report.failed and item.get_closest_marker("safety"):
        item.session.shouldstop = f"a safety check is broken: {item.nodeid}"
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """The lines that `python -m ci` reads."""
    failed = [report for kind in ("failed", "error") for report in terminalreporter.stats.get(kind, [])]
    for report in failed:
        if "safety" in report.keywords:
            terminalreporter.write_line(f"SAFETY: {report.nodeid}")
    again = {report.nodeid for report in terminalreporter.stats.get("rerun", [])} - {report.nodeid for report in failed}
    for nodeid in sorted(again):
        terminalreporter.write_line(f"flaky: {nodeid} (failed at first, then passed)")
