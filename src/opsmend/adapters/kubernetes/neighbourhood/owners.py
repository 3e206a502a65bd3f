"""Who is really meant: from the alerted object to the workload at the top of its owners."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Final

from opsmend.adapters.kubernetes.neighbourhood.fields import HASH_LABEL, controller_of, ref_of
from opsmend.adapters.kubernetes.reading import Reading
from opsmend.adapters.kubernetes.resources import RESOURCES
from opsmend.domain.actions.workload_fields import template_of
from opsmend.domain.record import JsonObject
from opsmend.domain.target import WORKLOAD_KINDS, Kind, ObjectRef, Target
from opsmend.errors import TargetGoneError

_CLIMB_LIMIT: Final = 5
"""Owners above one another; Pod, Job, CronJob are three."""


@dataclass
class Resolved:
    """`chain` runs from the alerted object up to its top owner; `objects` are those of the chain that were read."""

    chain: list[ObjectRef] = field(default_factory=list)
    objects: list[JsonObject] = field(default_factory=list)

    def add(self, ref: ObjectRef, obj: JsonObject) -> None:
        self.chain.append(ref)
        self.objects.append(obj)

    def of_kind(self, *kinds: Kind) -> tuple[ObjectRef, JsonObject] | None:
        return next(((ref, obj) for ref, obj in zip(self.chain, self.objects, strict=True) if ref.kind in kinds), None)

    @property
    def workload(self) -> tuple[ObjectRef, JsonObject] | None:
        return self.of_kind(*WORKLOAD_KINDS)

    @property
    def template(self) -> JsonObject | None:
        """The pod template that applies: of the workload, of the Job, or the Pod itself."""
        found = self.workload or self.of_kind(Kind.JOB)
        if found:
            return template_of(found[1])
        cron_job = self.of_kind(Kind.CRON_JOB)
        if cron_job:
            template: JsonObject = cron_job[1]["spec"]["jobTemplate"]["spec"]["template"]
            return template
        pod = self.of_kind(Kind.POD)
        return pod[1] if pod else None


def workload_of(pod: JsonObject) -> tuple[str, str] | None:
    """Kind and name of what the pod belongs to, by its own metadata.

    The Deployment controller calls its ReplicaSets `<deployment>-<pod-template-hash>`.
    """
    owner = controller_of(pod)
    if owner is None:
        return None
    kind, name = str(owner["kind"]), str(owner["name"])
    suffix = f"-{(pod['metadata'].get('labels') or {}).get(HASH_LABEL, '')}"
    if kind == Kind.REPLICA_SET and len(suffix) > 1 and name.endswith(suffix):
        return str(Kind.DEPLOYMENT), name.removesuffix(suffix)
    return kind, name


async def resolve(reading: Reading, target: Target) -> Resolved | None:
    """None when the target is not in the cluster. Any other failure to read it is raised."""
    resolved = Resolved()
    if target.kind not in RESOURCES:
        reading.unseen.append(f"{target}: alerts without a common target name no object to look at")
        return None
    try:
        resolved.add(target.ref, await reading.object(target.ref))
    except TargetGoneError:
        found = await _by_pod(reading, target)
        if found is None:
            return None
        resolved.add(*found)
    await _climb(reading, resolved)
    if target.kind is Kind.SERVICE:
        await _behind_service(reading, resolved)
    elif target.kind is Kind.HORIZONTAL_POD_AUTOSCALER:
        await _scaled(reading, resolved)
    return resolved


async def _by_pod(reading: Reading, target: Target) -> tuple[ObjectRef, JsonObject] | None:
    """The pod that the alert named, or, as pods come and go, another kind of workload of the guessed name."""
    if target.pod is None or target.kind not in WORKLOAD_KINDS:
        return None
    guesses = [ObjectRef(kind=Kind.POD, namespace=target.namespace, name=target.pod)]
    guesses += [
        ObjectRef(kind=kind, namespace=target.namespace, name=target.name) for kind in sorted(WORKLOAD_KINDS - {target.kind})
    ]
    for ref in guesses:
        try:
            return ref, await reading.object(ref)
        except TargetGoneError:
            continue
    return None


async def _climb(reading: Reading, resolved: Resolved) -> None:
    for _ in range(_CLIMB_LIMIT):
        owner = controller_of(resolved.objects[-1])
        if owner is None:
            return
        name = f"{owner['kind']} {owner['name']}"
        known = next((k for k, r in RESOURCES.items() if (str(k), r.api_version) == (owner["kind"], owner["apiVersion"])), None)
        if known is None:
            reading.unseen.append(f"owner {name} ({owner['apiVersion']}): of a kind that opsmend does not know")
            return
        ref = ObjectRef(kind=known, namespace=resolved.chain[-1].namespace, name=owner["name"])
        obj = await reading.attempt(f"owner {name}", reading.object(ref), None)
        if obj is None:
            return
        resolved.add(ref, obj)


async def _scaled(reading: Reading, resolved: Resolved) -> None:
    scaled = resolved.objects[0]["spec"]["scaleTargetRef"]
    if scaled["kind"] in (str(Kind.DEPLOYMENT), str(Kind.STATEFUL_SET)):
        ref = ObjectRef(kind=Kind(scaled["kind"]), namespace=resolved.chain[0].namespace, name=scaled["name"])
        obj = await reading.attempt(f"{ref}", reading.object(ref), None)
        if obj is not None:
            resolved.add(ref, obj)


async def _behind_service(reading: Reading, resolved: Resolved) -> None:
    """The workload that most of the selected pods belong to, or, when none is selected, the one that the selector fits best."""
    service, spec = resolved.chain[0], resolved.objects[0]["spec"]
    selector: dict[str, str] = spec.get("selector") or {}
    if not selector:
        reading.unseen.append(f"{service} selects no pods: its endpoints are kept by something else")
        return
    labels = ",".join(f"{key}={value}" for key, value in selector.items())
    pods = await reading.attempt(f"pods of {service}", reading.list(Kind.POD, service.namespace, labels=labels), [])
    owners = Counter(owner["uid"] for pod in pods if (owner := controller_of(pod)))
    if owners:
        most = owners.most_common(1)[0][0]
        pod = next(pod for pod in pods if (controller_of(pod) or {}).get("uid") == most)
        above = Resolved([ref_of(Kind.POD, pod)], [pod])
        await _climb(reading, above)
        if above.workload:
            resolved.add(*above.workload)
            return
    best = await _best_fit(reading, service, selector)
    if best:
        resolved.add(*best)


async def _best_fit(reading: Reading, service: ObjectRef, selector: dict[str, str]) -> tuple[ObjectRef, JsonObject] | None:
    scored: list[tuple[int, ObjectRef, JsonObject]] = []
    for kind in (Kind.DEPLOYMENT, Kind.STATEFUL_SET, Kind.DAEMON_SET):
        for obj in await reading.attempt(f"{kind}s of {service.namespace}", reading.list(kind, service.namespace), []):
            labels = template_of(obj).get("metadata", {}).get("labels") or {}
            same = len(set(labels.items()) & set(selector.items()))
            # A name in common counts more than a label that half the namespace shares (`tier=backend`).
            score = same + 2 * (obj["metadata"]["name"] == service.name)
            if score:
                scored.append((score, ref_of(kind, obj), obj))
    best = max(scored, key=lambda entry: entry[0], default=None)
    return (best[1], best[2]) if best else None
