"""Pods cannot be created because a ResourceQuota or LimitRange forbids them."""

import re
from typing import Final

from opsmend.agents.sre.failure_class import FailureClass
from opsmend.agents.sre.reading.notes import Notes
from opsmend.agents.sre.reading.quota_taker import Growth, takers
from opsmend.agents.sre.reading.revisions import effective_differences, in_words, last_good, why_good
from opsmend.agents.sre.reading.room import quota_shortage
from opsmend.domain.diagnosis import Finding, Hint, Remedy
from opsmend.domain.pod_requests import pod_usage
from opsmend.domain.snapshot import Event, Quota, Snapshot, Workload

CREATION_FAILED: Final = "FailedCreate"
"""The reason of every controller's event about a pod that it could not create."""

_SAYS_QUOTA: Final = re.compile(r"(?i)exceeded quota|failed quota|quota")
_SAYS_LIMIT_RANGE: Final = re.compile(
    r"(?i)(maximum|minimum) \S+ (usage )?per (container|pod)|limit to request ratio|LimitRange"
)


def detect(snapshot: Snapshot) -> list[Finding]:
    """Abstains when all pods are there: an old refusal that was overcome breaks nothing."""
    workload = snapshot.workload
    if workload is None or not _lacks_pods(workload):
        return []
    told = refusals(snapshot)
    by_range = [e for e in _creation_failures(snapshot) if _SAYS_LIMIT_RANGE.search(e.message)]
    tight = [(quota, shortage) for quota in snapshot.quotas if (shortage := quota_shortage(quota, workload.template))]
    if not (told or by_range or (tight and _refused(workload))):
        return []
    return [_finding(snapshot, workload, [*told, *by_range], tight)]


def refusals(snapshot: Snapshot) -> list[Event]:
    """Events that tell that a quota refuses the pods that the workload lacks; none when it lacks none."""
    if snapshot.workload is None or not _lacks_pods(snapshot.workload):
        return []
    return [e for e in _creation_failures(snapshot) if _SAYS_QUOTA.search(e.message)]


def _creation_failures(snapshot: Snapshot) -> list[Event]:
    return [e for e in snapshot.events if e.reason == CREATION_FAILED and _of_workload(e, snapshot)]


def _lacks_pods(workload: Workload) -> bool:
    return workload.replicas < workload.desired_replicas or _refused(workload)


def _refused(workload: Workload) -> bool:
    return any(c.type == "ReplicaFailure" and c.status == "True" for c in workload.conditions)


def _of_workload(event: Event, snapshot: Snapshot) -> bool:
    names = {snapshot.target.name, *(revision.name for revision in snapshot.revisions)}
    return event.about.partition(" ")[2] in names


def _finding(snapshot: Snapshot, workload: Workload, events: list[Event], tight: list[tuple[Quota, str]]) -> Finding:
    notes = Notes()
    notes.add(str(workload.ref), f"{workload.replicas} of {workload.desired_replicas} pods exist")
    for event in events[-2:]:
        notes.add_event(event)
    for quota, shortage in tight:
        notes.add(str(quota.ref), shortage, quota.changed_at)
    named = [quota for quota in snapshot.quotas if any(quota.ref.name in event.message for event in events)]
    culprit = next(iter([*named, *(quota for quota, _ in tight)]), None)
    grown = _grown(snapshot, workload, culprit, events)
    for growth in grown:
        notes.add(str(growth.neighbour.ref), str(growth), growth.at)
    taker = grown[0] if len(grown) == 1 else None
    numbers = f" ({tight[0][1]})" if tight else ""
    by = str(culprit.ref) if culprit else "a LimitRange or quota of the namespace"
    lacking = max(workload.desired_replicas - workload.replicas, 0)
    blamed = taker.neighbour.ref if taker else culprit.ref if culprit else workload.ref
    return FAILURE.finding(
        resource=blamed,
        summary=f"{workload.ref} lacks {lacking} pods: {by} forbids them{numbers}" + (f"; {taker}" if taker else ""),
        confidence=0.95 if events and tight else 0.85 if events else 0.7,
        evidence=notes.evidence,
        hints=_hints(snapshot, workload, culprit, grown),
        beside=(taker.neighbour.ref,) if taker else (),
    )


def _grown(snapshot: Snapshot, workload: Workload, quota: Quota | None, events: list[Event]) -> list[Growth]:
    """Who may have taken it, when it is known since when pods are refused."""
    failing = next((c.since for c in workload.conditions if c.type == "ReplicaFailure" and c.since), None)
    since = failing or min((e.first_seen for e in events if e.first_seen), default=None)
    return takers(snapshot, workload, quota, since) if quota and since else []


def _hints(snapshot: Snapshot, workload: Workload, quota: Quota | None, grown: list[Growth]) -> tuple[Hint, ...]:
    """What came last is taken back first: a revision that asks for more, or a neighbour's growth. A quota is for a person."""
    back = _roll_back(snapshot, workload)
    gave = [_give_back(grown[0])] if len(grown) == 1 else []
    revised_at = snapshot.revisions[0].created_at if snapshot.revisions else None
    if back and gave and revised_at and revised_at > grown[0].at:
        gave = []
    who = f" (last changed by {quota.changed_by})" if quota and quota.changed_by else ""
    reason = f"{quota.ref if quota else 'the limit'}{who} has to be raised by a person, or fewer pods asked for"
    if len(grown) > 1:
        reason += f"; several may have taken it: {'; '.join(map(str, grown))}"
    nothing = Hint(remedy=Remedy.NONE, object=quota.ref if quota else workload.ref, reason=reason)
    return (*gave, *back, nothing)


def _give_back(growth: Growth) -> Hint:
    neighbour = growth.neighbour
    if neighbour.autoscaler:
        reason = f"{growth}, and {neighbour.autoscaler} sets its replicas: a person has to bound it"
        return Hint(remedy=Remedy.NONE, object=neighbour.ref, reason=reason)
    reason = f"{growth}, the last growth before pods were refused; with {growth.before} again, all that are missing fit"
    return Hint(remedy=Remedy.SCALE_BACK, object=neighbour.ref, replicas=growth.before, reason=reason)


def _roll_back(snapshot: Snapshot, workload: Workload) -> list[Hint]:
    """Where the newest revision asks for more than one that ran."""
    good = last_good(snapshot)
    if good is None:
        return []
    before, now = pod_usage(good.template), pod_usage(workload.template)
    if before.keys() >= now.keys() and all(now[name] <= before[name] for name in now):
        return []
    changes = in_words(tuple(c for c in effective_differences(good.template, workload.template) if "/resources/" in c.path))
    reason = f"{why_good(snapshot, good)} and asked for less; the newest revision changed {changes}"
    digest = good.template_digest
    return [Hint(remedy=Remedy.ROLL_BACK, object=workload.ref, revision=good.number, template_digest=digest, reason=reason)]


FAILURE: Final = FailureClass(
    name="quota_exceeded",
    rank=1,
    detect=detect,
    not_found="no controller was refused a pod by a quota or limit range",
    restart_is_useless="the pods that exist are well, and new ones would be refused",
    scaling_is_useless="more pods would be refused",
)
