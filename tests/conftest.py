"""How the tests take a failure (docs/ci.md), and what each of them leaves as it found it."""

import logging
import os
import re
from collections.abc import Generator, Iterator
from ssl import SSLContext
from typing import Any, Final

import certifi
import pytest
import structlog


@pytest.fixture(autouse=True, scope="session")
def no_public_authorities() -> Iterator[None]:
    """No test talks to the internet, and each of thousands of clients would read the certificates of all authorities: 40 ms."""
    load_default, load = SSLContext.load_default_certs, SSLContext.load_verify_locations

    of_the_machine = os.environ.get("SSL_CERT_FILE")

    def load_those_of_a_test(context: SSLContext, *purpose: Any) -> None:
        if os.environ.get("SSL_CERT_FILE") != of_the_machine:
            load_default(context, *purpose)

    def load_others(context: SSLContext, cafile: Any = None, *rest: Any, **more: Any) -> None:
        if cafile != certifi.where():
            load(context, cafile, *rest, **more)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(SSLContext, "load_default_certs", load_those_of_a_test)
        patched.setattr(SSLContext, "load_verify_locations", load_others)
        yield


@pytest.fixture(autouse=True)
def logs_as_before() -> Iterator[None]:
    """A test of an entry point sets up the logs of its whole process."""
    root, configured = logging.getLogger(), structlog.get_config()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.configure(**configured)


REAL_PARTS: Final = frozenset({"contract", "workflows"})
"""Folders of tests against real servers, whose clocks nobody stops: whatever fails there may be a busy machine. Tests in
tests/integration share a whole opsmend, as the first try left it: they are tried again in a session of their own (Makefile)."""


BROKE_SAFETY: Final = "broke_safety"
"""A property of a report that tells of a broken safety check, for the process that prints."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    # The longest first: none of them shall be left to a single process in the end.
    items.sort(key=lambda item: "workflows" not in item.path.parts)
    for item in items:
        if REAL_PARTS & set(item.path.parts) and not item.get_closest_marker("safety"):
            item.add_marker(pytest.mark.flaky(reruns=1, only_rerun=[".*"]))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A traceback begins in the test: `--tb native` leaves out nothing by itself. A broken safety check ends the run."""
    if call.excinfo is not None:
        call.excinfo.traceback = call.excinfo.traceback.cut(path=item.path)
    report = yield
    if report.failed and item.get_closest_marker("safety") and _breaks_a_promise(item, call):
        report.user_properties.append((BROKE_SAFETY, True))
        item.session.shouldstop = f"a safety check is broken: {item.nodeid}"
    return report


def _breaks_a_promise(item: pytest.Item, call: pytest.CallInfo[None]) -> bool:
    """What a test asserts is the promise. Its preparation is none, nor is an error in the test itself, nor what came too late.

    pytest-rerunfailures decides what came too late by the same option, which the Makefile gives.
    """
    if call.excinfo is None or call.when == "setup" or not call.excinfo.errisinstance((AssertionError, pytest.fail.Exception)):
        return False
    told = f"{call.excinfo.type.__name__}: {call.excinfo.value}"
    return not any(re.search(pattern, told) for pattern in item.config.getoption("only_rerun") or ())


class SafetyAtOnce:
    """Names a broken safety check as soon as it is known: a run that is killed before its summary says nothing more."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        terminal = self._config.pluginmanager.get_plugin("terminalreporter")
        if BROKE_SAFETY in dict(report.user_properties) and terminal:
            terminal.write_line(f"\nSAFETY: {report.nodeid}")  # at the beginning of a line, where CI looks for it
            terminal.flush()


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(SafetyAtOnce(config))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """The lines that `python -m ci` reads, and the failures of first tries, which pytest does not print."""
    stats = terminalreporter.stats
    for report in stats.get("rerun", []):
        terminalreporter.section(f"first try of {report.nodeid}")
        terminalreporter.write_line(report.longreprtext)
    failed = [report for kind in ("failed", "error") for report in stats.get(kind, [])]
    for report in failed:
        terminalreporter.write_line(f"failed: {report.nodeid}")
    again = stats.get("passed", []) if terminalreporter.config.getoption("lf", default=False) else stats.get("rerun", [])
    for nodeid in sorted({report.nodeid for report in again} - {report.nodeid for report in failed}):
        terminalreporter.write_line(f"flaky: {nodeid} (failed at first, then passed)")
