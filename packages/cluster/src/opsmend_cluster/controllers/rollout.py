"""How a Deployment moves from its old ReplicaSets to the new one. Pure: counts in, wanted replicas out.

After rolling.go and sync.go of the deployment controller.
"""

import math
from collections.abc import Iterator
from typing import Any

from opsmend_cluster.objects.kinds import JsonObject

Scaling = tuple[JsonObject, int]
"""A ReplicaSet and the replicas that it shall have."""


def max_surge(spec: JsonObject) -> int:
    rolling = (spec.get("strategy") or {}).get("rollingUpdate")
    return 0 if rolling is None else _count(rolling.get("maxSurge", "25%"), spec["replicas"], up=True)


def max_unavailable(spec: JsonObject) -> int:
    """At least one of surge and unavailable must let a rollout move: the controller's own rule."""
    rolling = (spec.get("strategy") or {}).get("rollingUpdate")
    if rolling is None:
        return 0
    unavailable = _count(rolling.get("maxUnavailable", "25%"), spec["replicas"], up=False)
    if not unavailable and not max_surge(spec):
        return 1
    return min(unavailable, int(spec["replicas"]))


def _count(value: Any, replicas: int, *, up: bool) -> int:
    if isinstance(value, int):
        return value
    share = int(str(value).rstrip("%")) * replicas / 100
    return math.ceil(share) if up else math.floor(share)


def next_scale(deployment: JsonObject, new: JsonObject | None, old: list[JsonObject]) -> list[Scaling]:
    """What to scale now; empty when nothing is to be done before something changes. `old` is sorted oldest first."""
    spec = deployment["spec"]
    if spec.get("paused") or new is None:
        return list(_scale_active(spec, new, old))
    if (spec.get("strategy") or {}).get("type") == "Recreate":
        return list(_recreate(spec, new, old))
    return list(_roll(spec, new, old))


def _scale_active(spec: JsonObject, new: JsonObject | None, old: list[JsonObject]) -> Iterator[Scaling]:
    """While paused, a change of replicas goes to the ReplicaSet that is active."""
    active = [rs for rs in [*old, *([new] if new else [])] if rs["spec"]["replicas"]]
    if len(active) == 1 and active[0]["spec"]["replicas"] != spec["replicas"]:
        yield active[0], spec["replicas"]


def _recreate(spec: JsonObject, new: JsonObject, old: list[JsonObject]) -> Iterator[Scaling]:
    running = [rs for rs in old if rs["spec"]["replicas"]]
    for rs in running:
        yield rs, 0
    if not any(rs["status"].get("replicas") for rs in old) and new["spec"]["replicas"] != spec["replicas"]:
        yield new, spec["replicas"]


def _roll(spec: JsonObject, new: JsonObject, old: list[JsonObject]) -> Iterator[Scaling]:
    wanted = int(spec["replicas"])
    current = int(new["spec"]["replicas"])
    old_total = sum(rs["spec"]["replicas"] for rs in old)
    if current > wanted:
        yield new, wanted
        return
    room = wanted + max_surge(spec) - current - old_total
    grown = current + max(0, min(room, wanted - current))
    if grown > current:
        yield new, grown
        return
    yield from _shrink_old(spec, new, old, old_total)


def _shrink_old(spec: JsonObject, new: JsonObject, old: list[JsonObject], old_total: int) -> Iterator[Scaling]:
    """Unhealthy old replicas go first, then as many healthy ones as may be missing."""
    wanted = int(spec["replicas"])
    least = wanted - max_unavailable(spec)
    new_unavailable = new["spec"]["replicas"] - _available(new)
    to_remove = new["spec"]["replicas"] + old_total - least - new_unavailable
    shrunk: dict[str, int] = {}
    for rs in old:
        replicas = rs["spec"]["replicas"]
        unhealthy = min(max(0, to_remove), replicas - min(replicas, _available(rs)))
        shrunk[rs["metadata"]["name"]] = replicas - unhealthy
        to_remove -= unhealthy
    spare = _available(new) + sum(map(_available, old)) - least
    for rs in old:
        left = shrunk[rs["metadata"]["name"]]
        taken = min(max(0, spare), left)
        shrunk[rs["metadata"]["name"]] = left - taken
        spare -= taken
    for rs in old:
        if shrunk[rs["metadata"]["name"]] != rs["spec"]["replicas"]:
            yield rs, shrunk[rs["metadata"]["name"]]


def _available(rs: JsonObject) -> int:
    return int(rs["status"].get("availableReplicas", 0))
