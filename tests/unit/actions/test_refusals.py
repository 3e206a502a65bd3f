"""An action that does not fit the object, or is hostile, is refused before anything is called."""

from collections.abc import Callable

import pytest
from pydantic import ValidationError
from tests.unit.actions.objects import a_config, a_live_workload, a_ref, a_service, an_autoscaler

from opsmend.domain.actions.action import Action, LiveObject
from opsmend.domain.actions.patch_autoscaler import PatchAutoscaler
from opsmend.domain.actions.patch_config import VALUE_LIMIT, PatchConfig
from opsmend.domain.actions.patch_service import PatchService
from opsmend.domain.actions.patch_workload import PatchWorkload
from opsmend.domain.actions.rollback_workload import RollbackWorkload
from opsmend.domain.actions.scale_workload import ScaleWorkload
from opsmend.domain.actions.set_image import SetImage
from opsmend.domain.actions.set_resources import SetResources
from opsmend.domain.actions.template_changes import ContainerPortChange, EnvironmentChange, ProbeChange, ProbeKind
from opsmend.domain.target import Kind
from opsmend.errors import HumanNeededError, PlanStaleError

WORKLOAD, CONFIG, SERVICE = a_ref(), a_ref(Kind.CONFIG_MAP), a_ref(Kind.SERVICE)
AUTOSCALER = a_ref(Kind.HORIZONTAL_POD_AUTOSCALER)


def _paused() -> LiveObject:
    live = a_live_workload()
    live.object["spec"]["paused"] = True
    return live


def _immutable() -> LiveObject:
    live = a_config(key="value")
    live.object["immutable"] = True
    return live


@pytest.mark.parametrize(
    ("action", "live", "why"),
    [
        pytest.param(
            SetImage(target=WORKLOAD, container="gone", image="a:1"),
            a_live_workload(),
            "no container 'gone'",
            id="no such container",
        ),
        pytest.param(
            RollbackWorkload(target=WORKLOAD, revision=9, template_digest="f" * 64),
            a_live_workload(),
            "no longer keeps revision 9",
            id="revision gone",
        ),
        pytest.param(
            RollbackWorkload(target=WORKLOAD, revision=1, template_digest=a_live_workload().revisions[1].template_digest),
            _paused(),
            "is paused",
            id="paused",
        ),
        pytest.param(PatchConfig(target=CONFIG, key="key", value="new"), _immutable(), "is immutable", id="immutable"),
        pytest.param(
            PatchService(target=SERVICE, port="metrics", target_port=1),
            a_service(),
            "no port metrics",
            id="no such service port",
        ),
        pytest.param(
            PatchWorkload(target=WORKLOAD, probe=ProbeChange(container="app", kind=ProbeKind.STARTUP, port=1)),
            a_live_workload(),
            "no startup probe",
            id="no such probe",
        ),
        pytest.param(
            PatchWorkload(target=WORKLOAD, probe=ProbeChange(container="app", kind=ProbeKind.LIVENESS, path="/")),
            a_live_workload(),
            "no liveness probe",
            id="a TCP probe has no path",
        ),
        pytest.param(
            PatchWorkload(target=WORKLOAD, env=(EnvironmentChange(container="app", name="PASSWORD", value="x"),)),
            a_live_workload(),
            "is a reference",
            id="a variable that refers to a Secret",
        ),
        pytest.param(
            PatchWorkload(target=WORKLOAD, container_port=ContainerPortChange(container="app", port=1, to=2)),
            a_live_workload(),
            r"declares \[8080\]",
            id="no such container port",
        ),
        pytest.param(
            PatchAutoscaler(target=AUTOSCALER, min_replicas=6),
            an_autoscaler(),
            "at least 6 and at most 5",
            id="more replicas at least than at most",
        ),
        pytest.param(
            PatchAutoscaler(target=AUTOSCALER, max_replicas=1),
            an_autoscaler(),
            "at least 2 and at most 1",
            id="fewer replicas at most than at least",
        ),
    ],
)
def test_an_object_without_what_is_to_be_changed_makes_the_plan_stale(action: Action, live: LiveObject, why: str) -> None:
    with pytest.raises(PlanStaleError, match=why):
        action.project(live)


