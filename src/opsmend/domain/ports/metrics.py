"""A monitoring system that can be asked whether an alert still fires."""

from typing import Protocol

from opsmend.domain.alert import Alert
from opsmend.domain.diagnosis import Evidence
from opsmend.domain.load import Load
from opsmend.domain.record import Record
from opsmend.domain.target import ObjectRef


class AlertCondition(Record):
    """`firing` is None when the monitoring system does not know the alert; `detail` says what was asked and answered."""

    firing: bool | None
    detail: str


class Metrics(Protocol):
    """Raises MetricsUnavailableError from every method."""

    async def condition(self, alert: Alert) -> AlertCondition:
        """Whether `alert` still fires or its expression still yields a sample for its labels."""
        ...

    async def evidence(self, alert: Alert) -> tuple[Evidence, ...]:
        """The alert's expression with its value now and over the last hour, and restarts and memory of the target's pods."""
        ...

    async def load(self, alert: Alert, workload: ObjectRef) -> Load | None:
        """What the replicas of `workload` carry now, by the alert's own rule if it compares a value a replica with a limit.

        Else the CPU that its pods use, where the monitoring system knows it of some; None where it tells neither.
        """
        ...

    async def fires_at_maximum(self, alert: Alert) -> bool:
        """Whether the alert's own rule compares something with the most replicas that an autoscaler may choose."""
        ...
