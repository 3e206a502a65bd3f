"""Every right that opsmend uses in a cluster, by who uses it. deploy/rbac is made of these, `opsmend doctor` asks for them.

Nobody may read a Secret. Only executors may change anything, and Deployment may do no more than ask for a token of theirs.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from opsmend.adapters.kubernetes.resources import (
    CONTROLLER_REVISIONS,
    ENDPOINT_SLICES,
    EVENTS,
    POD_METRICS,
    RESOURCES,
    SERVICE_ACCOUNTS,
    STORAGE_CLASSES,
    VOLUMES,
    Resource,
)
from opsmend.domain.actions import ACTIONS
from opsmend.domain.actions.action import Action
from opsmend.domain.target import Kind


@dataclass(frozen=True)
class Right:
    """`verb` as RBAC calls it; `subresource` mostly empty."""

    verb: str
    resource: Resource
    subresource: str = ""

    def __str__(self) -> str:
        """As kubectl says it: `list replicasets.apps`, `get pods/log`."""
        return f"{self.verb} {self.resource.qualified}" + (f"/{self.subresource}" if self.subresource else "")


def changes_of(action: type[Action]) -> list[Right]:
    """What carrying out an action of this type takes, a right for each kind of target."""
    return [Right(action.verb, RESOURCES[kind]) for kind in sorted(action.kinds)]


def _investigating() -> Iterator[Right]:
    # Alerts are about these, or they own what alerts are about.
    alerted = RESOURCES.keys() - {Kind.SECRET, Kind.NAMESPACE}
    listed = alerted - {Kind.CRON_JOB, Kind.CONFIG_MAP, Kind.PERSISTENT_VOLUME_CLAIM}
    for kind, resource in RESOURCES.items():
        if kind in alerted:
            yield Right("get", resource)
        if kind in listed:
            yield Right("list", resource)
    # Whether a namespace is under maintenance.
    yield Right("get", RESOURCES[Kind.NAMESPACE])
    for resource in (EVENTS, CONTROLLER_REVISIONS, ENDPOINT_SLICES, STORAGE_CLASSES, VOLUMES, POD_METRICS):
        yield Right("list", resource)
    yield Right("get", RESOURCES[Kind.POD], "log")


def _looking() -> Iterator[Right]:
    for kind in sorted({kind for action in ACTIONS for kind in action.kinds}):
        yield Right("get", RESOURCES[kind])
    # What a rollback goes back to.
    yield Right("list", RESOURCES[Kind.REPLICA_SET])
    yield Right("list", CONTROLLER_REVISIONS)


def _changing(*, namespaced: bool) -> tuple[Right, ...]:
    rights = dict.fromkeys(right for action in ACTIONS for right in changes_of(action))
    return tuple(right for right in rights if right.resource.namespaced is namespaced)


INVESTIGATE: Final = tuple(_investigating())
"""SRE: the neighbourhood of a target, and whether a fix helped."""

LOOK: Final = tuple(_looking())
"""Architect, Security and Deployment: the objects that an action may be about."""

AGENTS: Final[dict[str, tuple[Right, ...]]] = {
    "sre": INVESTIGATE,
    "architect": LOOK,
    "security": LOOK,
    "deployment": LOOK,
}
"""What each agent may do in the whole cluster."""

MEND: Final = _changing(namespaced=True)
"""A namespace's executor: the actions inside of it."""

CORDON: Final = _changing(namespaced=False)
"""The executor for nodes."""

ASK_FOR_TOKEN: Final = Right("create", SERVICE_ACCOUNTS, "token")
"""Deployment, for the executor's account alone."""
