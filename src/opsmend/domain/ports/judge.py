"""The policy engine, as agents and the gate ask it."""

from typing import Protocol

from opsmend.domain.approval import Person
from opsmend.domain.plan import Plan
from opsmend.domain.verdict import PolicyDecision


class Judge(Protocol):
    """Pure and local: raises nothing but SettingsError for broken policies, at construction."""

    def judge_plan(self, plan: Plan, *, cluster: str, severity: str, hour_utc: int) -> PolicyDecision:
        """How far opsmend may go with this plan: the lowest autonomy over its steps."""
        ...

    def may_change_config(self, namespace: str, *, cluster: str) -> PolicyDecision:
        """How far opsmend could ever go with a ConfigMap of `namespace`: the most for any severity at any hour."""
        ...

    def may_decide(self, person: Person, plan: Plan, *, cluster: str) -> PolicyDecision:
        """Whether `person` may answer for this plan: autonomy APPROVE when so, OBSERVE when not."""
        ...

    def may_operate(self, person: Person, *, cluster: str) -> PolicyDecision:
        """Whether `person` may steer opsmend in this cluster (pause, resume, release, take over): APPROVE or OBSERVE."""
        ...
