"""Which alerts an incident has, which still fire, and which it answers for."""

from collections.abc import Iterable

from opsmend.domain.alert import Alert, AlertStatus, Firing, Severity, gravest
from opsmend.domain.record import Record
from opsmend.domain.target import Target

Key = tuple[str, str]
"""Whose alert it is, by the id of the target's incident, and which: two targets may have alerts with one fingerprint."""


class KeptAlerts(Record):
    """An AlertBook as one run hands it to the next."""

    alerts: tuple[Alert, ...] = ()
    received: int = 0
    settled: tuple[Firing, ...] = ()
    watched: tuple[Key, ...] = ()
    judged: tuple[Key, ...] = ()
    handed_on: tuple[Key, ...] = ()


class AlertBook:
    """Keeps the newest state of each alert. Plain and deterministic: workflow code may own it.

    What is `settled` are firings that an earlier incident of the target ended on: their resends open nothing new.

    An incident of a node also takes alerts of what runs there, as guests. They do not keep it open: it is over once its own
    alerts are, and then those guests that still fire have to be looked into for themselves.
    """

    def __init__(self, target: Target, kept: KeptAlerts | None = None) -> None:
        kept = kept or KeptAlerts()
        self._id = target.incident_id
        self._own = _Kept()
        self._guests = _Kept()
        for alert in kept.alerts:
            (self._own if alert.target.incident_id == self._id else self._guests).keep(alert)
        self._settled = set(kept.settled)
        self._watched = set(kept.watched)
        judged = {*kept.judged, *kept.watched}
        self._new = {key: alert for key, alert in self._guests.firing.items() if key not in judged}
        self._handed_on = set(kept.handed_on)
        self.received = kept.received
        self.said_otherwise = 0
        """Resends that say something else than the one before: another severity, other labels or annotations."""

    def take(self, alert: Alert, *, watched: bool = False) -> bool:
        """Note one alert, in the order they came; tells whether it is news: a new firing, or one that has now resolved.

        `watched`: a guest that an incident of its own sees to.
        """
        self.received += 1
        guest = alert.target.incident_id != self._id
        kept = self._guests if guest else self._own
        known = kept.latest.get(_key(alert))
        if known and alert.firing.began_before(known.firing):
            return False  # a late resend of an older outbreak says nothing about the present one
        if known is None and alert.status is not AlertStatus.FIRING:
            return False
        news = known is None or known.firing != alert.firing or known.status is not alert.status
        kept.keep(alert)
        self.said_otherwise += known is not None and _said(known) != _said(alert)
        if watched:
            self._watched.add(_key(alert))
        if guest:
            self._note_guest(alert, news)
        return news

    def _note_guest(self, alert: Alert, news: bool) -> None:
        key = _key(alert)
        if key in self._watched or alert.status is not AlertStatus.FIRING:
            self._new.pop(key, None)
        elif news or key in self._new:
            self._new[key] = alert

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
        return tuple(alert for key, alert in self._guests.firing.items() if key not in self._watched)

    @property
    def has_guests(self) -> bool:
        return any(key not in self._watched for key in self._guests.firing)

    @property
    def new_guests(self) -> tuple[Alert, ...]:
        """Guests of whom nobody has said yet whether the node is what they suffer from."""
        return tuple(self._new.values())

    @property
    def has_new_guests(self) -> bool:
        return bool(self._new)

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
        return gravest(self.alerts)

    @property
    def settled(self) -> tuple[Firing, ...]:
        return tuple(sorted(self._settled, key=Firing.model_dump_json))

    def settle(self) -> None:
        """Answer for everything that fires now."""
        self._settled.update(a.firing for a in self.firing)

    def unsettle(self) -> None:
        """Nobody answers any more for what fires now."""
        self._settled.difference_update(a.firing for a in self.firing)

    def end(self, alert: Alert) -> None:
        """It has resolved, and its sender tells no start: when it fires again, nobody answers for that yet."""
        self._settled.discard(alert.firing)

    def judge(self, guests: Iterable[Alert]) -> None:
        """These were looked at; they stay, or are handed on."""
        for guest in guests:
            self._new.pop(_key(guest), None)

    def hand_on(self, guests: Iterable[Alert]) -> None:
        """These are somebody else's now, as they were then. Who has resolved meanwhile has to be told of as well."""
        for guest in guests:
            key = _key(guest)
            now = self._guests.latest.get(key)
            if now is None or (now.firing, now.status) == (guest.firing, guest.status):
                self._guests.drop(key)
                self._new.pop(key, None)
                self._handed_on.discard(key)
            else:
                self._handed_on.add(key)

    @property
    def resolved_after_handing_on(self) -> tuple[Alert, ...]:
        """Guests that were handed on while they fired, and whose end nobody else knows of."""
        kept = (self._guests.latest[key] for key in sorted(self._handed_on))
        return tuple(alert for alert in kept if alert.status is not AlertStatus.FIRING)

    def kept(self) -> KeptAlerts:
        return KeptAlerts(
            alerts=self.alerts,
            received=self.received,
            settled=self.settled,
            watched=tuple(sorted(self._watched)),
            judged=tuple(sorted(key for key in self._guests.firing if key not in self._new)),
            handed_on=tuple(sorted(self._handed_on)),
        )

    @property
    def _about(self) -> "_Kept":
        return self._own if self._own.latest else self._guests


class _Kept:
    """By key; what fires is kept apart, for a workflow asks after each step and a storm has thousands."""

    def __init__(self) -> None:
        self.latest: dict[Key, Alert] = {}
        self.firing: dict[Key, Alert] = {}

    def keep(self, alert: Alert) -> None:
        self.latest[_key(alert)] = alert
        if alert.status is AlertStatus.FIRING:
            self.firing[_key(alert)] = alert
        else:
            self.firing.pop(_key(alert), None)

    def drop(self, key: Key) -> None:
        self.latest.pop(key, None)
        self.firing.pop(key, None)


def _key(alert: Alert) -> Key:
    return alert.target.incident_id, alert.fingerprint


def _said(alert: Alert) -> tuple[object, ...]:
    return alert.severity, alert.labels, alert.annotations
