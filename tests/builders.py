"""One builder per domain object: a healthy, complete default, and keyword arguments for what a test is about.

`a_snapshot()` is a healthy Deployment shop/web with two pods; `a_snapshot(pods=[a_pod(containers=[a_crashing_container()])])`
is not. Fields are those of the models, so a typo is an error. Values are coerced as pydantic does (`severity="critical"`).
"""

from collections.abc import Mapping, Sequence
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from opsmend.domain.actions import AnyAction
from opsmend.domain.actions.action import LiveObject
from opsmend.domain.actions.object_digest import spec_digest
from opsmend.domain.actions.rollback_workload import RollbackWorkload
from opsmend.domain.alert import Alert
from opsmend.domain.approval import Approval, DecisionRequest, Person
from opsmend.domain.call import Call
from opsmend.domain.call_ledger import CallLedger, CountedCall
from opsmend.domain.changes import FieldWrite, RecentChange
from opsmend.domain.diagnosis import Diagnosis, Evidence, Finding, Hint, Recollection
from opsmend.domain.execution import ApprovedPlan, ExecutionRecord, StepRecord
from opsmend.domain.incident import IncidentState
from opsmend.domain.job import JobRun
from opsmend.domain.last_good import GoodValue, LastGoodConfig
from opsmend.domain.load import Load
from opsmend.domain.maintenance import Maintenance
from opsmend.domain.neighbour import Neighbour
from opsmend.domain.plan import Plan, PlannedStep, Precondition
from opsmend.domain.postmortem import PostMortem
from opsmend.domain.record import JsonObject, digest
from opsmend.domain.snapshot import (
    Autoscaler,
    AutoscalerMetric,
    Change,
    Condition,
    ConfigReference,
    Container,
    Dependency,
    Event,
    Node,
    Pod,
    Quota,
    Revision,
    Service,
    ServicePort,
    Snapshot,
    Taint,
    Termination,
    Workload,
)
from opsmend.domain.storage import Claim, Storage, StorageClass
from opsmend.domain.target import Kind, ObjectRef, Target
from opsmend.domain.verdict import PolicyDecision, SecurityFinding, SecurityVerdict
from opsmend.domain.verification import Baseline, HealthCheck, Verification

NOW: Final = datetime(2026, 3, 14, 15, 0, tzinfo=UTC)
"""When every snapshot was taken, unless it says otherwise."""


def ago(**delta: float) -> datetime:
    """A moment before NOW: `ago(minutes=5)`."""
    return NOW - timedelta(**delta)


# --- targets and alerts -------------------------------------------------------------------------------------------------


def a_ref(kind: str = "Deployment", name: str = "web", namespace: str = "shop") -> ObjectRef:
    return ObjectRef(kind=Kind(kind), namespace="" if kind in ("Node", "Namespace") else namespace, name=name)


def a_target(kind: str = "Deployment", name: str = "web", namespace: str = "shop", **changes: Any) -> Target:
    ref = a_ref(kind, name, namespace)
    return Target(**({"cluster": "demo", "kind": ref.kind, "namespace": ref.namespace, "name": ref.name} | changes))


def an_alert(**changes: Any) -> Alert:
    target = changes.get("target", a_target())
    defaults: dict[str, Any] = {
        "source": "alertmanager",
        "name": "KubePodCrashLooping",
        "status": "firing",
        "severity": "warning",
        "fingerprint": digest(str(target))[:16],
        "starts_at": ago(minutes=5),
        "target": target,
        "labels": {"alertname": "KubePodCrashLooping", "namespace": target.namespace, target.kind.lower(): target.name},
        "annotations": {"summary": f"{target} is not well"},
    }
    return Alert(**(defaults | changes))


# --- what a snapshot is made of -----------------------------------------------------------------------------------------


