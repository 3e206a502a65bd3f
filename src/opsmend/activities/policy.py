"""Who may answer for a plan."""

from temporalio import activity

from opsmend.domain.approval import Person
from opsmend.domain.plan import Plan
from opsmend.domain.ports.judge import Judge
from opsmend.domain.record import Handed, Record
from opsmend.domain.verdict import Autonomy
from opsmend.errors import PolicyRefusedError, bounded


class DeciderCheck(Handed):
    person: Person
    plan: Plan
    cluster: str


class DeciderAccepted(Record):
    """Ids of the policies that let this person decide."""

    policies: tuple[str, ...]


class OperatorCheck(Handed):
    """Somebody wants to pause changes, to resume them, to release an object, or to steer an incident."""

    person: Person
    cluster: str


class WatchCheck(Handed):
    """The namespaces whose good configuration shall be kept."""

    cluster: str
    namespaces: tuple[str, ...]


class WatchChecked(Record):
    """`refused` has a sentence for each namespace that policy protects."""

    namespaces: tuple[str, ...]
    refused: tuple[str, ...] = ()


class PolicyActivities:
    def __init__(self, judge: Judge) -> None:
        self._judge = judge

    @activity.defn(name="policy.check_decider")
    async def check_decider(self, check: DeciderCheck) -> DeciderAccepted:
        """Raises PolicyRefusedError. Reads policies only, so twice is harmless."""
        decision = self._judge.may_decide(check.person, check.plan, cluster=check.cluster)
        if decision.autonomy is Autonomy.OBSERVE:
            raise PolicyRefusedError(f"{check.person} may not decide on this plan: {decision.reason}")
        return DeciderAccepted(policies=decision.policies)

    @activity.defn(name="policy.check_operator")
    async def check_operator(self, check: OperatorCheck) -> DeciderAccepted:
        """Raises PolicyRefusedError. Reads policies only, so twice is harmless."""
        decision = self._judge.may_operate(check.person, cluster=check.cluster)
        if decision.autonomy is Autonomy.OBSERVE:
            raise PolicyRefusedError(f"{check.person} may not do this: {decision.reason}")
        return DeciderAccepted(policies=decision.policies)

    @activity.defn(name="policy.check_watched")
    async def check_watched(self, check: WatchCheck) -> WatchChecked:
        """Leave out where opsmend could never restore a ConfigMap. Reads policies only, so twice is harmless."""
        decisions = {name: self._judge.may_change_config(name, cluster=check.cluster) for name in check.namespaces}
        refused = {name: decision.reason for name, decision in decisions.items() if decision.autonomy is Autonomy.OBSERVE}
        return WatchChecked(
            namespaces=tuple(name for name in decisions if name not in refused),
            refused=tuple(f"{name}: {bounded(reason)}" for name, reason in refused.items()),
        )
