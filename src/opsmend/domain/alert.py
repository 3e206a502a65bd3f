"""An alert, whatever monitoring system sent it."""

from collections.abc import Iterable
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Final

from pydantic import AfterValidator, AwareDatetime, Field, PlainSerializer

from opsmend.domain.record import Record, digest
from opsmend.domain.target import Target


class AlertStatus(StrEnum):
    FIRING = "firing"
    RESOLVED = "resolved"


class Severity(StrEnum):
    CRITICAL = "critical"
    WARNING = "warning"
    INFO = "info"


GRAVITY: Final = {Severity.CRITICAL: 0, Severity.WARNING: 1, Severity.INFO: 2}
"""The gravest first."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
"""How an unknown start is written. Version 0.1 wrote it so, and one of its workers would drop an alert that has null there."""


def _none_for_epoch(moment: datetime | None) -> datetime | None:
    return None if moment == _EPOCH else moment


def _epoch_for_none(moment: datetime | None) -> datetime:
    return moment or _EPOCH


StartsAt = Annotated[AwareDatetime | None, AfterValidator(_none_for_epoch), PlainSerializer(_epoch_for_none, when_used="json")]
"""When an alert began to fire; None where its sender does not tell."""


class Firing(Record):
    """One firing of one alert: a resend has the same firing, the next outbreak another `starts_at`.

    Where the sender tells no start, all resends until the alert resolves are one firing.
    """

    fingerprint: str
    starts_at: StartsAt

    def began_before(self, other: "Firing") -> bool:
        """False where either start is unknown."""
        return bool(self.starts_at and other.starts_at and self.starts_at < other.starts_at)


class Alert(Record):
    """One alert, normalised. Every string in it comes from outside and is never executed or trusted."""

    source: str
    """The intake it came through: alertmanager, datadog, generic, grafana…"""
    name: str = Field(max_length=256)
    status: AlertStatus
    severity: Severity = Severity.WARNING
    fingerprint: str = Field(max_length=128)
    starts_at: StartsAt
    ends_at: AwareDatetime | None = None
    target: Target
    labels: dict[str, str] = Field(default_factory=dict)
    annotations: dict[str, str] = Field(default_factory=dict)
    expression_url: str | None = Field(default=None, max_length=4096)
    """Alertmanager's generatorURL: names the expression that fired."""

    @property
    def firing(self) -> Firing:
        return Firing(fingerprint=self.fingerprint, starts_at=self.starts_at)

    @property
    def summary(self) -> str:
        return self.annotations.get("summary") or self.annotations.get("description") or self.name


def fingerprint_of(labels: dict[str, str]) -> str:
    """A fingerprint for sources that send none: the same labels give the same one."""
    return digest(labels)[:16]


def gravest(alerts: Iterable[Alert]) -> Severity:
    """The severity of the worst of them; `info` where there are none."""
    return min((alert.severity for alert in alerts), key=GRAVITY.__getitem__, default=Severity.INFO)
