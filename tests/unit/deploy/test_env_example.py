"""deploy/compose/.env.example names everything that can be set, and no value that would pass for a secret."""

import re
from typing import Final

from tests.unit.deploy.compose_file import COMPOSE, ROOT, variables

EXAMPLE: Final = (ROOT / "deploy/compose/.env.example").read_text()
REQUIRED: Final = dict(re.findall(r"^(\w+)=(.*)$", EXAMPLE, re.MULTILINE))
OPTIONAL: Final = dict(re.findall(r"^#(\w+)=(.*)$", EXAMPLE, re.MULTILINE))
USED: Final = variables(COMPOSE)


def test_every_variable_of_the_compose_file_is_explained() -> None:
    assert USED.keys() == REQUIRED.keys() | OPTIONAL.keys()


def test_what_has_no_default_is_required_and_empty() -> None:
    assert {name for name, rest in USED.items() if rest.startswith(":?")} == REQUIRED.keys()
    assert set(REQUIRED.values()) == {""}


def test_a_secret_has_no_default() -> None:
    secrets = {name for name in USED if re.search("TOKEN|PASSWORD|SECRET", name)}
    assert secrets
    assert all(USED[name].startswith(":?") or USED[name] == "" for name in secrets)
    assert all(not OPTIONAL.get(name) for name in secrets)


def test_defaults_that_are_shown_are_those_that_hold() -> None:
    held = {name: rest.removeprefix(":-") for name, rest in USED.items() if rest.startswith(":-")}
    assert {name: OPTIONAL[name] for name in held} == held


def test_a_filled_in_file_is_not_committed() -> None:
    assert {".env", "secrets/"} <= set((ROOT / "deploy/compose/.gitignore").read_text().split())
