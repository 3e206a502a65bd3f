"""An executor changes what is in its own namespace, and Deployment gets tokens of executors alone."""

from typing import Final

import httpx
import pytest

from opsmend.adapters.kubernetes.rbac import EXECUTOR, HOME
from opsmend.adapters.kubernetes.rights import AGENTS
from tests.drills.audit.rights_used import granted
from tests.escapes.accounts import Grounds
from tests.escapes.calls import request

pytestmark = pytest.mark.safety

DEPLOYMENT: Final = "opsmend-deployment"


@pytest.mark.parametrize("right", granted()[EXECUTOR])
@pytest.mark.parametrize("elsewhere", ["other", "shut", "home", "kube-system"])
def test_an_executor_acts_in_no_namespace_but_its_own(grounds: Grounds, right: str, elsewhere: str) -> None:
    namespace = {"other": grounds.other, "shut": grounds.shut, "home": HOME}.get(elsewhere, elsewhere)
    verb, _, resource = right.partition(" ")
    assert grounds.code(EXECUTOR, request(verb, resource, namespace)) == httpx.codes.FORBIDDEN


def asked_for(grounds: Grounds, namespace: str, account: str) -> int:
    return grounds.code(DEPLOYMENT, request("create", "serviceaccounts/token", namespace, account))


@pytest.mark.parametrize("agent", AGENTS)
def test_deployment_gets_no_token_of_an_agent_not_even_of_itself(grounds: Grounds, agent: str) -> None:
    assert asked_for(grounds, HOME, f"opsmend-{agent}") == httpx.codes.FORBIDDEN


def test_deployment_gets_no_token_of_anybody_elses_account(grounds: Grounds) -> None:
    others = [(grounds.own, "default"), (HOME, "default"), ("kube-system", "default"), ("kube-system", "namespace-controller")]
    assert {other: asked_for(grounds, *other) for other in others} == dict.fromkeys(others, httpx.codes.FORBIDDEN)


def test_deployment_gets_no_token_of_an_executor_where_nobody_let_opsmend_mend(grounds: Grounds) -> None:
    places = [(grounds.shut, EXECUTOR), (HOME, EXECUTOR), (grounds.own, f"{EXECUTOR}-nodes")]
    assert {place: asked_for(grounds, *place) for place in places} == dict.fromkeys(places, httpx.codes.FORBIDDEN)


def test_deployment_gets_the_tokens_that_it_needs(grounds: Grounds) -> None:
    places = [(grounds.own, EXECUTOR), (grounds.other, EXECUTOR), (HOME, f"{EXECUTOR}-nodes")]
    assert {place: asked_for(grounds, *place) for place in places} == dict.fromkeys(places, httpx.codes.CREATED)
