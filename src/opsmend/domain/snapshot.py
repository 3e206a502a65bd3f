"""The neighbourhood of a target at one moment, typed: what detectors reason over.

The cluster adapter fills it; it holds no vendor types and no Secret values. `unseen` lists what could not be read and why:
missing data is never good news.
"""

from typing import Final

from pydantic import AwareDatetime, Field

from opsmend.domain.changes import FieldWrite
from opsmend.domain.job import JobRun
from opsmend.domain.last_good import LastGoodConfig
from opsmend.domain.load import Load
from opsmend.domain.maintenance import Maintenance
from opsmend.domain.neighbour import Neighbour
from opsmend.domain.record import JsonObject, Record, digest
from opsmend.domain.storage import Storage
from opsmend.domain.target import ObjectRef, Target


class Termination(Record):
    """How a container's last run ended. `reason` as Kubernetes spells it (OOMKilled, Error, Completed…)."""

    reason: str = ""
    exit_code: int = 0
    message: str = ""
    started_at: AwareDatetime | None = None
    finished_at: AwareDatetime | None = None


class Container(Record):
    """A container of a running pod. Exactly one of running, waiting_reason, terminated describes its state now."""

    name: str
    init: bool = False
    image: str = ""
    ready: bool = False
    running: bool = False
    restarts: int = 0
    waiting_reason: str = ""
    waiting_message: str = ""
    terminated: Termination | None = None
    last_terminated: Termination | None = None
    log: str = ""
    """Tail of the current run's log (a few KB)."""
    previous_log: str = ""
    """Tail of the log of the last run that ended, empty where there was none."""


class Condition(Record):
    """A status condition of any object. `status` is True, False or Unknown, as Kubernetes spells it."""

    type: str
    status: str
    reason: str = ""
    message: str = ""
    since: AwareDatetime | None = None


class Pod(Record):
    name: str
    namespace: str
    labels: dict[str, str] = Field(default_factory=dict)
    phase: str = ""
    reason: str = ""
    node: str = ""
    revision_hash: str = ""
    """Label pod-template-hash or controller-revision-hash: which revision it belongs to."""
    created_at: AwareDatetime | None = None
    deleting: bool = False
    conditions: tuple[Condition, ...] = ()
    containers: tuple[Container, ...] = ()
    spec: JsonObject = Field(default_factory=dict)
    """Redacted, and only of a few pods, sick ones first: those of siblings say the same."""

    @property
    def ready(self) -> bool:
        return any(c.type == "Ready" and c.status == "True" for c in self.conditions)


class Event(Record):
    """A Kubernetes event about an object of the neighbourhood; `type` is Normal or Warning."""

    about: str
    """Kind and name of the object, e.g. `Pod web-5d4-x2`."""
    type: str = "Normal"
    reason: str = ""
    message: str = ""
    count: int = 1
    first_seen: AwareDatetime | None = None
    last_seen: AwareDatetime | None = None
    source: str = ""


class Change(Record):
    """One differing value between two JSON documents; `path` is a JSON pointer, None means absent."""

    path: str
    before: str | None
    after: str | None


class Revision(Record):
    """One revision of a workload's pod template, from its ReplicaSets or ControllerRevisions."""

    number: int
    name: str
    created_at: AwareDatetime | None = None
    template: JsonObject
    """The pod template without the label that the controller adds."""
    template_digest: str
    """`digest(template)`: what a rollback names."""
    replicas: int = 0
    ready_replicas: int = 0
    change_cause: str = ""
    changes: tuple[Change, ...] = ()
    """What this revision changed against the one before it."""

    @property
    def whole(self) -> bool:
        """Whether its template is as the cluster has it, with nothing redacted: the digest, which is of the true one, tells."""
        return digest(self.template) == self.template_digest


class Workload(Record):
    """A Deployment, StatefulSet or DaemonSet."""

    ref: ObjectRef
    uid: str
    generation: int = 0
    observed_generation: int = 0
    desired_replicas: int = 0
    applied_replicas: int | None = None
    """What the manifest of the last `kubectl apply` asks for; None where there is none or it does not say."""
    replicas: int = 0
    updated_replicas: int = 0
    ready_replicas: int = 0
    available_replicas: int = 0
    paused: bool = False
    labels: dict[str, str] = Field(default_factory=dict)
    annotations: dict[str, str] = Field(default_factory=dict)
    selector: dict[str, str] = Field(default_factory=dict)
    template: JsonObject = Field(default_factory=dict)
    template_digest: str = ""
    created_at: AwareDatetime | None = None
    last_change_at: AwareDatetime | None = None
    """Newest managedFields time of a spec write (status writes do not count)."""
    last_change_by: str = ""
    writes: tuple[FieldWrite, ...] = ()
    """Newest first; so of every object that has them."""
    conditions: tuple[Condition, ...] = ()


CONFIG_VALUE_KEPT: Final = 8192
"""Characters of a ConfigMap value that a snapshot keeps. One as long as that may have been cut, so nobody writes it back."""


class ConfigReference(Record):
    """A ConfigMap or Secret that the pod template names. Secret values are never read, so `keys` is empty for Secrets."""

    ref: ObjectRef
    needed_keys: tuple[str, ...] = ()
    optional: bool = False
    used_by: str = ""
    """How the template uses it: `volume conf`, `env DB_PASSWORD of container app`, `envFrom of container app`."""
    exists: bool | None = None
    """None when it could not be told."""
    keys: tuple[str, ...] = ()
    data_digest: str = ""
    data: dict[str, str] = Field(default_factory=dict)
    """ConfigMap values, redacted and bounded."""
    last_applied: dict[str, str] | None = None
    """ConfigMap data of the last `kubectl apply` (its annotation), where present: the declared, older truth."""
    changed_at: AwareDatetime | None = None
    changed_by: str = ""
    writes: tuple[FieldWrite, ...] = ()
    immutable: bool = False
    last_good: LastGoodConfig | None = None
    """Where its namespace is watched, and what it was last seen good with differs from what it holds now."""