def a_template(
    image: str = "registry.example/web:1.4.2",
    *,
    name: str = "web",
    labels: Mapping[str, str] | None = None,
    spec: Mapping[str, Any] | None = None,
    annotations: Mapping[str, str] | None = None,
    **container: Any,
) -> JsonObject:
    """A pod template with one container; further keywords are fields of the container, `spec` of the pod."""
    body = {
        "name": name,
        "image": image,
        "ports": [{"name": "http", "containerPort": 8080}],
        "resources": {"requests": {"cpu": "100m", "memory": "128Mi"}, "limits": {"memory": "256Mi"}},
        "readinessProbe": {"httpGet": {"path": "/healthz", "port": 8080}, "periodSeconds": 5, "timeoutSeconds": 1},
    } | container
    metadata: JsonObject = {"labels": dict({"app": name} if labels is None else labels)}
    if annotations:
        metadata["annotations"] = dict(annotations)
    return {"metadata": metadata, "spec": {"containers": [body]} | dict(spec or {})}


def with_container(template: JsonObject, **container: Any) -> JsonObject:
    """A copy of `template` whose first container has these fields changed; None removes a field."""
    changed = deepcopy(template)
    first = changed["spec"]["containers"][0]
    for field, value in container.items():
        if value is None:
            first.pop(field, None)
        else:
            first[field] = value
    return changed


def a_mounted_config(config_map: str = "web-conf", path: str = "/etc/web", volume: str = "conf") -> dict[str, Any]:
    """Keywords for `a_template`: the ConfigMap mounted as files below `path`."""
    return {
        "volumeMounts": [{"name": volume, "mountPath": path}],
        "spec": {"volumes": [{"name": volume, "configMap": {"name": config_map}}]},
    }


def a_container(**changes: Any) -> Container:
    """Running and ready."""
    defaults: dict[str, Any] = {"name": "web", "image": "registry.example/web:1.4.2", "ready": True, "running": True}
    return Container(**(defaults | changes))


def a_crashing_container(log: str = "", **changes: Any) -> Container:
    """In CrashLoopBackOff, its last run exited 1; `log` is the log of that last run."""
    defaults: dict[str, Any] = {
        "ready": False,
        "running": False,
        "restarts": 5,
        "waiting_reason": "CrashLoopBackOff",
        "waiting_message": "back-off 2m40s restarting failed container",
        "last_terminated": a_termination(),
        "previous_log": log,
    }
    return a_container(**(defaults | changes))


def a_waiting_container(reason: str, message: str = "", **changes: Any) -> Container:
    """Never started: waiting for `reason`."""
    defaults: dict[str, Any] = {"ready": False, "running": False, "waiting_reason": reason, "waiting_message": message}
    return a_container(**(defaults | changes))


def a_termination(reason: str = "Error", exit_code: int = 1, **changes: Any) -> Termination:
    defaults: dict[str, Any] = {
        "reason": reason,
        "exit_code": exit_code,
        "started_at": ago(seconds=40),
        "finished_at": ago(seconds=30),
    }
    return Termination(**(defaults | changes))


def a_condition(type: str, status: str = "True", reason: str = "", message: str = "", **changes: Any) -> Condition:
    return Condition(**({"type": type, "status": status, "reason": reason, "message": message} | changes))


def a_pod(name: str = "web-6d4cf-aaaaa", **changes: Any) -> Pod:
    """Running with one container; its Ready condition follows from its containers unless `conditions` is given."""
    containers = tuple(changes.pop("containers", (a_container(),)))
    ready = bool(containers) and all(c.ready or c.init for c in containers)
    template = changes.pop("template", None) or a_template()
    defaults: dict[str, Any] = {
        "namespace": "shop",
        "labels": {"app": "web"},
        "phase": "Running" if ready else "Pending" if any(c.waiting_reason for c in containers) else "Running",
        "node": "node-1",
        "revision_hash": "6d4cf",
        "created_at": ago(minutes=10),
        "conditions": (a_condition("PodScheduled"), a_condition("Ready", "True" if ready else "False")),
        "containers": containers,
        "spec": template["spec"],
    }
    return Pod(name=name, **(defaults | changes))


