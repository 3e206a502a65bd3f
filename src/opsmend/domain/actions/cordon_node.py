"""Keep new pods off a node, and let them onto it again. Pods that run on it stay in both cases."""

from copy import deepcopy
from typing import ClassVar, Literal

from opsmend.domain.actions.action import Action, BlastRadius, LiveObject
from opsmend.domain.record import JsonObject
from opsmend.domain.target import Kind


class CordonNode(Action):
    kinds: ClassVar[frozenset[Kind]] = frozenset({Kind.NODE})

    type: Literal["cordon_node"] = "cordon_node"

    def summary(self) -> str:
        return f"Cordon {self.target}: no new pods are placed there"

    def project(self, live: LiveObject) -> JsonObject:
        return _with_unschedulable(live.object, True)

    def inverse(self, live: LiveObject) -> "CordonNode | UncordonNode":
        return _as_it_is(self, live)

    def blast_radius(self, live: LiveObject) -> BlastRadius:
        return BlastRadius(pods=0, interrupts=False, objects=(self.target,))


class UncordonNode(Action):
    kinds: ClassVar[frozenset[Kind]] = frozenset({Kind.NODE})

    type: Literal["uncordon_node"] = "uncordon_node"

    def summary(self) -> str:
        return f"Uncordon {self.target}: new pods may be placed there again"

    def project(self, live: LiveObject) -> JsonObject:
        return _with_unschedulable(live.object, False)

    def inverse(self, live: LiveObject) -> "CordonNode | UncordonNode":
        return _as_it_is(self, live)

    def blast_radius(self, live: LiveObject) -> BlastRadius:
        return BlastRadius(pods=0, interrupts=False, objects=(self.target,))


def _with_unschedulable(node: JsonObject, unschedulable: bool) -> JsonObject:
    """Kubernetes leaves the field out when it is false, and its node controller adds and removes the matching taint."""
    desired = deepcopy(node)
    spec = desired.setdefault("spec", {})
    spec.pop("unschedulable", None)
    if unschedulable:
        spec["unschedulable"] = True
    return desired


def _as_it_is(action: Action, live: LiveObject) -> CordonNode | UncordonNode:
    cordoned = bool(live.object.get("spec", {}).get("unschedulable"))
    return CordonNode(target=action.target) if cordoned else UncordonNode(target=action.target)
