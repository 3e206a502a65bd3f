"""New messages have a limit a minute; the gravest come first, and nobody waits for ever for one that is gone."""

from datetime import timedelta

from tests.builders import NOW, a_target

from opsmend.domain.alert import Severity
from opsmend.domain.first_messages import Line, ask, digest, without, without_the_gone
from opsmend.domain.untold import Untold

MINUTE = timedelta(minutes=1)


def untold(number: int, severity: Severity = Severity.WARNING, namespace: str = "shop") -> Untold:
    target = a_target(name=f"app-{number}", namespace=namespace)
    return Untold(incident_id=target.incident_id, run_id=str(number), target=target, severity=severity)


def asked(line: Line, *incidents: Untold, per_minute: int = 2) -> tuple[Line, list[timedelta]]:
    """All at NOW."""
    waits = []
    for incident in incidents:
        line, wait = ask(line, incident, per_minute, NOW)
        waits.append(wait)
    return line, waits


def test_a_storm_gets_no_more_new_messages_a_minute_than_the_limit() -> None:
    """Everybody asks again just when it was told to."""
    line, posted, due = Line(), [], dict.fromkeys(range(300), NOW)
    while due:
        number = min(due, key=lambda n: (due[n], n))
        now = due.pop(number)
        line, wait = ask(line, untold(number), 20, now)
        if wait:
            due[number] = now + wait
        else:
            posted.append(now)
    assert max(sum(now - MINUTE < at <= now for at in posted) for now in posted) == 20
    assert max(posted) - NOW <= 15 * MINUTE, "no room is wasted"
    assert line.waiting == {}


def test_the_gravest_gets_the_next_room() -> None:
    line, _ = asked(Line(), *map(untold, range(6)), untold(6, Severity.CRITICAL))
    later = NOW + MINUTE
    line, wait = ask(line, untold(2), 1, later)
    assert wait, "the critical one comes first"
    line, wait = ask(line, untold(6, Severity.CRITICAL), 1, later)
    assert not wait


def test_what_slack_did_not_take_is_tried_again_in_the_same_room() -> None:
    _, waits = asked(Line(), untold(0), untold(0), untold(0), untold(1), untold(2))
    assert [bool(wait) for wait in waits] == [False, False, False, False, True]


def test_a_limit_that_was_lowered_holds_at_once() -> None:
    line, _ = asked(Line(), *map(untold, range(9)), per_minute=9)
    _, (wait,) = asked(line, untold(9), per_minute=1)
    assert wait == MINUTE


def test_who_was_ended_by_hand_or_has_called_is_not_waited_for() -> None:
    line, _ = asked(Line(), *map(untold, range(4)))
    assert set(without(line, "2").waiting) == {"3"}
    assert set(without_the_gone(line, NOW + 5 * MINUTE).waiting) == {"2", "3"}
    assert without_the_gone(line, NOW + 7 * MINUTE).waiting == {}


def test_the_digest_counts_by_severity_and_namespace_and_names_the_gravest() -> None:
    line, _ = asked(Line(), untold(0), untold(1))
    crowd = [untold(n, namespace=f"team-{n % 7}") for n in range(2, 30)]
    line, _ = asked(line, *crowd, untold(99, Severity.CRITICAL, "pay"))
    told = digest(line, NOW)
    assert told.waiting == 29
    assert list(told.severities.items()) == [(Severity.CRITICAL, 1), (Severity.WARNING, 28)]
    assert (len(told.namespaces), told.more_namespaces) == (5, 3)
    assert [incident.run_id for incident in told.gravest][:2] == ["99", "10"]