def a_pending_pod(message: str = "", name: str = "web-6d4cf-ppppp", **changes: Any) -> Pod:
    """Not scheduled; `message` is the scheduler's."""
    defaults: dict[str, Any] = {
        "phase": "Pending",
        "node": "",
        "containers": (),
        "conditions": (a_condition("PodScheduled", "False", "Unschedulable", message),),
    }
    return a_pod(name, **(defaults | changes))


def an_event(reason: str, message: str = "", about: str = "Pod web-6d4cf-aaaaa", **changes: Any) -> Event:
    """A Warning of a minute ago."""
    defaults: dict[str, Any] = {
        "about": about,
        "type": "Warning",
        "reason": reason,
        "message": message,
        "first_seen": ago(minutes=5),
        "last_seen": ago(minutes=1),
    }
    return Event(**(defaults | changes))


def changes_between(before: Any, after: Any, path: str = "") -> tuple[Change, ...]:
    """The leaves that differ, as `Revision.changes` lists them."""
    if isinstance(before, dict) and isinstance(after, dict):
        keys = sorted({*before, *after})
        return tuple(c for key in keys for c in changes_between(before.get(key), after.get(key), f"{path}/{key}"))
    if isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        pairs = enumerate(zip(before, after, strict=True))
        return tuple(c for i, (old, new) in pairs for c in changes_between(old, new, f"{path}/{i}"))
    if before == after:
        return ()
    return (Change(path=path, before=None if before is None else str(before), after=None if after is None else str(after)),)


def a_revision(number: int = 1, template: JsonObject | None = None, **changes: Any) -> Revision:
    body = template or a_template()
    defaults: dict[str, Any] = {
        "number": number,
        "name": "web-6d4cf",
        "created_at": ago(minutes=10),
        "template": body,
        "template_digest": digest(body),
        "replicas": 2,
        "ready_replicas": 2,
    }
    return Revision(**(defaults | changes))


def some_revisions(
    *templates: JsonObject, hashes: Sequence[str] = ("5c8b9", "6d4cf"), newest_at: datetime | None = None
) -> tuple[Revision, ...]:
    """Revisions of these templates, given oldest first and returned newest first; the newest has all replicas.

    Named web-<hash> as ReplicaSets are; the newest is ten minutes old and each older one a day older.
    """
    templates = templates or (a_template(),)
    newest = newest_at or ago(minutes=10)
    names = [*(f"old{i}" for i in range(len(templates) - len(hashes))), *hashes][-len(templates) :]
    made = []
    for index, (template, name) in enumerate(zip(templates, names, strict=True)):
        age = len(templates) - 1 - index
        made.append(
            a_revision(
                index + 1,
                template,
                name=f"web-{name}",
                created_at=newest - timedelta(days=age),
                replicas=0 if age else 2,
                ready_replicas=0 if age else 2,
                changes=changes_between(templates[index - 1], template) if index else (),
            )
        )
    return tuple(reversed(made))


def a_workload(**changes: Any) -> Workload:
    """Rolled out: two of two."""
    template = changes.get("template") or a_template()
    desired = changes.get("desired_replicas", 2)
    defaults: dict[str, Any] = {
        "ref": a_ref(),
        "uid": "uid-web",
        "generation": 3,
        "observed_generation": 3,
        "desired_replicas": desired,
        "replicas": desired,
        "updated_replicas": desired,
        "ready_replicas": desired,
        "available_replicas": desired,
        "labels": {"app": "web"},
        "selector": {"app": "web"},
        "template": template,
        "template_digest": digest(template),
        "created_at": ago(days=30),
        "last_change_at": ago(minutes=10),
        "last_change_by": "kubectl",
        "conditions": (a_condition("Available"), a_condition("Progressing", reason="NewReplicaSetAvailable")),
    }
    return Workload(**(defaults | changes))


