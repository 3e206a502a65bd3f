"""deploy/rbac grants each account what the drills on a real cluster used, by its own audit log: nothing more, nothing less."""

from typing import Final

import pytest
from tests.drills.audit.rights_used import Rights, granted, recorded, unlike

RECORDED: Final = recorded()
GRANTED: Final = granted()


def test_every_account_was_seen_at_work_in_the_drills() -> None:
    assert RECORDED.keys() == GRANTED.keys()


@pytest.mark.parametrize("account", sorted(GRANTED))
def test_an_account_is_granted_just_what_it_used(account: str) -> None:
    """Otherwise: play what needs the right (tests/drills/cases, then all of `make drills`), or take it out of rights.py."""
    assert unlike({account: RECORDED.get(account, [])}, {account: GRANTED[account]}) == []


@pytest.mark.parametrize(
    ("used", "granted", "told"),
    [
        pytest.param(["get pods"], ["get pods"], [], id="the-same"),
        pytest.param([], ["get pods"], ["opsmend-sre is granted `get pods`, which no drill used"], id="surplus"),
        pytest.param(["get pods"], [], ["opsmend-sre used `get pods`, which deploy/rbac does not grant"], id="lack"),
    ],
)
def test_a_surplus_and_a_lack_are_told(used: list[str], granted: list[str], told: list[str]) -> None:
    account: Rights = {"opsmend-sre": used}
    assert unlike(account, {"opsmend-sre": granted}) == told
