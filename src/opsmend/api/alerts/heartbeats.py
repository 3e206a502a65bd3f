"""Alerts that say nothing of any target: heartbeats, and helpers that other alerts are routed by.

A heartbeat (kube-prometheus' Watchdog) always fires, so that its silence is noticed. A helper (its InfoInhibitor) carries the
labels of a workload that is well and only inhibits other alerts. By convention both have the severity `none`.
"""

from opsmend.domain.alert import Alert
from opsmend.settings import IntakeSettings


class Heartbeats:
    """Which alerts are acknowledged and open nothing."""

    def __init__(self, settings: IntakeSettings) -> None:
        self._names = frozenset(settings.heartbeats)
        self._severities = frozenset(word.lower() for word in settings.heartbeat_severities)

    def __contains__(self, alert: Alert) -> bool:
        return alert.name in self._names or alert.labels.get("severity", "").lower() in self._severities
