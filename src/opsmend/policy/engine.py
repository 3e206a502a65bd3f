"""The policy engine: asks Cedar how far a plan may go and who may answer for it."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeVar

import cedarpy

from opsmend.domain.alert import Severity
from opsmend.domain.approval import Person
from opsmend.domain.plan import Plan, PlannedStep
from opsmend.domain.target import Kind, ObjectRef
from opsmend.domain.verdict import Autonomy, PolicyDecision
from opsmend.errors import bounded
from opsmend.policy.policy_files import read_policies, shipped_policies

T = TypeVar("T")

LADDER: Final = tuple(Autonomy)
"""Lowest first. Observing needs no leave, the modes above it are asked for one by one."""


class _Answer(NamedTuple):
    """Cedar's answer to one question; `policies` permit when `allowed`, else forbid."""

    allowed: bool
    policies: tuple[str, ...]
    reason: str


class _Leave(NamedTuple):
    """How far one step may go on one object, and what decided: the permits of that mode and what bars the next one."""

    autonomy: Autonomy
    policies: tuple[str, ...]
    reason: str


class CedarJudge:
    """Judge over the Cedar policies of a folder; the ones shipped with opsmend when none is named.

    Raises SettingsError at construction when a policy is broken, naming file and line.
    """

    def __init__(self, directory: Path | None = None) -> None:
        self._policies = read_policies(directory or shipped_policies())

    @property
    def policy_ids(self) -> tuple[str, ...]:
        """The `@id`s of all policies in force."""
        return self._policies.ids

    def judge_plan(self, plan: Plan, *, cluster: str, severity: str, hour_utc: int) -> PolicyDecision:
        leaves = [
            self._leave(step, touched, {"cluster": cluster, "severity": severity, "hour_utc": hour_utc})
            for step in plan.steps
            for touched in _touched(step)
        ]
        lowest = min((leave.autonomy for leave in leaves), key=LADDER.index)
        deciding = [leave for leave in leaves if leave.autonomy is lowest]
        return PolicyDecision(
            autonomy=lowest,
            policies=_unique(policy for leave in deciding for policy in leave.policies),
            reason="; ".join(_unique(leave.reason for leave in deciding)),
        )

    def may_change_config(self, namespace: str, *, cluster: str) -> PolicyDecision:
        touched = ObjectRef(kind=Kind.CONFIG_MAP, namespace=namespace, name="any")
        harmless = {"cluster": cluster, "pods": 0, "interrupts": False}
        leaves = [
            self._climb("patch_config", touched, harmless | {"severity": severity.value, "hour_utc": hour})
            for severity in Severity
            for hour in range(24)
        ]
        furthest = max(leaves, key=lambda leave: LADDER.index(leave.autonomy))
        return PolicyDecision(autonomy=furthest.autonomy, policies=furthest.policies, reason=furthest.reason)

    def may_operate(self, person: Person, *, cluster: str) -> PolicyDecision:
        whole = ObjectRef(kind=Kind.NAMESPACE, name="")
        answer = self._ask(*_person(person), "operate", whole, [{"cluster": cluster}])[0]
        autonomy = Autonomy.APPROVE if answer.allowed else Autonomy.OBSERVE
        return PolicyDecision(autonomy=autonomy, policies=answer.policies, reason=f"{person}: {answer.reason}")

    def may_decide(self, person: Person, plan: Plan, *, cluster: str) -> PolicyDecision:
        principal, attributes = _person(person)
        objects = _unique(touched for step in plan.steps for touched in _touched(step))
        answers = [
            (touched, self._ask(principal, attributes, "decide", touched, [{"cluster": cluster}])[0]) for touched in objects
        ]
        refused = [(touched, answer) for touched, answer in answers if not answer.allowed]
        deciding = refused or answers
        return PolicyDecision(
            autonomy=Autonomy.OBSERVE if refused else Autonomy.APPROVE,
            policies=_unique(policy for _, answer in deciding for policy in answer.policies),
            reason="; ".join(f"{person} on {touched}: {answer.reason}" for touched, answer in deciding),
        )

    def _leave(self, step: PlannedStep, touched: ObjectRef, circumstances: dict[str, Any]) -> _Leave:
        context = circumstances | {"pods": step.blast_radius.pods, "interrupts": step.blast_radius.interrupts}
        return self._climb(step.action.type, touched, context)

    def _climb(self, action: str, touched: ObjectRef, context: dict[str, Any]) -> _Leave:
        reached, deciding = Autonomy.OBSERVE, _Answer(True, (), "observing is always allowed")
        question = f"{action} on {touched}"
        modes = LADDER[1:]
        contexts = [context | {"mode": mode} for mode in modes]
        answers = self._ask({"type": "Agent", "id": "deployment"}, {}, action, touched, contexts)
        for mode, answer in zip(modes, answers, strict=True):
            if not answer.allowed:
                policies = _unique((*deciding.policies, *answer.policies))
                return _Leave(reached, policies, f"{question}: {reached} ({deciding.reason}), not {mode} ({answer.reason})")
            reached, deciding = mode, answer
        return _Leave(reached, deciding.policies, f"{question}: {reached} ({deciding.reason})")

    def _ask(
        self,
        principal: dict[str, str],
        attributes: dict[str, Any],
        action: str,
        touched: ObjectRef,
        contexts: list[dict[str, Any]],
    ) -> list[_Answer]:
        """An answer for each of `contexts`, which name the cluster."""
        cluster = contexts[0]["cluster"]
        resource = {"type": "Object", "id": f"{cluster}/{touched}"}
        about = {"cluster": cluster, "kind": touched.kind, "namespace": touched.namespace, "name": touched.name}
        asked = {"principal": principal, "action": {"type": "Action", "id": action}, "resource": resource}
        results = cedarpy.is_authorized_batch(
            [asked | {"context": context} for context in contexts],
            self._policies.policy_set,
            [{"uid": principal, "attrs": attributes, "parents": []}, {"uid": resource, "attrs": about, "parents": []}],
            schema=self._policies.schema,
        )
        return [_answer(result) for result in results]


def _person(person: Person) -> tuple[dict[str, str], dict[str, Any]]:
    """The principal, and its attributes."""
    principal = {"type": "Person", "id": f"{person.via}:{person.id}"}
    return principal, {"via": person.via, "id": person.id, "name": person.name, "groups": list(person.groups)}


def _answer(result: cedarpy.AuthzResult) -> _Answer:
    policies = _unique(sorted(result.diagnostics.id_annotations_by_reason.values()))
    if result.diagnostics.errors:
        # Cedar skips a policy that it cannot evaluate. If that was a forbid, the answer is worth nothing.
        return _Answer(False, policies, f"not evaluated: {bounded(result.diagnostics.errors[0])}")
    if result.allowed:
        return _Answer(True, policies, f"permitted by {', '.join(policies)}")
    return _Answer(False, policies, f"forbidden by {', '.join(policies)}" if policies else "no policy permits it")


def _touched(step: PlannedStep) -> Iterator[ObjectRef]:
    """The object that is changed, then what else the change touches."""
    yield from _unique((step.action.target, *step.blast_radius.objects))


def _unique(items: Iterable[T]) -> tuple[T, ...]:
    return tuple(dict.fromkeys(items))
