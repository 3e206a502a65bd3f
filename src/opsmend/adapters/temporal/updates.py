"""Updates of our workflows: how long an answer may take, and which of our errors a refusal stands for."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Final

from temporalio.client import WorkflowUpdateFailedError
from temporalio.exceptions import ApplicationError

from opsmend.errors import OpsmendError

ANSWERED_WITHIN: Final = timedelta(seconds=10)
"""A healthy worker answers in milliseconds, one that has just died is replaced within a few seconds."""


def refusal_in(failure: WorkflowUpdateFailedError, known: Mapping[str, type[OpsmendError]]) -> OpsmendError | None:
    """The first of the errors `known` by name that the workflow, or an activity of it, refused with; None if it is another."""
    cause: BaseException | None = failure.cause
    while cause is not None:
        if isinstance(cause, ApplicationError) and cause.type and cause.type in known:
            return known[cause.type](cause.message)
        cause = cause.__cause__
    return None
