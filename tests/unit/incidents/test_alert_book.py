"""What an incident answers for: its own alerts, and those of guests only while nobody else does."""

import time

from tests.builders import NOW, a_target, ago, an_alert

from opsmend.domain.alert_book import AlertBook
from opsmend.domain.target import Kind

NODE = a_target(Kind.NODE, "node-1", "")
OWN = an_alert(target=NODE, name="KubeNodeNotReady")
GUEST = an_alert(target=a_target(node="node-1"))


def test_a_node_is_well_when_its_own_alerts_are() -> None:
    book = AlertBook(NODE)
    for alert in (GUEST, OWN):
        book.take(alert)
    assert [a.name for a in book.alerts] == ["KubeNodeNotReady", "KubePodCrashLooping"]
    assert book.firing == (OWN,)
    book.take(an_alert(target=NODE, name="KubeNodeNotReady", status="resolved"))
    assert book.all_resolved
    assert book.guests == (GUEST,)


def test_a_guest_that_resolves_is_none_any_more() -> None:
    book = AlertBook(NODE)
    book.take(GUEST)
    assert (book.only_guests, book.firing) == (True, (GUEST,))
    book.take(an_alert(target=GUEST.target, status="resolved"))
    assert book.guests == ()
    assert book.all_resolved


def test_guests_open_no_new_outbreak_of_the_node() -> None:
    book = AlertBook(NODE)
    book.take(OWN)
    book.settle()
    book.take(GUEST)
    assert book.unsettled == ()


def test_a_guest_with_an_incident_of_its_own_is_not_handed_back() -> None:
    book = AlertBook(NODE)
    book.take(GUEST, watched=True)
    assert book.guests == ()
    assert book.firing == (GUEST,)


def test_dismissed_guests_are_gone() -> None:
    book = AlertBook(NODE)
    book.take(OWN)
    book.take(GUEST)
    book.hand_on(book.guests)
    assert book.alerts == (OWN,)


def test_a_resend_without_a_start_is_the_same_firing_until_it_resolves() -> None:
    book = AlertBook(OWN.target)
    silent = an_alert(target=NODE, starts_at=None)
    assert [book.take(silent), book.take(silent)] == [True, False]
    book.settle()
    assert book.take(an_alert(target=NODE, starts_at=None, status="resolved"))
    assert book.all_resolved


def test_a_recovery_that_tells_no_start_ends_the_firing_that_told_one() -> None:
    book = AlertBook(NODE)
    book.take(an_alert(target=NODE, starts_at=ago(hours=1)))
    assert book.take(an_alert(target=NODE, starts_at=None, status="resolved"))
    assert book.all_resolved


def test_a_late_resend_of_an_older_outbreak_says_nothing() -> None:
    book = AlertBook(NODE)
    book.take(an_alert(target=NODE, starts_at=ago(minutes=1)))
    assert not book.take(an_alert(target=NODE, starts_at=ago(hours=1), status="resolved"))
    assert not book.all_resolved


def test_two_targets_may_have_alerts_with_one_fingerprint() -> None:
    book = AlertBook(NODE)
    cart = an_alert(target=a_target(name="cart", node="node-1"), fingerprint=GUEST.fingerprint)
    for alert in (OWN, GUEST, cart):
        book.take(alert)
    assert list(book.guests) == [GUEST, cart]
    book.hand_on((GUEST,))
    assert list(book.guests) == [cart]


def test_whoever_resolves_while_it_is_handed_on_has_to_be_told_of_as_well() -> None:
    book = AlertBook(NODE)
    resolved = an_alert(target=GUEST.target, status="resolved")
    for alert in (OWN, GUEST, resolved):
        book.take(alert)
    book.hand_on((GUEST,))
    assert (book.guests, book.resolved_after_handing_on) == ((), (resolved,))
    book.hand_on((resolved,))
    assert book.resolved_after_handing_on == ()


def test_whoever_fires_anew_while_it_is_handed_on_is_handed_on_again() -> None:
    book = AlertBook(NODE)
    anew = an_alert(target=GUEST.target, starts_at=NOW)
    for alert in (OWN, GUEST, anew):
        book.take(alert)
    book.hand_on((GUEST,))
    assert book.guests == (anew,)


def test_a_guest_is_judged_once_for_each_time_it_fires() -> None:
    book = AlertBook(NODE)
    book.take(GUEST)
    assert book.new_guests == (GUEST,)
    book.judge(book.new_guests)
    book.take(GUEST)
    assert not book.has_new_guests
    anew = an_alert(target=GUEST.target, starts_at=NOW)
    book.take(anew)
    assert book.new_guests == (anew,)


def test_the_next_run_knows_all_that_this_one_did() -> None:
    book = AlertBook(NODE)
    cart = an_alert(target=a_target(name="cart", node="node-1"))
    for alert in (OWN, GUEST):
        book.take(alert)
    book.judge(book.new_guests)
    book.settle()
    book.take(cart)
    book.take(an_alert(target=a_target(name="seen-to")), watched=True)
    next_run = AlertBook(NODE, book.kept())
    for told in ("alerts", "guests", "new_guests", "settled", "unsettled", "received", "firing"):
        assert getattr(next_run, told) == getattr(book, told), told
    assert next_run.kept() == book.kept()


def test_what_is_asked_after_each_step_does_not_grow_with_the_storm() -> None:
    """A workflow asks these for every condition that it waits on, and must be through within two seconds."""

    def seconds_of_asking(guests: int) -> float:
        book = AlertBook(NODE)
        book.take(OWN)
        for number in range(guests):
            book.take(an_alert(target=a_target(name=f"web-{number}", node="node-1")))
        began = time.perf_counter()
        for _ in range(2_000):
            assert not book.all_resolved
            assert book.unsettled
            assert book.has_guests
        return time.perf_counter() - began

    assert seconds_of_asking(2_000) < 20 * seconds_of_asking(2)
