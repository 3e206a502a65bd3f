"""A beginning or an end of an id is enough where only one incident has it."""

import pytest
from tests.builders import a_target, an_incident
from tests.desk_in_memory import DeskInMemory
from tests.unit.cli.run_cli import run_cli

from opsmend.console.short_ids import is_whole, the_one_meant
from opsmend.errors import IncidentNotFoundError

IDS = (
    "incident:prod:shop:deployment:web",
    "incident:prod:shop:deployment:my-web",
    "incident:prod:pay:deployment:api",
    "incident:prod:shop:deployment:api",
    "incident:prod::node:node-a",
    "incident:group:5f3a9c",
    "investigation:prod:shop:deployment:web",
    "investigation:prod:pay:deployment:old",
)


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        (IDS[0], IDS[0]),
        ("web", IDS[0]),
        ("deployment:web", IDS[0]),
        ("my-web", IDS[1]),
        ("prod:pay", IDS[2]),
        ("incident:prod:p", IDS[2]),
        ("pay:deployment:api", IDS[2]),
        ("node-a", IDS[4]),
        ("group:5f", IDS[5]),
        ("5f3a9c", IDS[5]),
        ("investigation:prod:shop:deployment:web", IDS[6]),
        ("old", IDS[7]),
    ],
)
def test_what_only_one_has_is_enough(given: str, meant: str) -> None:
    assert the_one_meant(given, IDS) == meant


@pytest.mark.parametrize("given", ["api", "prod:shop", "incident:", "incident:prod:shop:deployment"])
def test_several_are_named_and_none_is_chosen(given: str) -> None:
    with pytest.raises(IncidentNotFoundError, match="several incidents: incident:"):
        the_one_meant(given, IDS)


@pytest.mark.parametrize("given", ["", "eb", "shop", "WEB", "incident:prod:shop:deployment:we:"])
def test_what_none_has_is_said(given: str) -> None:
    with pytest.raises(IncidentNotFoundError, match="There is no incident"):
        the_one_meant(given, IDS)


def test_of_many_only_some_are_named() -> None:
    with pytest.raises(IncidentNotFoundError, match="and 7 more"):
        the_one_meant("x", [f"incident:c:n{number}:deployment:x" for number in range(12)])


@pytest.mark.parametrize(
    ("given", "whole"),
    [(IDS[0], True), (IDS[4], True), (IDS[5], True), ("incident:prod:shop", False), ("web", False), ("incident:", False)],
)
def test_a_whole_id_needs_no_list(given: str, whole: bool) -> None:
    assert is_whole(given) is whole


@pytest.mark.parametrize("command", ["incident", "explain"])
def test_commands_take_it(command: str) -> None:
    desk = DeskInMemory(
        an_incident(), an_incident(target=a_target(name="checkout"), id="incident:demo:shop:deployment:checkout")
    )
    assert "incident:demo:shop:deployment:web" in run_cli(desk, command, "web").stdout
    refused = run_cli(desk, command, "demo:shop")
    assert refused.exit_code == 1
    assert "incident:demo:shop:deployment:checkout" in refused.stderr


def test_an_empty_id_is_no_incident() -> None:
    assert run_cli(DeskInMemory(an_incident()), "incident", "").exit_code == 1