def a_config(
    name: str = "web-conf", data: Mapping[str, str] | None = None, *, kind: str = "ConfigMap", **changes: Any
) -> ConfigReference:
    """An existing ConfigMap mounted as volume conf."""
    body = dict({"app.yaml": "listen: 8080\n"} if data is None and kind == "ConfigMap" else data or {})
    defaults: dict[str, Any] = {
        "ref": a_ref(kind, name),
        "used_by": "volume conf",
        "exists": True,
        "keys": tuple(body),
        "data": body,
        "data_digest": digest(body),
        "changed_at": ago(days=20),
        "changed_by": "kubectl",
    }
    return ConfigReference(**(defaults | changes))


def a_last_good(values: Mapping[str, str] | None = None, **changes: Any) -> LastGoodConfig:
    """Seen good with Deployment shop/web until five minutes ago, by a record that was kept up."""
    defaults: dict[str, Any] = {
        "first_seen": ago(days=9),
        "last_seen": ago(minutes=5),
        "looked_at": ago(minutes=5),
        "workloads": ("Deployment shop/web",),
        "by": "helm",
        "values": {key: GoodValue.of(value) for key, value in (values or {}).items()},
    }
    return LastGoodConfig(**(defaults | changes))


def a_missing_config(name: str = "web-conf", *, kind: str = "ConfigMap", **changes: Any) -> ConfigReference:
    defaults: dict[str, Any] = {"ref": a_ref(kind, name), "used_by": "volume conf", "exists": False}
    return ConfigReference(**(defaults | changes))


def a_write(*fields: str, by: str = "kubectl-edit", at: datetime | None = None, **changes: Any) -> FieldWrite:
    """By default: a person's, two minutes old."""
    return FieldWrite(**({"by": by, "at": at or ago(minutes=2), "fields": fields or ("spec.replicas",)} | changes))


def a_change(what: str = "data.app.yaml written", **changes: Any) -> RecentChange:
    """By default: a person edited a ConfigMap two minutes ago."""
    defaults: dict[str, Any] = {"at": ago(minutes=2), "object": a_ref("ConfigMap", "web-conf"), "by": "kubectl-edit"}
    return RecentChange(what=what, **(defaults | changes))


def a_service(name: str = "web", **changes: Any) -> Service:
    defaults: dict[str, Any] = {
        "ref": a_ref("Service", name),
        "selector": {"app": "web"},
        "ports": (ServicePort(name="http", port=80, target_port=8080),),
        "ready_endpoints": 2,
        "changed_at": ago(days=30),
    }
    return Service(**(defaults | changes))


def an_autoscaler(**changes: Any) -> Autoscaler:
    """Of web: between two and ten replicas, two now; `at` is its CPU in percent, of 80 wanted."""
    at = changes.pop("at", 60)
    defaults: dict[str, Any] = {
        "ref": a_ref("HorizontalPodAutoscaler"),
        "scales": a_ref(),
        "min_replicas": 2,
        "max_replicas": 10,
        "current_replicas": 2,
        "desired_replicas": 2,
        "metrics": (AutoscalerMetric(name="cpu", current=at, target=80, unit="%"),),
    }
    return Autoscaler(**(defaults | changes))


def a_limited_autoscaler(**changes: Any) -> Autoscaler:
    """At its maximum of five, with a CPU that wants eight."""
    message = "the desired replica count is more than the maximum replica count"
    condition = a_condition("ScalingLimited", reason="TooManyReplicas", message=message)
    bounds = {"max_replicas": 5, "current_replicas": 5, "desired_replicas": 5, "at": 128}
    return an_autoscaler(**(bounds | {"conditions": (condition,)} | changes))


