"""Nothing of the cluster's own is touched, whatever the policy in force says."""

from typing import Final

from opsmend.agents.security.scene import Scene
from opsmend.domain.verdict import SecurityFinding, Severity

PROTECTED: Final = frozenset(
    {"kube-system", "kube-public", "kube-node-lease", "cert-manager", "istio-system", "gatekeeper-system"}
)
"""Namespaces that run the cluster, its certificates, its mesh and its admission rules."""


def check(scene: Scene) -> list[SecurityFinding]:
    return [
        SecurityFinding(
            check="protected_namespaces",
            severity=Severity.BLOCK,
            text=f"step {step.id} would change {ref}, and namespace {ref.namespace} is protected",
        )
        for step in scene.plan.steps
        for ref in dict.fromkeys((step.action.target, step.inverse.target, *step.blast_radius.objects))
        if ref.namespace in PROTECTED
    ]
