"""Which alerts an incident has, which still fire, and which it answers for."""

from collections.abc import Iterable

from opsmend.domain.alert import Alert, AlertStatus, Firing, Severity
from opsmend.domain.target import Target

_GRAVITY = {Severity.CRITICAL: 0, Severity.WARNING: 1, Severity.INFO: 2}


class AlertBook:
    """Keeps one alert per fingerprint, its newest state. Plain and deterministic: workflow code may own it.

    `settled` are firings that an earlier run of the incident ended on: their resends open nothing new.

    An incident of a node also takes alerts of what runs there, as guests. They do not keep it open: it is over once its own
    alerts are, and then those guests that still fire have to be looked into for themselves.
    """

    def __init__(self, target: Target, settled: Iterable[Firing] = ()) -> None:
        self._id = target.incident_id
        self._own = _Kept()
        self._guests = _Kept()
        self._settled = set(settled)
        self._watched: set[str] = set()
        self.received = 0

    def take(self, alert: Alert, *, watched: bool = False) -> bool:
        """Note one alert, in the order they came; tells whether it is news: a new firing, or one that has now resolved.

        `watched`: a guest that an incident of its own sees to.
        """
        self.received += 1
        kept = self._own if alert.target.incident_id == self._id else self._guests
        known = kept.latest.get(alert.fingerprint)
        if known and alert.firing.began_before(known.firing):
            return False  # a late resend of an older outbreak says nothing about the present one
        if known is None and alert.status is not AlertStatus.FIRING:
            return False
        kept.keep(alert)
        if watched:
            self._watched.add(alert.fingerprint)
        return known is None or known.firing != alert.firing or known.status is not alert.status

    @property
    def alerts(self) -> tuple[Alert, ...]:
        """Its own before its guests."""
        return (*self._own.latest.values(), *self._guests.latest.values())

    @property
    def firing(self) -> tuple[Alert, ...]:
        """Those that this incident is about: its own, or its guests where it has no own."""
        return tuple(self._about.firing.values())

    @property
    def guests(self) -> tuple[Alert, ...]:
        """Alerts of other targets that fire and that nobody else sees to."""
        return tuple(a for a in self._guests.firing.values() if a.fingerprint not in self._watched)

    @property
    def has_guests(self) -> bool:
        return any(fingerprint not in self._watched for fingerprint in self._guests.firing)

    @property
    def unsettled(self) -> tuple[Alert, ...]:
        """Alerts of its own that fire and that no ended run answers for."""
        return tuple(a for a in self._own.firing.values() if a.firing not in self._settled)

    @property
    def only_guests(self) -> bool:
        return not self._own.latest

    @property
    def all_resolved(self) -> bool:
        """Every alert that it is about is resolved; False while it has none."""
        return bool(self._about.latest) and not self._about.firing

    @property
    def severity(self) -> Severity:
        return min((a.severity for a in self.alerts), key=_GRAVITY.__getitem__, default=Severity.INFO)

    @property
    def settled(self) -> tuple[Firing, ...]:
        return tuple(sorted(self._settled, key=Firing.model_dump_json))

    def settle(self) -> None:
        """Answer for everything that fires now."""
        self._settled.update(a.firing for a in self.firing)

    def dismiss(self, guests: Iterable[Alert]) -> None:
        """These are somebody else's now."""
        for guest in guests:
            self._guests.drop(guest.fingerprint)

    @property
    def _about(self) -> "_Kept":
        return self._own if self._own.latest else self._guests


class _Kept:
    """By fingerprint; what fires is kept apart, for a workflow asks after each step and a storm has thousands."""

    def __init__(self) -> None:
        self.latest: dict[str, Alert] = {}
        self.firing: dict[str, Alert] = {}

    def keep(self, alert: Alert) -> None:
        self.latest[alert.fingerprint] = alert
        if alert.status is AlertStatus.FIRING:
            self.firing[alert.fingerprint] = alert
        else:
            self.firing.pop(alert.fingerprint, None)

    def drop(self, fingerprint: str) -> None:
        self.latest.pop(fingerprint, None)
        self.firing.pop(fingerprint, None)
