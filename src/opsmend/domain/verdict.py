"""What Security and the policy say about a plan."""

from enum import StrEnum

from opsmend.domain.record import StrictRecord


class Autonomy(StrEnum):
    """How far opsmend may go, lowest first."""

    OBSERVE = "observe"
    """Look and tell, no plan is offered."""
    SUGGEST = "suggest"
    """Show the plan; a person carries it out."""
    APPROVE = "approve"
    """Carry it out once a person approved this plan hash."""
    AUTO = "auto"
    """Carry it out and tell."""


class PolicyDecision(StrictRecord):
    """What the policy allows for one plan: the lowest autonomy over its steps."""

    autonomy: Autonomy
    policies: tuple[str, ...]
    """Ids of the policies that decided, e.g. `ask-for-everything`, `never-touch-protected-namespaces`."""
    reason: str


class Severity(StrEnum):
    """How bad a security finding is; BLOCK stops the plan."""

    NOTE = "note"
    WARN = "warn"
    BLOCK = "block"


class SecurityFinding(StrictRecord):
    check: str
    severity: Severity
    text: str


class SecurityVerdict(StrictRecord):
    """Security's word on a plan: `passed` is false when anything blocks."""

    plan_hash: str
    passed: bool
    findings: tuple[SecurityFinding, ...] = ()
    policy: PolicyDecision
