"""The desk's memory of open incidents: bounded, and forgetting what it has not heard of for longest."""

from opsmend.adapters.temporal.recently_open import RecentlyOpen


def test_an_incident_that_closed_is_forgotten() -> None:
    known = RecentlyOpen()
    known.add("incident:a")
    known.discard("incident:a")
    known.discard("incident:never-seen")
    assert "incident:a" not in known


def test_the_one_not_heard_of_for_longest_is_forgotten_first() -> None:
    known = RecentlyOpen(most=2)
    for incident in ("a", "b", "a", "c"):
        known.add(incident)
    assert [incident in known for incident in ("a", "b", "c")] == [True, False, True]
