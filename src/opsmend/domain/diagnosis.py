"""From what was seen to what is believed: evidence, findings, diagnosis."""

from enum import StrEnum
from typing import Annotated, Final

from pydantic import AwareDatetime, Field

from opsmend.domain.changes import RecentChange
from opsmend.domain.record import Record
from opsmend.domain.shared_cause import SharedCause
from opsmend.domain.target import ObjectRef

SURE_ENOUGH: Final = 0.5
"""A diagnosis below this is no ground to change anything, nor to wait for another incident: as likely wrong as right."""


Category = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,63}$")]
"""A class of failure, by its name: `bad_image`. Memory filters on it. The rules know those of agents/sre/detectors; a model or
another version may know others, so no list is closed."""

HEALTHY: Final = "healthy"
UNKNOWN: Final = "unknown"
MAINTENANCE: Final = "maintenance"
NODE_NOT_READY: Final = "node_not_ready"
"""Those that decide how an incident goes on."""


class Tier(StrEnum):
    """Who found it: rules first, then memory, then a model."""

    RULES = "rules"
    MEMORY = "memory"
    MODEL = "model"
    NONE = "none"


class Evidence(Record):
    """One observed fact, redacted and bounded, with where it was seen."""

    id: str
    """Short and stable within an incident run, e.g. `e3`."""
    source: str
    """What was read: `log pod/web-1 container app (previous)`, `event`, `Deployment shop/web`, `prometheus`."""
    excerpt: str = Field(max_length=2000)
    at: AwareDatetime | None = None


class Remedy(StrEnum):
    """What would remove the cause, as the detector sees it; the Architect turns it into typed actions."""

    ROLL_BACK = "roll_back"
    SET_IMAGE = "set_image"
    RESTORE_CONFIG = "restore_config"
    CORRECT_PROBE = "correct_probe"
    RAISE_MEMORY = "raise_memory"
    LOWER_REQUESTS = "lower_requests"
    CORRECT_PLACEMENT = "correct_placement"
    CORRECT_SERVICE = "correct_service"
    SCALE_UP = "scale_up"
    SCALE_BACK = "scale_back"
    """A neighbour that took what the target needs returns to what it had."""
    RAISE_AUTOSCALER = "raise_autoscaler"
    RESTART = "restart"
    CORDON = "cordon"
    UNCORDON = "uncordon"
    NONE = "none"
    """Nothing that opsmend may do: a person has to (create the Secret, raise the quota)."""


class RestoreFrom(StrEnum):
    """Where an earlier value of a configuration comes from."""

    LAST_GOOD = "last_good"
    """What workloads were last seen to run well with."""
    LAST_APPLIED = "last_applied"
    """What was last given to `kubectl apply`: older or newer than what ran."""


class Hint(Record):
    """A remedy with the values that the evidence supports; unused fields stay None."""

    remedy: Remedy
    object: ObjectRef
    reason: str
    """Why this value and not another, with numbers where there are any."""
    template_digest: str | None = None
    """ROLL_BACK: the revision's template to return to."""
    revision: int | None = None
    container: str | None = None
    image: str | None = None
    config_key: str | None = None
    config_keys: tuple[str, ...] = ()
    """RESTORE_CONFIG: further keys of the object that the same edit changed."""
    restore_from: RestoreFrom | None = None
    replicas: int | None = None
    max_replicas: int | None = None
    """RAISE_AUTOSCALER: its new upper bound."""
    memory_limit: str | None = None
    memory_request: str | None = None
    cpu_request: str | None = None
    probe: str | None = None
    """CORRECT_PROBE: liveness, readiness or startup."""
    port: int | None = None
    port_name: str | None = None
    """CORRECT_SERVICE: the Service port (by name, or its number as text) whose targetPort is wrong."""
    selector: dict[str, str] | None = None
    node_selector: dict[str, str] | None = None
    node: str | None = None


class Finding(Record):
    """What one detector concludes. `rank` orders by cause: what changed last and what others depend on comes first."""

    detector: str
    category: Category
    resource: ObjectRef
    summary: str
    confidence: float = Field(ge=0, le=1)
    rank: int = Field(ge=0)
    """0 = root cause class … 9 = symptom; a lower rank explains a higher one."""
    evidence: tuple[Evidence, ...]
    hints: tuple[Hint, ...] = ()
    """Remedies, best first."""
    beside: tuple[ObjectRef, ...] = ()
    """What must be well too before this counts as mended: the dependency that failed (the deepest last), an autoscaler."""
    until: AwareDatetime | None = None
    """MAINTENANCE: when it ends."""
    shared: SharedCause | None = None
    """What others may suffer from as well, where the finding is one of that."""


class RuledOut(Record):
    """A cause that was looked for and not found, or a finding explained by a deeper one."""

    what: str
    why: str


class Recollection(Record):
    """An earlier incident that memory brought up."""

    incident_id: str
    run_id: str
    category: Category
    summary: str
    remedy: str
    """What was done then, in words."""
    outcome: str
    score: float
    """Cosine similarity, 0..1."""
    closed_at: AwareDatetime | None = None


class Diagnosis(Record):
    """What is wrong, why we believe it, and what was ruled out."""

    summary: str
    category: Category
    resource: ObjectRef
    confidence: float = Field(ge=0, le=1)
    tier: Tier
    evidence: tuple[Evidence, ...] = ()
    hints: tuple[Hint, ...] = ()
    ruled_out: tuple[RuledOut, ...] = ()
    recalled: tuple[Recollection, ...] = ()
    unseen: tuple[str, ...] = ()
    """What could not be looked at, and why."""
    restart_is_useless: str = ""
    """Why new pods would fare no better, where that is so."""
    scaling_is_useless: str = ""
    """Why more pods would not help, where that is so."""
    rule: str = ""
    """The detector or prompt version that decided."""
    changes: tuple[RecentChange, ...] = ()
    """What was changed around the target: before the trouble began, newest first, then what came after."""
    began_at: AwareDatetime | None = None
    """When the trouble began; what the times of `changes` are told against."""
    began_note: str = ""
    """Why that is not what the first alert says, where its clock cannot be right."""
    beside: tuple[ObjectRef, ...] = ()
    """As in the finding that decided, if that is sure enough for others to wait."""
    until: AwareDatetime | None = None
    """As in the finding that decided, if that is sure enough for others to wait."""
    shared: SharedCause | None = None
    """As in the finding that decided, if that is sure enough for others to wait."""
    stands_for: tuple[SharedCause, ...] = ()
    """What others suffer from because the target does not serve: their incidents wait for this one."""
    at_a_glance: bool = False
    """Only whether `shared` is why was looked at, as another incident sees to that."""
