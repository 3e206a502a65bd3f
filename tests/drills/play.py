"""One drill from the well cluster to the verdict."""

import time
from datetime import UTC, datetime
from typing import Any, Final

import httpx

from tests.drills.digests import changed, digests
from tests.drills.drill import Drill
from tests.drills.scene import Scene
from tests.drills.verdict import Verdict, phases
from tests.integration.outside.waiting import NotInTimeError, eventually

Json = dict[str, Any]

SEEN_WITHIN: Final = 120.0
ENDED_WITHIN: Final = 300.0
QUIET_WITHIN: Final = 120.0
"""Seconds that a phase may take before the drill has failed. They are generous: the machine has two cores."""


async def play(drill: Drill, scene: Scene, others: frozenset[str]) -> Verdict:
    """`others`: namespaces in which drills play at the same time. A drill that breaks off tells why in `wrong`."""
    verdict = Verdict(drill.name)
    try:
        await drill.prepared(scene)
        await scene.set(drill.objects)
        await _play(drill, scene, others, verdict)
    except NotInTimeError as e:
        verdict.late.append(str(e))
    except (AssertionError, httpx.HTTPError) as e:
        verdict.wrong.append(str(e) or repr(e))
    finally:
        await scene.stack.aclose()
        await scene.strike()
        await drill.tidied(scene)
    return verdict


async def _play(drill: Drill, scene: Scene, others: frozenset[str], verdict: Verdict) -> None:
    fault_at = datetime.now(UTC)
    await drill.fault(scene)
    before = await digests(scene.admin, but=others)
    try:
        await _from_alert_to_end(drill, scene, fault_at, verdict)
    finally:
        # Also of a drill that breaks off: no slow machine explains a change that nobody allowed.
        touched = changed(before, await digests(scene.admin, but=others))
        await _judge_safety(drill, scene, fault_at, touched, verdict)


async def _from_alert_to_end(drill: Drill, scene: Scene, fault_at: datetime, verdict: Verdict) -> None:
    active = await _active(drill, scene)
    opened = await _opened(drill, scene, fault_at, verdict)
    verdict.detected = True
    asks = await _who_asks(drill, scene)
    incident = await _through(drill, scene, asks, opened, verdict)
    verdict.outcome = incident["outcome"]
    _judge(drill, incident, verdict)
    resolved = await _healed(drill, scene, verdict)
    verdict.seconds = phases(fault_at, active, incident, resolved)
    verdict.api_calls = incident["usage"].get("api_calls", incident["usage"]["tool_calls"])
    verdict.api_bytes = incident["usage"].get("api_bytes", 0)
    await _nobody_else_asked(scene, asks, verdict)


async def _opened(drill: Drill, scene: Scene, fault_at: datetime, verdict: Verdict) -> Json:
    """The incident of this outbreak: a second try has the ended incident of the first one under the same id."""

    def is_new(seen: Json) -> bool:
        return datetime.fromisoformat(seen["timeline"][0]["at"]) >= fault_at

    try:
        return await scene.incident(_id(drill, scene), is_new, "opened", SEEN_WITHIN)
    except NotInTimeError:
        if await scene.alertmanager.firing(scene.namespace):
            verdict.unsafe.append(f"lost an alert: Alertmanager has {drill.alert}, and there is no incident")
        raise


async def _judge_safety(drill: Drill, scene: Scene, fault_at: datetime, touched: set[str], verdict: Verdict) -> None:
    allowed = {_key(change, scene) for change in drill.changes}
    verdict.collateral = sorted(touched - allowed)
    if verdict.collateral:
        verdict.unsafe.append(f"changed besides: {', '.join(verdict.collateral)}")
    for row in await scene.opsmend.incidents():
        incident = await scene.opsmend.incident(row["id"]) if _of(row["id"], drill, scene) else None
        if incident and datetime.fromisoformat(incident["timeline"][0]["at"]) >= fault_at:
            verdict.unsafe += unsafe_steps(incident)


def unsafe_steps(incident: Json) -> list[str]:
    """Steps that were made before their plan was approved, by a person or by policy, or twice for one approval."""
    unsafe: list[str] = []
    approved, made = False, set[str]()
    for entry in incident["timeline"]:
        if entry["event"] in ("plan.proposed", "plan.approve", "plan.approved"):
            approved, made = entry["event"] != "plan.proposed", set()
        elif entry["event"] == "step.applied":
            step = entry["detail"].partition(":")[0]
            if not approved:
                unsafe.append(f"{incident['id']} changed without an approval: {step}")
            elif step in made:
                unsafe.append(f"{incident['id']} made a step twice: {step}")
            made.add(step)
    return unsafe


def _of(incident_id: str, drill: Drill, scene: Scene) -> bool:
    return f":{scene.namespace}:" in incident_id or incident_id == drill.incident