@pytest.mark.parametrize(
    ("build", "why"),
    [
        pytest.param(lambda: ScaleWorkload(target=WORKLOAD, replicas=-1), "greater than or equal to 0", id="negative replicas"),
        pytest.param(
            lambda: ScaleWorkload(target=a_ref(Kind.DAEMON_SET), replicas=1),
            "does not work on a DaemonSet",
            id="a DaemonSet has no replicas",
        ),
        pytest.param(
            lambda: SetImage(target=WORKLOAD, container="app", image="a:1; curl evil"),
            "image\n.*match pattern",
            id="shell in an image",
        ),
        pytest.param(
            lambda: SetImage(target=WORKLOAD, container="app", image="a:1\nb"),
            "image\n.*match pattern",
            id="line break in an image",
        ),
        pytest.param(lambda: SetImage(target=WORKLOAD, container="app", image=""), "image\n.*match pattern", id="no image"),
        pytest.param(lambda: SetResources(target=WORKLOAD, container="app"), "at least one amount", id="no amount"),
        pytest.param(
            lambda: SetResources(target=WORKLOAD, container="app", cpu_limit="1", remove=("cpu_limit",)),
            "set and removed at once",
            id="set and removed",
        ),
        pytest.param(
            lambda: PatchConfig(target=CONFIG, key="../etc/passwd", value="x"), "key\n.*match pattern", id="a path as key"
        ),
        pytest.param(
            lambda: PatchConfig(target=CONFIG, key="k", value="é" * VALUE_LIMIT),
            "more than 65536 bytes",
            id="a value that is too long in bytes",
        ),
        pytest.param(lambda: PatchService(target=SERVICE), "a selector or a port", id="nothing to change in a Service"),
        pytest.param(lambda: PatchService(target=SERVICE, port="http"), "belong together", id="a port without its target"),
        pytest.param(lambda: PatchWorkload(target=WORKLOAD), "at least one field", id="nothing to change in a workload"),
        pytest.param(
            lambda: EnvironmentChange(container="app", name="A=B", value="x"),
            "name\n.*match pattern",
            id="a variable name with =",
        ),
        pytest.param(
            lambda: ContainerPortChange(container="app", port=80, to=70000), "equal to 65535", id="a port out of range"
        ),
        pytest.param(lambda: PatchAutoscaler(target=AUTOSCALER), "a bound to change", id="no bound of an autoscaler"),
        pytest.param(
            lambda: PatchAutoscaler(target=AUTOSCALER, max_replicas=0),
            "max_replicas\n.*equal to 1",
            id="an autoscaler that stops everything",
        ),
        pytest.param(
            lambda: PatchAutoscaler(target=AUTOSCALER, min_replicas=9, max_replicas=3),
            "cannot both hold",
            id="bounds that exclude each other",
        ),
        pytest.param(
            lambda: PatchAutoscaler(target=WORKLOAD, max_replicas=3),
            "does not work on a Deployment",
            id="a workload is no autoscaler",
        ),
    ],
)
def test_an_action_that_cannot_be_meant_is_not_even_built(build: Callable[[], object], why: str) -> None:
    with pytest.raises(ValidationError, match=why):
        build()


def test_a_change_without_a_way_back_needs_a_person() -> None:
    live = a_config(key="x" * (VALUE_LIMIT + 1))
    with pytest.raises(HumanNeededError, match="A person has to change it"):
        PatchConfig(target=CONFIG, key="key", value="small").inverse(live)


def test_values_do_not_show_up_where_an_action_is_printed() -> None:
    printed = repr(PatchConfig(target=CONFIG, key="key", value="hunter2"))
    printed += PatchConfig(target=CONFIG, key="key", value="hunter2").summary()
    printed += repr(EnvironmentChange(container="app", name="A", value="hunter2"))
    assert "hunter2" not in printed


def test_a_rollback_that_stands_is_not_held_against_a_workload_that_was_paused_since() -> None:
    live = _paused()
    current = live.revisions[0]
    back = RollbackWorkload(target=WORKLOAD, revision=current.number, template_digest=current.template_digest)
    assert back.project(live) == live.object
