"""`opsmend pause`, `resume`, `release` and `changes` at a terminal."""

from datetime import UTC, datetime

import httpx
import pytest
from tests.change_control_in_memory import ChangeControlInMemory
from tests.desk_in_memory import DeskInMemory
from tests.unit.api.api_client import an_app
from tests.unit.cli.run_cli import run_against
from typer.testing import Result

from opsmend.console.object_name import object_named
from opsmend.domain.change_control import HeldTarget
from opsmend.errors import BadPayloadError

HELD = HeldTarget(
    target="Deployment shop/web",
    since=datetime(2026, 3, 14, tzinfo=UTC),
    why="Deployment shop/web was changed by 3 plans within 24 hours",
)


@pytest.fixture
def control() -> ChangeControlInMemory:
    return ChangeControlInMemory()


def run(control: ChangeControlInMemory, *arguments: str) -> Result:
    app = an_app(DeskInMemory(), control=control)
    return run_against(httpx.ASGITransport(app, raise_app_exceptions=False), *arguments)


def test_a_pause_is_shown_with_its_reason_until_somebody_resumes(control: ChangeControlInMemory) -> None:
    assert "Changes are allowed." in run(control, "changes").stdout
    assert "release freeze" in run(control, "pause", "--reason", "release freeze").stdout
    assert "Changes are paused" in run(control, "changes").stdout
    assert "Changes are allowed." in run(control, "resume").stdout


def test_a_held_object_is_released_as_kubectl_would_name_it(control: ChangeControlInMemory) -> None:
    control.kept = control.kept.model_copy(update={"held": (HELD,)})
    assert HELD.why in run(control, "changes").stdout
    assert run(control, "release", "deploy/web", "-n", "shop").exit_code == 0
    assert control.kept.held == ()


def test_nothing_to_release_is_a_sentence_and_an_exit_code(control: ChangeControlInMemory) -> None:
    done = run(control, "release", "deployment/web", "-n", "shop")
    assert (done.exit_code, done.stdout) == (1, "")
    assert "Deployment shop/web is not held for people" in done.stderr


@pytest.mark.parametrize(
    ("typed", "namespace", "shown"),
    [
        ("deployment/web", "shop", "Deployment shop/web"),
        ("Deployments/web", "shop", "Deployment shop/web"),
        ("sts/db", "shop", "StatefulSet shop/db"),
        ("HPA/web", "shop", "HorizontalPodAutoscaler shop/web"),
        ("node/worker-1", "", "Node worker-1"),
        ("node/worker-1", "shop", "Node worker-1"),
        ("svc/api", "pay", "Service pay/api"),
    ],
)
def test_objects_are_named_as_kubectl_names_them(typed: str, namespace: str, shown: str) -> None:
    assert str(object_named(typed, namespace)) == shown


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ("web", "KIND/NAME"),
        ("deployment/", "KIND/NAME"),
        ("/web", "KIND/NAME"),
        ("widget/web", "KIND/NAME"),
        ("group/web", "KIND/NAME"),
        ("deployment/web", "--namespace"),
    ],
)
def test_what_is_no_object_is_told_with_an_example(typed: str, told: str) -> None:
    with pytest.raises(BadPayloadError, match=told):
        object_named(typed, "")