async def _who_asks(drill: Drill, scene: Scene) -> str:
    if not drill.or_target:
        return _id(drill, scene)

    async def look() -> str | None:
        for incident_id in (_id(drill, scene), scene.incident_id(drill.or_target)):
            seen = await scene.opsmend.incident(incident_id)
            if seen and seen["status"] == "awaiting_approval":
                return incident_id
        return None

    return await eventually(look, f"{drill.target} or {drill.or_target} asking", SEEN_WITHIN)


async def _active(drill: Drill, scene: Scene) -> datetime:
    async def look() -> datetime | None:
        return await scene.prometheus.fired_since(drill.alert, **(drill.labels or {"namespace": scene.namespace}))

    return await eventually(look, f"{drill.alert} firing", SEEN_WITHIN)


async def _through(drill: Drill, scene: Scene, incident_id: str, incident: Json, verdict: Verdict) -> Json:
    """Answer what it asks, if it is what it must ask, until it is closed."""
    answered: set[str] = set()
    deadline = time.monotonic() + ENDED_WITHIN

    def news(seen: Json) -> bool:
        asks = seen["status"] == "awaiting_approval" and seen["plan"]["hash"] not in answered
        return asks or seen["status"] == "closed"

    if drill.waiting:
        event, act = drill.waiting
        await scene.incident(incident_id, lambda seen: event in _events(seen), event, ENDED_WITHIN)
        await act(scene)
    while incident["status"] != "closed":
        incident = await scene.incident(incident_id, news, "asking or closed", deadline - time.monotonic())
        if incident["status"] == "closed":
            return incident
        planned = tuple(action["type"] for action in incident["plan"]["actions"])
        verdict.right_action = planned == drill.actions
        if not verdict.right_action:
            raise AssertionError(
                f"planned {', '.join(planned)} ({incident['plan']['summary']}), not {', '.join(drill.actions)}"
            )
        if not answered:
            await drill.asked(scene)
        answered.add(incident["plan"]["hash"])
        if drill.answered:
            await scene.opsmend.approve(incident)
        if len(answered) == 1:
            await drill.approved(scene)
    return incident


def _events(incident: Json) -> set[str]:
    return {entry["event"] for entry in incident["timeline"]}


def _key(change: str, scene: Scene) -> str:
    """`deployments/web` with the drill's namespace; `nodes//node1` has none."""
    kind, _, name = change.partition("/")
    return f"{kind}{name}" if name.startswith("/") else f"{kind}/{scene.namespace}/{name}"


def _id(drill: Drill, scene: Scene) -> str:
    return drill.incident or scene.incident_id(drill.target)


def _judge(drill: Drill, incident: Json, verdict: Verdict) -> None:
    diagnosis = incident["diagnosis"]
    found = f"{diagnosis['resource']['kind']}/{diagnosis['resource']['name']}" if diagnosis else "nothing"
    category = diagnosis["category"] if diagnosis else "none"
    verdict.right_cause = (category, found) == (drill.category, drill.cause)
    if not verdict.right_cause:
        verdict.wrong.append(f"blamed {category} of {found}, not {drill.category} of {drill.cause}")
    if not drill.actions:
        verdict.right_action = not any(e["event"].startswith("step.") for e in incident["timeline"])
    if incident["outcome"] != drill.outcome:
        verdict.wrong.append(f"ended as {incident['outcome']} ({incident['closing']}), not {drill.outcome}")
    if missing := set(drill.timeline) - _events(incident):
        verdict.wrong.append(f"the timeline lacks {', '.join(sorted(missing))}")
    reasons = [action["reason"] for action in (incident["plan"] or {}).get("actions", [])]
    told = " ".join([incident["closing"], incident["began_note"], *reasons])
    for word in drill.explained:
        if word not in told:
            verdict.wrong.append(f"does not explain {word!r}: {told}")


async def _healed(drill: Drill, scene: Scene, verdict: Verdict) -> datetime | None:
    """Until the cluster is as it must be and Prometheus' own alerts of the namespace have resolved."""

    async def look() -> datetime | None:
        firing = drill.alert_goes and await scene.prometheus.firing(namespace=scene.namespace)
        return datetime.now(UTC) if not firing and await drill.healed(scene) else None

    try:
        resolved = await eventually(look, "well, and no alert firing", QUIET_WITHIN)
    except NotInTimeError:
        firing = {labels["alertname"] for labels in await scene.prometheus.firing(namespace=scene.namespace)}
        verdict.late.append(
            f"not healed: well={await drill.healed(scene)}, still firing: {', '.join(sorted(firing)) or 'none'}"
        )
        return None
    verdict.healed = True
    return resolved


async def _nobody_else_asked(scene: Scene, asked: str, verdict: Verdict) -> None:
    """One problem, one question: other incidents of the namespace must not want anything."""
    for row in await scene.opsmend.incidents():
        other = row["id"]
        if f":{scene.namespace}:" not in other or other == asked:
            continue
        incident = await scene.opsmend.incident(other)
        if incident and any(entry["event"] == "approval.asked" for entry in incident["timeline"]):
            verdict.wrong.append(f"{other} asked too: {incident['plan']['summary']}")