def a_load(total: float = 57.0, replicas: int = 2, limit: float | None = 10, **changes: Any) -> Load:
    """Requests a second, divided by the rule of the alert."""
    defaults: dict[str, Any] = {
        "source": "rule",
        "per_replica": total / replicas,
        "replicas": replicas,
        "limit": limit,
        "unit": "/s",
        "expression": "sum(rate(http_requests_total[1m])) / kube_deployment_status_replicas_available > 10",
    }
    return Load(**(defaults | changes))


def a_neighbour(name: str = "batch", **changes: Any) -> Neighbour:
    """A Deployment of six, each of which asks for 500Mi."""
    resources = {"requests": {"memory": "500Mi"}, "limits": {"memory": "500Mi"}}
    template = {"spec": {"containers": [{"name": name, "resources": resources}]}}
    return Neighbour(**({"ref": a_ref(name=name), "replicas": 6, "template": template} | changes))


def a_dependency(name: str = "orders", **changes: Any) -> Dependency:
    """Service shop/orders, called by a variable; it has two ready endpoints."""
    namespace = changes.pop("namespace", "shop")
    defaults: dict[str, Any] = {
        "ref": a_ref("Service", name, namespace),
        "hosts": (name,),
        "ports": (8080,),
        "named_in": f"env {name.upper()}_URL of container web",
        "exists": True,
        "service": a_service(name, selector={"app": name}, cluster_ip="10.96.3.4"),
    }
    return Dependency(**(defaults | changes))


def a_window(until: str = "2026-03-14T16:00:00Z", on: ObjectRef | None = None, **changes: Any) -> Maintenance:
    """Maintenance that is declared on the workload and ends an hour after NOW."""
    declared = {"declared_on": on or a_ref(), "until_text": until, "until": datetime.fromisoformat(until)}
    return Maintenance(**(declared | changes))


def a_job_run(**changes: Any) -> JobRun:
    """Failed for good: tried seven times."""
    defaults: dict[str, Any] = {
        "ref": a_ref("Job", "import"),
        "failed": 7,
        "failed_reason": "BackoffLimitExceeded",
        "failed_message": "Job has reached the specified backoff limit",
        "failed_at": ago(minutes=3),
    }
    return JobRun(**(defaults | changes))


def a_claim(name: str = "data", **changes: Any) -> Claim:
    """Pending, of class fast, and a pod waits for it."""
    defaults: dict[str, Any] = {
        "ref": a_ref("PersistentVolumeClaim", name),
        "phase": "Pending",
        "storage_class": "fast",
        "access_modes": ("ReadWriteOnce",),
        "requested": "10Gi",
        "created_at": ago(minutes=10),
        "waiting_pods": ("web-6d4cf-ppppp",),
    }
    return Claim(**(defaults | changes))


def some_storage(*claims: Claim, **changes: Any) -> Storage:
    """In a cluster with the class standard, which is the default one and makes volumes at once."""
    classes = (StorageClass(name="standard", provisioner="csi.example.com", default=True),)
    return Storage(**({"claims": claims or (a_claim(),), "classes": classes} | changes))


def a_quota(name: str = "team", **changes: Any) -> Quota:
    defaults: dict[str, Any] = {"ref": a_ref("ResourceQuota", name), "hard": {"pods": "10"}, "used": {"pods": "2"}}
    return Quota(**(defaults | changes))


def a_taint(key: str, effect: str = "NoSchedule", value: str = "") -> Taint:
    return Taint(key=key, value=value, effect=effect)


def a_node(name: str = "node-1", *, ready: str = "True", **changes: Any) -> Node:
    defaults: dict[str, Any] = {
        "labels": {"kubernetes.io/hostname": name, "kubernetes.io/os": "linux"},
        "conditions": (a_condition("Ready", ready, "KubeletReady" if ready == "True" else "KubeletNotReady"),),
        "allocatable": {"cpu": "4", "memory": "8Gi", "pods": "110"},
    }
    return Node(name=name, **(defaults | changes))


