"""How the tests take a failure (docs/ci.md)."""

from collections.abc import Generator

import pytest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.get_closest_marker("safety"):
            item.add_marker(pytest.mark.flaky(reruns=0))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A broken safety check ends the run."""
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
        terminalreporter.write_line(f"flaky: {nodeid} (too late at first, then passed)")
