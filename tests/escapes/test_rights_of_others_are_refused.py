"""What one account may do, another may not: each right of each account, tried by all that do not hold it."""

from collections.abc import Iterator
from typing import Final

import httpx
import pytest

from opsmend.adapters.kubernetes.rbac import EXECUTOR, HOME
from tests.drills.audit.rights_used import granted
from tests.escapes.accounts import NAMES, Grounds
from tests.escapes.calls import CHANGES, KNOWN, Request, request

pytestmark = pytest.mark.safety

GRANTED: Final = granted()
RIGHTS: Final = sorted({right for rights in GRANTED.values() for right in rights})


def tried(right: str, grounds: Grounds) -> Request:
    verb, _, resource = right.partition(" ")
    return request(verb, resource, grounds.own)


def foreign() -> Iterator[tuple[str, str]]:
    for account in NAMES:
        yield from ((account, right) for right in RIGHTS if right not in GRANTED[account])


def held() -> Iterator[tuple[str, str]]:
    for account in NAMES:
        yield from ((account, right) for right in GRANTED[account] if right in RIGHTS)


@pytest.mark.parametrize(("account", "right"), list(foreign()))
def test_what_another_account_may_do_is_refused(grounds: Grounds, account: str, right: str) -> None:
    answer = grounds.answer(account, tried(right, grounds))
    assert (answer.status_code, answer.json()["reason"]) == (httpx.codes.FORBIDDEN, "Forbidden")


@pytest.mark.parametrize(("account", "right"), list(held()))
def test_the_same_call_by_its_holder_is_let_through(grounds: Grounds, account: str, right: str) -> None:
    """Otherwise the refusals would prove nothing. What is not there is told as such, and only to who may know."""
    asked = tried(right, grounds)
    if account == "opsmend-executor-nodes":
        asked = request("patch", "nodes", "", "no-such-node")
    assert grounds.code(account, asked) in (httpx.codes.OK, httpx.codes.CREATED, httpx.codes.NOT_FOUND)


@pytest.mark.parametrize("account", NAMES)
def test_no_account_changes_more_than_its_manifest_says_whatever_the_verb(grounds: Grounds, account: str) -> None:
    """In a namespace where opsmend may mend, in its own, in one of others, and in kube-system."""
    through = set()
    for namespace in (grounds.own, HOME, grounds.shut, "kube-system"):
        for resource in KNOWN:
            for verb in CHANGES:
                if grounds.code(account, request(verb, resource, namespace)) != httpx.codes.FORBIDDEN:
                    through.add((namespace if KNOWN[resource].namespaced else "", f"{verb} {resource}"))
    changes = {right for right in GRANTED[account] if right.partition(" ")[0] in CHANGES and "/" not in right}
    place = grounds.own if account == EXECUTOR else ""
    assert through == {(place, right) for right in changes}
