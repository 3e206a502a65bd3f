"""What a drill is made of. One file a drill in cases/; CASES lists them."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from tests.drills.scene import Scene

Json = dict[str, Any]
Step = Callable[[Scene], Awaitable[None]]


async def nothing(scene: Scene) -> None:
    """The quiet default."""


async def all_well(scene: Scene) -> bool:
    return await scene.well()


async def always(scene: Scene) -> bool:
    return True


@dataclass(frozen=True)
class Drill:
    """A fault, and what must come of it."""

    name: str
    """Also its namespace."""
    objects: tuple[Json, ...]
    """What the team runs, well before the fault."""
    fault: Step
    alert: str
    """The alert by which it must be seen."""
    category: str
    cause: str
    """The object that the diagnosis must blame, e.g. `Deployment/web`."""
    actions: tuple[str, ...]
    """Types of the actions that the plan must have, in order; none where opsmend must leave the cluster alone."""
    target: str = ""
    """Whose incident it is in the drill's namespace, e.g. `deployment:web`; or see `incident`."""
    or_target: str = ""
    """Another target that suffers from the same: the incident that gets to it first asks, and the other must not."""
    incident: str = ""
    """The whole id, where the target is in no namespace."""
    changes: frozenset[str] = frozenset()
    """Objects that may differ afterwards from how they were after the fault, e.g. `deployments/web`, `nodes//node1`."""
    outcome: str = "remediated"
    prepared: Step = nothing
    """Done before the objects are made, and `tidied` after everything."""
    tidied: Step = nothing
    asked: Step = nothing
    """Done while the question stands."""
    waiting: tuple[str, Step] | None = None
    """An event of the timeline, and what is done once it is there."""
    answered: bool = True
    """Whether the person on call approves."""
    approved: Step = nothing
    """Done right after the approval."""
    healed: Callable[[Scene], Awaitable[bool]] = all_well
    """What must be true in the end."""
    alert_goes: bool = True
    """Whether Prometheus' alerts must have resolved in the end; not where a person still has to act."""
    labels: dict[str, str] | None = None
    """By which the alert is known; the namespace of the drill if None."""
    explained: tuple[str, ...] = ()
    """Words that the plan's reasons, the closing sentence or the note on the alerts' clocks must contain."""
    timeline: tuple[str, ...] = ()
    """Events that the incident's timeline must have."""
    watched: bool = False
    """Whether opsmend keeps the configurations of this namespace while they are good."""
    kills_api_server: bool = False
    """Calls in flight then are in no audit log."""
    needs_lab: bool = False
    """It reaches for what the lab is made of: its daemons, its pretended nodes, its registry."""
    alone: bool = False
    """It touches what other drills need, so it plays by itself."""
