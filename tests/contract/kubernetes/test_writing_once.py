"""A step changes the cluster once, only if the object is still what was approved, and never over somebody else's edit."""

from collections.abc import AsyncIterator
from copy import deepcopy
from datetime import UTC, datetime
from typing import Any

import pytest
import pytest_asyncio
from tests.contract.kubernetes.clusters import writer_of
from tests.contract.kubernetes.scripted_api import Answer, ScriptedApi, connected

from opsmend.adapters.kubernetes.executors import OwnRights
from opsmend.adapters.kubernetes.rehearsals import KEPT_FOR
from opsmend.adapters.kubernetes.writer import KubernetesWriter
from opsmend.domain.actions import AnyAction
from opsmend.domain.actions.action import LiveObject
from opsmend.domain.actions.object_digest import marker_of
from opsmend.domain.actions.patch_config import PatchConfig
from opsmend.domain.actions.planned_step import plan_step, projected
from opsmend.domain.execution import StepStatus
from opsmend.domain.plan import Plan, PlannedStep
from opsmend.domain.target import Kind, ObjectRef
from opsmend.errors import ClusterConflictError, ClusterUnavailableError, PlanStaleError, TargetGoneError

pytestmark = pytest.mark.safety

PATH = "/api/v1/namespaces/shop/configmaps/web-conf"
REF = ObjectRef(kind=Kind.CONFIG_MAP, namespace="shop", name="web-conf")
FIX = PatchConfig(target=REF, key="listen", value="8080")


def a_config() -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "web-conf", "namespace": "shop", "uid": "u1", "resourceVersion": "5", "managedFields": [{}]},
        "data": {"listen": "80", "root": "/srv"},
    }


def a_plan(*actions: AnyAction) -> Plan:
    live = LiveObject(object=a_config())
    steps: list[PlannedStep] = []
    for number, action in enumerate(actions, start=1):
        steps.append(plan_step(action, live, reason="e1", step_id=str(number), redact=str))
        live = projected(action, live)
    return Plan.seal(incident_id="i", run_id="r", attempt=1, summary="fix", steps=tuple(steps))


def marker(plan: Plan, step_id: str) -> str:
    return f"{plan.hash}#{step_id}"


@pytest.fixture
def api() -> ScriptedApi:
    scripted = ScriptedApi()
    scripted.on(PATH, Answer(a_config()))
    return scripted


@pytest_asyncio.fixture
async def writer(api: ScriptedApi) -> AsyncIterator[KubernetesWriter]:
    async with connected(api) as connection:
        yield writer_of(connection)


def edit(**data: str) -> Any:
    """Somebody else writes the object."""

    def write(obj: dict[str, Any]) -> None:
        obj.setdefault("data", {}).update(data)
        obj["metadata"]["resourceVersion"] = str(int(obj["metadata"]["resourceVersion"]) + 1)

    return write


async def test_a_dry_run_keeps_nothing_and_matches_the_plan(api: ScriptedApi, writer: KubernetesWriter) -> None:
    plan = a_plan(FIX)
    rehearsal = await writer.dry_run(plan.steps[0], marker(plan, "1"))
    assert rehearsal.matches_plan
    assert rehearsal.diff == plan.steps[0].diff
    assert api.mutations == []


async def test_a_server_that_would_store_something_else_does_not_match_the_plan(
    api: ScriptedApi, writer: KubernetesWriter
) -> None:
    plan = a_plan(FIX)
    # An admission webhook that adds what nobody asked for.
    api.before_patch = lambda obj: obj["data"].update(injected="yes")
    assert not (await writer.dry_run(plan.steps[0], marker(plan, "1"))).matches_plan


async def test_the_change_and_its_mark_are_one_call(api: ScriptedApi, writer: KubernetesWriter) -> None:
    plan = a_plan(FIX)
    record = await writer.apply(plan.steps[0], marker(plan, "1"))
    assert record.status is StepStatus.APPLIED
    stored = api.object_at(PATH)
    assert stored["data"] == {"listen": "8080", "root": "/srv"}
    assert marker_of(stored) == marker(plan, "1")
    assert record.resource_version == stored["metadata"]["resourceVersion"]
    assert len(api.mutations) == 1
    _, target, headers = next(r for r in api.requests if r[0] == "PATCH")
    assert "fieldManager=opsmend" in target
    assert headers["Content-Type"] == "application/json-patch+json"


async def test_a_repeated_apply_changes_nothing_and_says_so(api: ScriptedApi, writer: KubernetesWriter) -> None:
    plan = a_plan(FIX)
    await writer.apply(plan.steps[0], marker(plan, "1"))
    again = await writer.apply(plan.steps[0], marker(plan, "1"))
    assert again.status is StepStatus.ALREADY_APPLIED
    assert len([r for r in api.requests if r[0] == "PATCH"]) == 1


