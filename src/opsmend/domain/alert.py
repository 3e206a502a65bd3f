"""An alert, whatever monitoring system sent it."""

from enum import StrEnum

from pydantic import AwareDatetime, Field

from opsmend.domain.record import Record, digest
from opsmend.domain.target import Target


class AlertStatus(StrEnum):
    FIRING = "firing"
    RESOLVED = "resolved"


class Severity(StrEnum):
    CRITICAL = "critical"
    WARNING = "warning"
    INFO = "info"


class Firing(Record):
    """One firing of one alert: a resend has the same firing, the next outbreak another `starts_at`."""

    fingerprint: str
    starts_at: AwareDatetime


class Alert(Record):
    """One alert, normalised. Every string in it comes from outside and is never executed or trusted."""

    source: str
    """The intake it came through: alertmanager, datadog, generic…"""
    name: str = Field(max_length=256)
    status: AlertStatus
    severity: Severity = Severity.WARNING
    fingerprint: str = Field(max_length=128)
    starts_at: AwareDatetime
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
