"""Examples of every action with an object to use it on: the table that the promises of all actions are tested with."""

from dataclasses import dataclass

from tests.unit.actions.objects import a_config, a_live_workload, a_node, a_ref, a_service, an_autoscaler

from opsmend.domain.actions.action import Action, LiveObject
from opsmend.domain.actions.cordon_node import CordonNode, UncordonNode
from opsmend.domain.actions.patch_autoscaler import PatchAutoscaler
from opsmend.domain.actions.patch_config import PatchConfig
from opsmend.domain.actions.patch_service import PatchService
from opsmend.domain.actions.patch_workload import PatchWorkload
from opsmend.domain.actions.restart_workload import RESTARTED_AT, RestartWorkload
from opsmend.domain.actions.rollback_workload import RollbackWorkload
from opsmend.domain.actions.scale_workload import ScaleWorkload
from opsmend.domain.actions.set_image import SetImage
from opsmend.domain.actions.set_resources import SetResources
from opsmend.domain.actions.template_changes import ContainerPortChange, EnvironmentChange, ProbeChange, ProbeKind, Toleration
from opsmend.domain.target import Kind

WORKLOAD = a_ref()
CONFIG = a_ref(Kind.CONFIG_MAP)
SERVICE = a_ref(Kind.SERVICE)
NODE = a_ref(Kind.NODE, "node-1")
AUTOSCALER = a_ref(Kind.HORIZONTAL_POD_AUTOSCALER)
EARLIER = a_live_workload().revisions[1]
RESTART = RestartWorkload(target=WORKLOAD, restarted_at="2026-11-22T03:00:00Z")


@dataclass(frozen=True)
class Example:
    id: str
    action: Action
    live: LiveObject


def _restarted_before() -> LiveObject:
    live = a_live_workload()
    live.object["spec"]["template"]["metadata"]["annotations"] = {RESTARTED_AT: "2026-01-01T00:00:00Z", "team": "shop"}
    return live


def _placed() -> LiveObject:
    live = a_live_workload()
    spec = live.object["spec"]["template"]["spec"]
    spec["nodeSelector"] = {"disk": "ssd"}
    spec["tolerations"] = [{"key": "gpu", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 60}]
    return live


def _set_env(name: str, value: str | None) -> EnvironmentChange:
    return EnvironmentChange(container="app", name=name, value=value)


def _probe(kind: ProbeKind, port: int | str | None = None, path: str | None = None) -> PatchWorkload:
    return PatchWorkload(target=WORKLOAD, probe=ProbeChange(container="app", kind=kind, port=port, path=path))


def _without(field: str) -> LiveObject:
    """A workload whose container does not have `field`."""
    live = a_live_workload()
    del live.object["spec"]["template"]["spec"]["containers"][0][field]
    return live