def a_snapshot(**changes: Any) -> Snapshot:
    """A healthy Deployment shop/web of two pods with its Service, one node and one revision."""
    workload = changes.get("workload", a_workload())
    defaults: dict[str, Any] = {
        "taken_at": NOW,
        "target": a_target(),
        "owner_chain": (a_ref(),),
        "workload": workload,
        "pods": (a_pod(), a_pod("web-6d4cf-bbbbb")),
        "revisions": some_revisions(workload.template) if workload else (),
        "services": (a_service(),),
        "nodes": (a_node(),),
    }
    return Snapshot(**(defaults | changes))


def a_failed_rollout(
    before: JsonObject, after: JsonObject, *, containers: Sequence[Container] = (), **changes: Any
) -> Snapshot:
    """A rollout from `before` to `after` that hangs: one new pod with `containers`, two old pods still serve."""
    old = [a_pod(f"web-5c8b9-{i}", revision_hash="5c8b9", template=before, created_at=ago(days=1)) for i in "ab"]
    new = a_pod(template=after, containers=tuple(containers or (a_crashing_container(),)))
    failing = a_workload(
        template=after,
        replicas=3,
        updated_replicas=1,
        conditions=(a_condition("Available"), a_condition("Progressing", reason="ReplicaSetUpdated")),
    )
    revisions = some_revisions(before, after)
    current = revisions[0].model_copy(update={"replicas": 1, "ready_replicas": 0})
    previous = revisions[1].model_copy(update={"replicas": 2, "ready_replicas": 2})
    return a_snapshot(**({"workload": failing, "pods": (new, *old), "revisions": (current, previous)} | changes))


# --- diagnosis ----------------------------------------------------------------------------------------------------------


def some_evidence(excerpt: str = "exit code 1", **changes: Any) -> Evidence:
    return Evidence(**({"id": "e1", "source": "pod/web-6d4cf-aaaaa container web", "excerpt": excerpt} | changes))


def a_hint(remedy: str = "roll_back", **changes: Any) -> Hint:
    return Hint(**({"remedy": remedy, "object": a_ref(), "reason": "revision 1 ran for 23 h"} | changes))


def a_finding(**changes: Any) -> Finding:
    defaults: dict[str, Any] = {
        "detector": "crash_after_rollout",
        "category": "crash_after_rollout",
        "resource": a_ref(),
        "summary": "revision 2 crashes, revision 1 ran",
        "confidence": 0.8,
        "rank": 3,
        "evidence": (some_evidence(),),
    }
    return Finding(**(defaults | changes))


def a_recollection(**changes: Any) -> Recollection:
    defaults: dict[str, Any] = {
        "incident_id": "incident:demo:shop:deployment:cart",
        "run_id": "run-0",
        "category": "crash_after_rollout",
        "summary": "revision 7 of cart crashed on start",
        "remedy": "rolled Deployment shop/cart back to revision 6",
        "outcome": "remediated",
        "score": 0.9,
        "closed_at": ago(days=3),
    }
    return Recollection(**(defaults | changes))


def a_diagnosis(**changes: Any) -> Diagnosis:
    defaults: dict[str, Any] = {
        "summary": "revision 2 of Deployment shop/web crashes, revision 1 ran",
        "category": "crash_after_rollout",
        "resource": a_ref(),
        "confidence": 0.8,
        "tier": "rules",
        "evidence": (some_evidence(),),
        "rule": "crash_after_rollout",
    }
    return Diagnosis(**(defaults | changes))


# --- plans and what became of them --------------------------------------------------------------------------------------


def a_deployment(template: JsonObject | None = None, *, name: str = "web", replicas: int = 2, **spec: Any) -> JsonObject:
    """A Deployment as the API returns it."""
    body = template or a_template()
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": "shop", "uid": f"uid-{name}", "resourceVersion": "100", "generation": 3},
        "spec": {"replicas": replicas, "selector": {"matchLabels": {"app": name}}, "template": body} | spec,
        "status": {"replicas": replicas, "readyReplicas": replicas, "updatedReplicas": replicas},
    }