class ServicePort(Record):
    name: str = ""
    port: int
    target_port: int | str
    protocol: str = "TCP"


class Service(Record):
    """A Service of the namespace that selects the target's pods, or nearly does (shares a label or the name)."""

    ref: ObjectRef
    cluster_ip: str = ""
    """Empty for a headless one."""
    selector: dict[str, str] = Field(default_factory=dict)
    ports: tuple[ServicePort, ...] = ()
    ready_endpoints: int = 0
    not_ready_endpoints: int = 0
    endpoints_seen: bool = True
    """False when they could not be read: then the numbers above say nothing."""
    changed_at: AwareDatetime | None = None
    changed_by: str = ""
    writes: tuple[FieldWrite, ...] = ()


class AutoscalerMetric(Record):
    """A metric that an autoscaler goes by; both amounts in the same unit (percent of the request, or the metric's own)."""

    name: str
    current: float | None = None
    """None where the autoscaler could not get it."""
    target: float
    unit: str = ""


class Autoscaler(Record):
    ref: ObjectRef
    scales: ObjectRef
    min_replicas: int = 1
    max_replicas: int
    current_replicas: int = 0
    desired_replicas: int = 0
    metrics: tuple[AutoscalerMetric, ...] = ()
    conditions: tuple[Condition, ...] = ()
    writes: tuple[FieldWrite, ...] = ()


class Quota(Record):
    """A ResourceQuota; quantities as Kubernetes writes them (`500m`, `2Gi`)."""

    ref: ObjectRef
    hard: dict[str, str] = Field(default_factory=dict)
    used: dict[str, str] = Field(default_factory=dict)
    changed_at: AwareDatetime | None = None
    changed_by: str = ""
    writes: tuple[FieldWrite, ...] = ()


class Taint(Record):
    key: str
    value: str = ""
    effect: str


class Node(Record):
    name: str
    labels: dict[str, str] = Field(default_factory=dict)
    unschedulable: bool = False
    taints: tuple[Taint, ...] = ()
    taints_changed_at: AwareDatetime | None = None
    taints_changed_by: str = ""
    conditions: tuple[Condition, ...] = ()
    allocatable: dict[str, str] = Field(default_factory=dict)
    writes: tuple[FieldWrite, ...] = ()
    requested: dict[str, str] | None = None
    """What its pods ask for in all, their number as `pods`; None where nobody looked."""
    maintenance: Maintenance | None = None

    @property
    def ready(self) -> bool:
        return any(c.type == "Ready" and c.status == "True" for c in self.conditions)


class Dependency(Record):
    """A Service that the target calls, by the names in its pod template and configuration."""

    ref: ObjectRef
    hosts: tuple[str, ...]
    """How it is spelled there: `orders`, `orders.shop.svc.cluster.local`."""
    ports: tuple[int, ...] = ()
    """The ports that are named with it."""
    named_in: str
    """Where: `env ORDERS_URL of container web`, `key app.yaml of ConfigMap shop/web-conf`."""
    exists: bool | None = None
    """None when it could not be told."""
    service: Service | None = None
    """As it stands; None where it was not looked at."""
    snapshot: "Snapshot | None" = None
    """Its own neighbourhood, read only when it is suspected."""

    @property
    def seen_service(self) -> Service | None:
        """As its own neighbourhood shows it, where that was read; None where it was not seen."""
        if self.snapshot is None:
            return self.service
        return next((service for service in self.snapshot.services if service.ref == self.ref), None)


class Snapshot(Record):
    """All that was seen of a target's neighbourhood at `taken_at`."""

    taken_at: AwareDatetime
    target: Target
    exists: bool = True
    """False when the target itself is not in the cluster."""
    owner_chain: tuple[ObjectRef, ...] = ()
    """From the alerted object up to its top owner, e.g. Pod, ReplicaSet, Deployment."""
    workload: Workload | None = None
    pods: tuple[Pod, ...] = ()
    events: tuple[Event, ...] = ()
    revisions: tuple[Revision, ...] = ()
    """Newest first; the current one is the first."""
    config: tuple[ConfigReference, ...] = ()
    services: tuple[Service, ...] = ()
    autoscalers: tuple[Autoscaler, ...] = ()
    quotas: tuple[Quota, ...] = ()
    nodes: tuple[Node, ...] = ()
    glanced: bool = False
    """Only the workload itself was looked at, for its own status says that all is well: see health.well_at_a_glance."""
    dependencies: tuple[Dependency, ...] = ()
    maintenance: tuple[Maintenance, ...] = ()
    """As the workload and its namespace declare it; nodes have their own."""
    job: JobRun | None = None
    storage: Storage | None = None
    neighbours: tuple[Neighbour, ...] = ()
    """Read only when a quota refused a pod."""
    load: Load | None = None
    """Asked for only when nothing else is wrong."""
    fires_at_maximum: bool = False
    """Whether an alert fires as long as an autoscaler uses all that it may have. Asked for only when one wants more."""
    unseen: tuple[str, ...] = ()
    api_calls: int = 0

    def around(self, ref: ObjectRef) -> "Snapshot | None":
        """The neighbourhood of the dependency `ref`, however deep it was found."""
        for dependency in self.dependencies:
            if dependency.snapshot is None:
                continue
            if dependency.ref == ref:
                return dependency.snapshot
            if deeper := dependency.snapshot.around(ref):
                return deeper
        return None
