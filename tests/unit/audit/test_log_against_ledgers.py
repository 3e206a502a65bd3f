"""The log and the ledgers must be the same for each incident and account; only a killed server may have lost something."""

from collections import Counter

import pytest
from tests.drills.audit.claimed import Asked, Claims, account_of
from tests.drills.audit.compared import IN_FLIGHT, differences
from tests.drills.audit.seen import Seen, seen
from tests.unit.audit.entries import INCIDENT, entry

from opsmend.domain.call_ledger import ApiCall

GET_WEB = ApiCall(verb="get", resource="deployments.apps", namespace="shop", name="web")
ASKED = Asked("sre", "opsmend/opsmend-sre", GET_WEB)


def logged(*entries: dict[str, object]) -> list[Seen]:
    return [found for one in entries if (found := seen(one))]


def claimed(times: int, asked: Asked = ASKED, work: str = INCIDENT) -> Claims:
    return {work: Counter({asked: times})}


def test_the_same_calls_equally_often_are_no_difference() -> None:
    assert differences(claimed(2), logged(entry("a1"), entry("a2"))) == []


@pytest.mark.parametrize("times", [0, 1, 3])
def test_one_call_more_or_less_is_told(times: int) -> None:
    (found,) = differences(claimed(times), logged(entry("a1"), entry("a2")))
    assert (found.work, found.asked, found.claimed, found.seen) == (INCIDENT, ASKED, times, 2)


def test_a_call_by_another_account_than_it_must_be_is_told_on_both_sides() -> None:
    by_another = entry(user={"username": "system:serviceaccount:opsmend:opsmend-deployment"})
    assert [(d.asked.account, d.claimed, d.seen) for d in differences(claimed(1), logged(by_another))] == [
        ("opsmend/opsmend-sre", 1, 0),
        ("opsmend/opsmend-deployment", 0, 1),
    ]


def test_a_call_that_the_server_did_not_believe_counts_on_both_sides() -> None:
    refused = entry("a1", user={}, responseStatus={"code": 401})
    assert differences(claimed(2), logged(refused, entry("a2"))) == []


def test_a_call_that_no_incident_claims_is_told() -> None:
    (found,) = differences(claimed(1), logged(entry("a1"), entry("a2", userAgent="curl/8")))
    assert (found.work, found.claimed, found.seen) == ("curl/8", 0, 1)


def test_the_version_that_a_worker_asks_for_as_it_starts_is_not_counted_and_nothing_else_beside_it() -> None:
    started = entry("a2", userAgent="opsmend/0.1.0", requestURI="/version?timeout=1", objectRef=None)
    assert differences(claimed(1), logged(entry("a1"), started)) == []
    looked = entry("a3", userAgent="opsmend/0.1.0")
    assert [d.seen for d in differences(claimed(1), logged(entry("a1"), started, looked))] == [1]
    by_an_agent = entry("a4", requestURI="/version", objectRef=None)
    assert [d.seen for d in differences(claimed(1), logged(entry("a1"), by_an_agent))] == [1]


@pytest.mark.parametrize(
    ("lost", "killed", "told"),
    [
        pytest.param(1, "shop", 0, id="in-flight"),
        pytest.param(IN_FLIGHT + 1, "shop", 1, id="more-than-can-be-in-flight"),
        pytest.param(1, "elsewhere", 1, id="of-another-drill"),
    ],
)
def test_only_what_was_in_flight_when_the_server_was_killed_may_be_missing(lost: int, killed: str, told: int) -> None:
    assert len(differences(claimed(1 + lost), logged(entry()), frozenset({killed}))) == told


def test_a_killed_server_excuses_no_call_that_nobody_claims() -> None:
    assert len(differences({}, logged(entry()), frozenset({"shop"}))) == 1


@pytest.mark.parametrize(
    ("call", "account"),
    [
        pytest.param(GET_WEB, "opsmend/opsmend-deployment", id="looking"),
        pytest.param(GET_WEB.model_copy(update={"verb": "patch"}), "shop/opsmend-executor", id="changing"),
        pytest.param(ApiCall(verb="patch", resource="nodes", name="n1"), "opsmend/opsmend-executor-nodes", id="a-node"),
    ],
)
def test_changes_are_expected_of_the_executor_where_the_object_is(call: ApiCall, account: str) -> None:
    assert account_of("deployment", call) == account
