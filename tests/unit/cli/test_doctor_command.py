"""`opsmend doctor` as a person runs it."""

from typing import Final

import pytest
from tests.desk_in_memory import DeskInMemory
from tests.unit.cli.run_cli import run_cli

from opsmend.cli import checking
from opsmend.doctor.examination import Check, NotSetUp
from opsmend.errors import ClusterForbiddenError, SettingsError
from opsmend.settings import Settings


async def well(_: Settings) -> str:
    return "It answers."


async def absent(_: Settings) -> str:
    raise NotSetUp("It is not set up.")


async def broken(_: Settings) -> str:
    raise SettingsError("The wire is cut [red].")


async def barred(_: Settings) -> str:
    raise ClusterForbiddenError("It may not patch.")


GOOD: Final = (Check("wire", well, "mend it"), Check("spare", absent, "buy it"))


def test_all_well_exits_zero(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checking, "CHECKS", GOOD)
    shown = run_cli(DeskInMemory(), "doctor")
    assert shown.exit_code == 0
    assert "It answers." in shown.stdout
    assert " ms" in shown.stdout
    assert "buy it" not in shown.stdout


def test_optional_part_that_fails_is_a_warning_with_its_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checking, "CHECKS", (*GOOD, Check("rights", barred, "bind the role", required=False)))
    shown = run_cli(DeskInMemory(), "doctor")
    assert shown.exit_code == 0
    assert "warning" in shown.stdout
    assert "bind the role" in shown.stdout


def test_namespaces_that_are_named_are_looked_at_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checking, "CHECKS", GOOD)
    monkeypatch.setattr(checking, "acting_in", lambda namespace: Check(f"act in {namespace}", broken, "apply it"))
    shown = run_cli(DeskInMemory(), "doctor", "--namespace", "shop", "--namespace", "bank")
    assert shown.exit_code == 1
    assert "act in shop, act in bank" in shown.stderr


def test_required_part_that_fails_exits_one_and_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checking, "CHECKS", (*GOOD, Check("cable", broken, "mend it")))
    shown = run_cli(DeskInMemory(), "doctor")
    assert shown.exit_code == 1
    assert "The wire is cut [red]." in shown.stdout
    assert "cable" in shown.stderr
