"""How much the replicas of a workload carry, and how much each may."""

from enum import StrEnum

from opsmend.domain.record import Record


class LoadSource(StrEnum):
    RULE = "rule"
    """The alert's own rule compares a value a replica with a limit."""
    CPU = "cpu"
    """No rule tells: the CPU that the pods use, which their requests are held against."""


class Load(Record):
    """A load that is shared by the replicas: with more of them, each carries less."""

    source: LoadSource
    per_replica: float
    """Of the replicas that it was divided by, right now; cores where the source is CPU."""
    replicas: float
    """By how many the monitoring system divided. It must be the number that the cluster knows, or nothing follows."""
    limit: float | None = None
    """What a replica may carry by the alert's rule; None where the source is CPU."""
    inclusive: bool = False
    """Whether the rule fires at the limit already (`>=`)."""
    unit: str = ""
    """`/s` for a rate; empty where none can be told."""
    expression: str
    """What was asked, for people."""

    @property
    def total(self) -> float:
        return self.per_replica * self.replicas

    def exceeds(self, replicas: int) -> bool:
        """Whether the rule would still fire with so many; never where it has no limit."""
        if self.limit is None:
            return False
        share = self.total / replicas
        return share >= self.limit if self.inclusive else share > self.limit
