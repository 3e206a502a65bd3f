"""Who goes first when there is more to do than workers can do at once.

A grave incident outranks a harmless one, however old that is. Of two equally grave ones, the one whose investigation has begun
goes first: it is better to finish some incidents than to have begun all of them.
"""

from typing import Any, Final

from temporalio import workflow
from temporalio.common import Priority
from temporalio.worker import (
    Interceptor,
    StartActivityInput,
    WorkflowInboundInterceptor,
    WorkflowInterceptorClassInput,
    WorkflowOutboundInterceptor,
)

with workflow.unsafe.imports_passed_through():
    from opsmend.domain.alert import Severity

_BEGUN: Final = {Severity.CRITICAL: 1, Severity.WARNING: 3, Severity.INFO: 5}
_NEW: Final = {Severity.CRITICAL: 2, Severity.WARNING: 4, Severity.INFO: 5}
"""Temporal knows five priorities unless its server says otherwise, so the harmless ones share the last one."""

FIRST_LOOK: Final = "sre:1"
"""How the id of an incident's first investigation ends."""


def of_new(severity: Severity) -> Priority:
    """Of an incident that nobody has looked into yet."""
    return Priority(priority_key=_NEW[severity])


def of_begun(severity: Severity) -> Priority:
    """Of the work of an incident that somebody has begun to look into."""
    return Priority(priority_key=_BEGUN[severity])


class Precedence(Interceptor):
    """For the worker that runs workflows: gives each activity the precedence of its incident."""

    def workflow_interceptor_class(self, input: WorkflowInterceptorClassInput) -> type[WorkflowInboundInterceptor] | None:
        return _Inbound


class _Inbound(WorkflowInboundInterceptor):
    def init(self, outbound: WorkflowOutboundInterceptor) -> None:
        super().init(_Outbound(outbound))


class _Outbound(WorkflowOutboundInterceptor):
    """The first activity of an incident's first investigation waits behind all that has begun; its others do not."""

    def __init__(self, next: WorkflowOutboundInterceptor) -> None:
        super().__init__(next)
        self._begun = False

    def start_activity(self, input: StartActivityInput) -> "workflow.ActivityHandle[Any]":
        info = workflow.info()
        key = info.priority.priority_key
        if key and not self._begun and info.workflow_id.endswith(f":{FIRST_LOOK}"):
            input.priority = Priority(priority_key=_BEGINS_AT.get(key, key))
        self._begun = True
        return super().start_activity(input)


_BEGINS_AT: Final = {_BEGUN[severity]: _NEW[severity] for severity in Severity}