async def test_an_edit_before_the_step_makes_it_stale(api: ScriptedApi, writer: KubernetesWriter) -> None:
    plan = a_plan(FIX)
    edit(root="/var")(api.object_at(PATH))
    with pytest.raises(PlanStaleError, match="was changed"):
        await writer.apply(plan.steps[0], marker(plan, "1"))
    with pytest.raises(PlanStaleError, match="was changed"):
        await writer.dry_run(plan.steps[0], marker(plan, "1"))
    assert api.mutations == []


async def test_an_object_made_anew_makes_the_step_stale(api: ScriptedApi, writer: KubernetesWriter) -> None:
    plan = a_plan(FIX)
    api.object_at(PATH)["metadata"]["uid"] = "u2"
    with pytest.raises(PlanStaleError, match="made anew"):
        await writer.apply(plan.steps[0], marker(plan, "1"))


async def test_an_edit_between_read_and_write_is_never_overwritten(api: ScriptedApi, writer: KubernetesWriter) -> None:
    plan = a_plan(FIX)
    api.before_patch = edit(listen="9090")
    with pytest.raises(PlanStaleError):
        await writer.apply(plan.steps[0], marker(plan, "1"))
    assert api.object_at(PATH)["data"]["listen"] == "9090"
    assert api.mutations == []


async def test_a_write_that_changed_no_content_is_worth_another_try(api: ScriptedApi, writer: KubernetesWriter) -> None:
    plan = a_plan(FIX)
    api.before_patch = edit()
    with pytest.raises(ClusterConflictError):
        await writer.apply(plan.steps[0], marker(plan, "1"))
    api.before_patch = lambda obj: None
    assert (await writer.apply(plan.steps[0], marker(plan, "1"))).status is StepStatus.APPLIED


async def test_a_conflict_with_our_own_earlier_try_is_success(api: ScriptedApi, writer: KubernetesWriter) -> None:
    plan = a_plan(FIX)
    # The first try was carried out by the server but its answer was lost, while a second one was on its way.
    done = deepcopy(a_config())
    done["data"]["listen"] = "8080"
    done["metadata"] |= {"resourceVersion": "6", "annotations": {"opsmend.io/last-change": marker(plan, "1")}}
    api.before_patch = lambda obj: obj.update(deepcopy(done))
    assert (await writer.apply(plan.steps[0], marker(plan, "1"))).status is StepStatus.ALREADY_APPLIED
    assert api.mutations == []


# --- a change after its dry run -------------------------------------------------------------------------------------------


async def rehearsed(api: ScriptedApi, writer: KubernetesWriter) -> Plan:
    """A plan after its dry run, nothing counted yet."""
    plan = a_plan(FIX)
    assert (await writer.dry_run(plan.steps[0], marker(plan, "1"))).matches_plan
    api.requests.clear()
    return plan


def methods(api: ScriptedApi) -> list[str]:
    return [method for method, _, _ in api.requests]


async def test_a_change_goes_by_what_its_dry_run_read(api: ScriptedApi, writer: KubernetesWriter) -> None:
    plan = await rehearsed(api, writer)
    assert (await writer.apply(plan.steps[0], marker(plan, "1"))).status is StepStatus.APPLIED
    assert methods(api) == ["PATCH"]


async def test_an_edit_since_the_dry_run_is_never_overwritten(api: ScriptedApi, writer: KubernetesWriter) -> None:
    plan = await rehearsed(api, writer)
    edit(listen="9090")(api.object_at(PATH))
    with pytest.raises(PlanStaleError, match="was changed"):
        await writer.apply(plan.steps[0], marker(plan, "1"))
    assert api.object_at(PATH)["data"]["listen"] == "9090"
    assert api.mutations == []


async def test_an_object_made_anew_since_the_dry_run_is_left_alone(api: ScriptedApi, writer: KubernetesWriter) -> None:
    plan = await rehearsed(api, writer)
    api.object_at(PATH)["metadata"] |= {"uid": "u2", "resourceVersion": "9"}
    with pytest.raises(PlanStaleError, match="made anew"):
        await writer.apply(plan.steps[0], marker(plan, "1"))
    assert api.mutations == []


async def test_a_write_since_the_dry_run_that_changed_no_content_is_looked_at_at_once(
    api: ScriptedApi, writer: KubernetesWriter
) -> None:
    plan = await rehearsed(api, writer)
    edit()(api.object_at(PATH))
    assert (await writer.apply(plan.steps[0], marker(plan, "1"))).status is StepStatus.APPLIED
    assert methods(api) == ["PATCH", "GET", "PATCH"]
    assert len(api.mutations) == 1


async def test_a_change_whose_answer_was_lost_is_not_made_twice(api: ScriptedApi, writer: KubernetesWriter) -> None:
    plan = await rehearsed(api, writer)
    await writer_of(writer._connection).apply(plan.steps[0], marker(plan, "1"))
    assert (await writer.apply(plan.steps[0], marker(plan, "1"))).status is StepStatus.ALREADY_APPLIED
    assert len(api.mutations) == 1