EXAMPLES = (
    Example(
        "rollback",
        RollbackWorkload(target=WORKLOAD, revision=1, template_digest=EARLIER.template_digest),
        a_live_workload(),
    ),
    Example("first restart", RESTART, a_live_workload()),
    Example("another restart", RESTART, _restarted_before()),
    Example("scale up", ScaleWorkload(target=WORKLOAD, replicas=5), a_live_workload()),
    Example("scale to zero", ScaleWorkload(target=WORKLOAD, replicas=0), a_live_workload()),
    Example("raise a limit", SetResources(target=WORKLOAD, container="app", memory_limit="128Mi"), a_live_workload()),
    Example(
        "set and remove amounts",
        SetResources(target=WORKLOAD, container="app", cpu_request="100m", cpu_limit="1", remove=("memory_limit",)),
        a_live_workload(),
    ),
    Example(
        "first resources of a container",
        SetResources(target=WORKLOAD, container="app", memory_limit="128Mi", memory_request="64Mi"),
        _without("resources"),
    ),
    Example(
        "first resources of a container, as a real server shows it",
        SetResources(target=WORKLOAD, container="app", memory_limit="128Mi"),
        a_live_workload(resources={}),
    ),
    Example("image", SetImage(target=WORKLOAD, container="app", image="shop/web:2"), a_live_workload()),
    Example(
        "image of an init container", SetImage(target=WORKLOAD, container="migrate", image="shop/migrate:2"), a_live_workload()
    ),
    Example("config value", PatchConfig(target=CONFIG, key="a.conf", value="good"), a_config(**{"a.conf": "bad", "b": "1"})),
    Example("empty config value", PatchConfig(target=CONFIG, key="a.conf", value=""), a_config(**{"a.conf": "bad"})),
    Example("new config key", PatchConfig(target=CONFIG, key="a.conf", value="good"), a_config()),
    Example("config key removed", PatchConfig(target=CONFIG, key="a.conf", value=None), a_config(**{"a.conf": "bad"})),
    Example("probe port", _probe(ProbeKind.READINESS, port=9090), a_live_workload()),
    Example("probe path", _probe(ProbeKind.READINESS, path="/healthz"), a_live_workload()),
    Example("probe path removed", _probe(ProbeKind.READINESS, path="", port="http"), a_live_workload()),
    Example("named port of a TCP probe", _probe(ProbeKind.LIVENESS, port=8081), a_live_workload()),
    Example("variable changed", PatchWorkload(target=WORKLOAD, env=(_set_env("MODE", "safe"),)), a_live_workload()),
    Example("variable emptied", PatchWorkload(target=WORKLOAD, env=(_set_env("MODE", ""),)), a_live_workload()),
    Example("empty variable set", PatchWorkload(target=WORKLOAD, env=(_set_env("DEBUG", "1"),)), a_live_workload()),
    Example(
        "variables removed from the middle and added",
        PatchWorkload(target=WORKLOAD, env=(_set_env("MODE", None), _set_env("DEBUG", None), _set_env("NEW", "x"))),
        a_live_workload(),
    ),
    Example("first variable", PatchWorkload(target=WORKLOAD, env=(_set_env("MODE", "safe"),)), _without("env")),
    Example(
        "container port",
        PatchWorkload(target=WORKLOAD, container_port=ContainerPortChange(container="app", port=8080, to=8081)),
        a_live_workload(),
    ),
    Example("node selector", PatchWorkload(target=WORKLOAD, node_selector={"disk": "hdd"}), _placed()),
    Example("first node selector", PatchWorkload(target=WORKLOAD, node_selector={"disk": "hdd"}), a_live_workload()),
    Example("node selector removed", PatchWorkload(target=WORKLOAD, node_selector={}), _placed()),
    Example(
        "tolerations",
        PatchWorkload(target=WORKLOAD, tolerations=(Toleration(key="spot", operator="Exists", effect="NoSchedule"),)),
        _placed(),
    ),
    Example("tolerations removed", PatchWorkload(target=WORKLOAD, tolerations=()), _placed()),
    Example("selector", PatchService(target=SERVICE, selector={"app": "web", "tier": "front"}), a_service()),
    Example("target of a named port", PatchService(target=SERVICE, port="http", target_port="http"), a_service()),
    Example("target of a numbered port", PatchService(target=SERVICE, port="443", target_port=8443), a_service()),
    Example("more replicas at most", PatchAutoscaler(target=AUTOSCALER, max_replicas=8), an_autoscaler()),
    Example("fewer replicas at most", PatchAutoscaler(target=AUTOSCALER, max_replicas=2), an_autoscaler()),
    Example("more replicas at least", PatchAutoscaler(target=AUTOSCALER, min_replicas=4), an_autoscaler()),
    Example("both bounds", PatchAutoscaler(target=AUTOSCALER, min_replicas=6, max_replicas=9), an_autoscaler()),
    Example("cordon", CordonNode(target=NODE), a_node()),
    Example("uncordon", UncordonNode(target=NODE), a_node(unschedulable=True)),
)