def a_config_map(data: Mapping[str, str] | None = None, *, name: str = "web-conf") -> JsonObject:
    """A ConfigMap as the API returns it."""
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name, "namespace": "shop", "uid": f"uid-{name}", "resourceVersion": "100"},
        "data": dict(data or {"app.yaml": "listen: 8080\n"}),
    }


def a_service_object(
    selector: Mapping[str, str] | None = None, *, name: str = "web", ports: Sequence[Mapping[str, Any]] | None = None
) -> JsonObject:
    """A Service as the API returns it."""
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name, "namespace": "shop", "uid": f"uid-svc-{name}", "resourceVersion": "100"},
        "spec": {
            "selector": dict(selector or {"app": "web"}),
            "ports": [dict(p) for p in ports or ({"name": "http", "port": 80, "targetPort": 8080},)],
        },
    }


def a_live_object(obj: JsonObject | None = None, *, revisions: Sequence[Revision] = ()) -> LiveObject:
    return LiveObject(object=obj or a_deployment(), revisions=tuple(revisions))


def a_live_rollout() -> LiveObject:
    """A Deployment at revision 2 (image 1.5.0) whose revision 1 (image 1.4.2) is still kept."""
    old, new = a_template(), a_template("registry.example/web:1.5.0")
    return a_live_object(a_deployment(new), revisions=some_revisions(old, new))


def a_step(action: AnyAction | None = None, live: LiveObject | None = None, **changes: Any) -> PlannedStep:
    """By default: roll `a_live_rollout()` back to revision 1."""
    before = live or a_live_rollout()
    act = action or RollbackWorkload(target=a_ref(), revision=1, template_digest=before.revisions[-1].template_digest)
    defaults: dict[str, Any] = {
        "id": "1",
        "action": act,
        "inverse": act.inverse(before),
        "precondition": Precondition(uid=before.object["metadata"]["uid"], spec_digest=spec_digest(before.object)),
        "diff": "-  image: registry.example/web:1.5.0\n+  image: registry.example/web:1.4.2\n",
        "diff_digest": digest("diff"),
        "blast_radius": act.blast_radius(before),
        "reason": "revision 1 ran, revision 2 crashes (e1)",
    }
    return PlannedStep(**(defaults | changes))


def a_plan(*steps: PlannedStep, **changes: Any) -> Plan:
    """Sealed: its hash is true to its content."""
    defaults: dict[str, Any] = {
        "incident_id": a_target().incident_id,
        "run_id": "run-1",
        "attempt": 1,
        "summary": "Roll Deployment shop/web back to revision 1",
        "steps": steps or (a_step(),),
    }
    return Plan.seal(**(defaults | changes))


def a_person(**changes: Any) -> Person:
    return Person(**({"via": "terminal", "id": "mia", "name": "Mia", "groups": ("oncall",)} | changes))


def a_decision_request(plan: Plan | None = None, decision: str = "approve", **changes: Any) -> DecisionRequest:
    defaults: dict[str, Any] = {"plan_hash": (plan or a_plan()).hash, "decision": decision, "by": a_person()}
    return DecisionRequest(**(defaults | changes))


def an_approval(plan: Plan | None = None, **changes: Any) -> Approval:
    defaults: dict[str, Any] = {"plan_hash": (plan or a_plan()).hash, "decision": "approve", "by": a_person(), "at": NOW}
    return Approval(**(defaults | changes))


def an_approved_plan(plan: Plan | None = None, **changes: Any) -> ApprovedPlan:
    body = plan or a_plan()
    return ApprovedPlan(**({"plan": body, "approval": an_approval(body), "severity": "warning"} | changes))


