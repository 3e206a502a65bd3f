"""`opsmend …` with a mistake in its workflow code: `python -m tests.integration.outside.broken_version MISTAKE …`."""

import sys
from typing import Any

from temporalio import workflow

from opsmend.cli import main
from opsmend.workflows.incident import IncidentWorkflow
from opsmend.workflows.phases.question import Question


def a_bug() -> None:
    """Asking fails."""

    def open_question(self: Question, *given: Any) -> None:
        raise KeyError("no such thing")

    Question.open = open_question  # type: ignore[assignment, method-assign]


def another_order() -> None:
    """Somebody changed the commands and forgot the patch."""
    begin = IncidentWorkflow._begin

    async def begin_later(self: IncidentWorkflow, *given: Any) -> None:
        await workflow.sleep(0.5)
        await begin(self, *given)

    IncidentWorkflow._begin = begin_later  # type: ignore[assignment, method-assign]


if __name__ == "__main__":
    {"a-bug": a_bug, "another-order": another_order}[sys.argv.pop(1)]()
    main()