async def test_a_dry_run_of_long_ago_is_read_anew(api: ScriptedApi) -> None:
    now = datetime(2026, 11, 28, 3, tzinfo=UTC)
    async with connected(api) as connection:
        writer = KubernetesWriter(connection, OwnRights(connection), now=lambda: now)
        plan = await rehearsed(api, writer)
        now += KEPT_FOR
        assert (await writer.apply(plan.steps[0], marker(plan, "1"))).status is StepStatus.APPLIED
    assert methods(api) == ["GET", "PATCH"]


async def test_a_dry_run_that_came_out_otherwise_leaves_nothing(api: ScriptedApi, writer: KubernetesWriter) -> None:
    plan = a_plan(FIX)
    api.before_patch = lambda obj: obj["data"].update(injected="yes")
    assert not (await writer.dry_run(plan.steps[0], marker(plan, "1"))).matches_plan
    api.requests.clear()
    with pytest.raises(PlanStaleError):
        await writer.apply(plan.steps[0], marker(plan, "1"))
    assert methods(api) == ["GET"]


# --- undoing --------------------------------------------------------------------------------------------------------------


async def test_an_undo_brings_the_fields_back_and_marks_it(api: ScriptedApi, writer: KubernetesWriter) -> None:
    plan = a_plan(FIX)
    await writer.apply(plan.steps[0], marker(plan, "1"))
    (undo,) = plan.undoing(("1",))
    edit(root="/var")(api.object_at(PATH))
    record = await writer.undo(undo, marker(plan, "undo-1"), marker(plan, "1"))
    assert record.status is StepStatus.APPLIED
    assert api.object_at(PATH)["data"] == {"listen": "80", "root": "/var"}
    assert marker_of(api.object_at(PATH)) == marker(plan, "undo-1")
    again = await writer.undo(undo, marker(plan, "undo-1"), marker(plan, "1"))
    assert again.status is StepStatus.ALREADY_APPLIED
    assert len(api.mutations) == 2


async def test_what_was_never_done_is_not_undone(api: ScriptedApi, writer: KubernetesWriter) -> None:
    plan = a_plan(FIX)
    (undo,) = plan.undoing(("1",))
    record = await writer.undo(undo, marker(plan, "undo-1"), marker(plan, "1"))
    assert record.status is StepStatus.NOTHING_TO_UNDO
    assert api.mutations == []


async def test_a_repair_made_by_hand_is_left_alone_by_an_undo(api: ScriptedApi, writer: KubernetesWriter) -> None:
    plan = a_plan(FIX)
    await writer.apply(plan.steps[0], marker(plan, "1"))
    edit(listen="9090")(api.object_at(PATH))
    (undo,) = plan.undoing(("1",))
    with pytest.raises(PlanStaleError, match="by somebody else"):
        await writer.undo(undo, marker(plan, "undo-1"), marker(plan, "1"))
    assert api.object_at(PATH)["data"]["listen"] == "9090"


async def test_two_steps_on_one_object_are_undone_one_after_the_other(api: ScriptedApi, writer: KubernetesWriter) -> None:
    plan = a_plan(FIX, PatchConfig(target=REF, key="root", value=None))
    for step in plan.steps:
        assert (await writer.dry_run(step, marker(plan, step.id))).matches_plan
        await writer.apply(step, marker(plan, step.id))
    assert (await writer.apply(plan.steps[0], marker(plan, "1"))).status is StepStatus.ALREADY_APPLIED
    for undo in plan.undoing(("1", "2")):
        undone = marker(plan, undo.id.removeprefix("undo-"))
        assert (await writer.undo(undo, marker(plan, undo.id), undone)).status is StepStatus.APPLIED
    assert api.object_at(PATH)["data"] == a_config()["data"]
    assert len(api.mutations) == 4


async def test_an_object_that_is_gone_is_told_apart(api: ScriptedApi, writer: KubernetesWriter) -> None:
    plan = a_plan(FIX)
    api.on(PATH, Answer(status=404))
    with pytest.raises(TargetGoneError):
        await writer.apply(plan.steps[0], marker(plan, "1"))
    (undo,) = plan.undoing(("1",))
    assert (await writer.undo(undo, marker(plan, "undo-1"), marker(plan, "1"))).status is StepStatus.NOTHING_TO_UNDO


async def test_a_cluster_that_does_not_answer_is_asked_again_later(api: ScriptedApi, writer: KubernetesWriter) -> None:
    plan = a_plan(FIX)
    api.on(PATH, Answer(status=503))
    with pytest.raises(ClusterUnavailableError):
        await writer.apply(plan.steps[0], marker(plan, "1"))
