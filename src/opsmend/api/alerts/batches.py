"""Which alerts of a payload are handed over together, and to whose incident."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from opsmend.domain.alert import Alert, AlertStatus
from opsmend.domain.target import Kind, Target

TARGETS_OF_A_LOST_NODE: Final = 10
"""So many that name one node and fire at the same moment have it looked at first: it may be what they have in common. If it is
not, its incident hands them on within seconds."""

_Node = tuple[str, str | None]
"""Cluster and name; no name where an alert hits no node."""


@dataclass(frozen=True)
class Batch:
    """Alerts for the incident of `target`, in the order they came."""

    target: Target
    alerts: list[Alert] = field(default_factory=list)


def in_batches(alerts: Iterable[Alert]) -> tuple[list[Batch], list[Batch]]:
    """Those of nodes, and all others, which join the incident of a lost node only if it is there before them.

    The pod that an alert named makes no batch of its own. Its node does: while that one is lost they may belong to it.
    """
    took = list(alerts)
    suspects = _suspects(took)
    batches: dict[tuple[str, str | None], Batch] = {}
    for alert in took:
        target = suspects.get(_node_hit(alert), alert.target)
        batches.setdefault((target.incident_id, target.node), Batch(target)).alerts.append(alert)
    nodes = [batch for batch in batches.values() if batch.target.kind is Kind.NODE]
    return nodes, [batch for batch in batches.values() if batch.target.kind is not Kind.NODE]


def _node_hit(alert: Alert) -> _Node:
    return alert.target.cluster, alert.target.node if alert.status is AlertStatus.FIRING else None


def _suspects(alerts: Iterable[Alert]) -> dict[_Node, Target]:
    """The nodes that so many name, as targets."""
    hit: dict[tuple[str, str], set[str]] = {}
    for alert in alerts:
        cluster, node = _node_hit(alert)
        if node:
            hit.setdefault((cluster, node), set()).add(alert.target.incident_id)
    return {
        (cluster, node): Target(cluster=cluster, kind=Kind.NODE, name=node)
        for (cluster, node), targets in hit.items()
        if len(targets) >= TARGETS_OF_A_LOST_NODE
    }