def a_policy_decision(autonomy: str = "approve", **changes: Any) -> PolicyDecision:
    defaults: dict[str, Any] = {"autonomy": autonomy, "policies": ("ask-for-everything",), "reason": "a person decides"}
    return PolicyDecision(**(defaults | changes))


def a_security_finding(severity: str = "note", **changes: Any) -> SecurityFinding:
    return SecurityFinding(**({"check": "blast_radius", "severity": severity, "text": "2 pods are replaced"} | changes))


def a_verdict(plan: Plan | None = None, **changes: Any) -> SecurityVerdict:
    defaults: dict[str, Any] = {"plan_hash": (plan or a_plan()).hash, "passed": True, "policy": a_policy_decision()}
    return SecurityVerdict(**(defaults | changes))


def a_step_record(status: str = "applied", **changes: Any) -> StepRecord:
    defaults: dict[str, Any] = {"step_id": "1", "action": "rollback_workload", "status": status, "at": NOW}
    return StepRecord(**(defaults | changes))


def an_execution(plan: Plan | None = None, **changes: Any) -> ExecutionRecord:
    defaults: dict[str, Any] = {"plan_hash": (plan or a_plan()).hash, "steps": (a_step_record(),), "compensations": ("1",)}
    return ExecutionRecord(**(defaults | changes))


def a_health_check(health: str = "healthy", **changes: Any) -> HealthCheck:
    return HealthCheck(**({"at": NOW, "health": health} | changes))


def a_verification(health: str = "healthy", **changes: Any) -> Verification:
    defaults: dict[str, Any] = {"health": health, "checks": (a_health_check(health),) * 3, "summary": "2 of 2 replicas ready"}
    return Verification(**(defaults | changes))


def a_baseline(**changes: Any) -> Baseline:
    return Baseline(**({"ready_replicas": 1, "desired_replicas": 2, "restarts": 5, "health": "unhealthy"} | changes))


def a_postmortem(**changes: Any) -> PostMortem:
    defaults: dict[str, Any] = {
        "incident_id": a_target().incident_id,
        "run_id": "run-1",
        "title": "Deployment shop/web crashed after a rollout",
        "category": "crash_after_rollout",
        "target": "Deployment shop/web",
        "symptoms": "the new pods of web exit 1 right after start",
        "cause": "revision 2 crashes on start",
        "remedy": "rolled Deployment shop/web back to revision 1",
        "remedy_actions": ("rollback_workload",),
        "outcome": "remediated",
        "opened_at": ago(minutes=5),
        "closed_at": NOW,
        "markdown": "# Deployment shop/web crashed after a rollout\n",
    }
    return PostMortem(**(defaults | changes))


def a_ledger(**changes: Any) -> CallLedger:
    """Pods of the shop, listed `calls` times."""
    calls = changes.get("calls", 1)
    listed = CountedCall(verb="list", resource="pods", namespace="shop", times=calls)
    return CallLedger(**({"counted": (listed,), "calls": calls, "bytes": 1024} | changes))


def a_call(reason: str = "question", **changes: Any) -> Call:
    defaults: dict[str, Any] = {"reason": reason, "text": "A plan waits for an answer.", "key": f"{reason}-1", "at": NOW}
    return Call(**(defaults | changes))


def an_incident(**changes: Any) -> IncidentState:
    """Open and investigating."""
    target = changes.get("target", a_target())
    defaults: dict[str, Any] = {
        "id": target.incident_id,
        "run_id": "run-1",
        "target": target,
        "opened_at": ago(minutes=5),
        "alerts": (an_alert(target=target),),
        "alerts_received": 1,
    }
    return IncidentState(**(defaults | changes))


def an_incident_awaiting_approval(**changes: Any) -> IncidentState:
    plan = changes.get("plan") or a_plan()
    defaults: dict[str, Any] = {
        "status": "awaiting_approval",
        "diagnosis": a_diagnosis(),
        "plan": plan,
        "verdict": a_verdict(plan),
    }
    return an_incident(**(defaults | changes))
