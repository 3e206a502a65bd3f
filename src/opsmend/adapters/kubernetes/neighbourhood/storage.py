"""Claims for volumes that nothing has answered yet, and what could answer them."""

import asyncio
from collections.abc import Sequence
from typing import Final

from opsmend.adapters.kubernetes.neighbourhood.fields import moment, ref_of
from opsmend.adapters.kubernetes.reading import Reading
from opsmend.adapters.kubernetes.resources import STORAGE_CLASSES, VOLUMES
from opsmend.domain.record import JsonObject
from opsmend.domain.snapshot import Pod
from opsmend.domain.storage import Claim, Storage, StorageClass, Volume
from opsmend.domain.target import Kind, ObjectRef
from opsmend.errors import TargetGoneError

CLAIMS_READ: Final = 3
"""Claims of waiting pods that are read: those of one template fail alike."""

_DEFAULT: Final = "storageclass.kubernetes.io/is-default-class"
_MAKES_NOTHING: Final = "kubernetes.io/no-provisioner"
"""The provisioner of classes whose volumes people make by hand."""


def claims_of(pods: Sequence[Pod]) -> dict[ObjectRef, list[str]]:
    """The claims that pods without a node mount, with the names of these pods. Only pods whose spec was read tell."""
    found: dict[ObjectRef, list[str]] = {}
    for pod in pods:
        for volume in () if pod.node or pod.deleting else pod.spec.get("volumes") or ():
            name = _claim_name(volume, pod.name)
            if name:
                ref = ObjectRef(kind=Kind.PERSISTENT_VOLUME_CLAIM, namespace=pod.namespace, name=name)
                found.setdefault(ref, []).append(pod.name)
    return found


def mounts(pod: JsonObject, claim: str) -> bool:
    name = pod["metadata"]["name"]
    return any(_claim_name(volume, name) == claim for volume in pod["spec"].get("volumes") or ())


def _claim_name(volume: JsonObject, pod: str) -> str:
    """An ephemeral volume's claim is named after the pod and the volume."""
    if "ephemeral" in volume:
        return f"{pod}-{volume['name']}"
    return str((volume.get("persistentVolumeClaim") or {}).get("claimName") or "")


async def read_storage(reading: Reading, waiting: dict[ObjectRef, list[str]]) -> Storage | None:
    """About the claims in `waiting`; classes and volumes only where one of them is not bound."""
    refs = list(waiting)[:CLAIMS_READ]
    read = await asyncio.gather(*(reading.attempt(str(ref), _claim(reading, ref, waiting[ref]), None) for ref in refs))
    claims = tuple(claim for claim in read if claim is not None)
    if all(claim.phase == "Bound" for claim in claims):
        return Storage(claims=claims) if claims else None
    classes = await reading.attempt("storage classes", _classes(reading), None)
    by_hand = any(_needs_volumes_made(claim, classes) for claim in claims)
    volumes = await reading.attempt("persistent volumes", _volumes(reading), None) if by_hand else None
    return Storage(claims=claims, classes=classes, volumes=volumes)


async def _claim(reading: Reading, ref: ObjectRef, pods: list[str]) -> Claim:
    try:
        return _claim_from(await reading.object(ref), pods)
    except TargetGoneError:
        return Claim(ref=ref, exists=False, waiting_pods=tuple(pods))


def _claim_from(obj: JsonObject, pods: list[str]) -> Claim:
    spec = obj.get("spec") or {}
    return Claim(
        ref=ref_of(Kind.PERSISTENT_VOLUME_CLAIM, obj),
        phase=(obj.get("status") or {}).get("phase") or "",
        storage_class=spec.get("storageClassName"),
        access_modes=tuple(spec.get("accessModes") or ()),
        requested=str(((spec.get("resources") or {}).get("requests") or {}).get("storage") or ""),
        volume=spec.get("volumeName") or "",
        created_at=moment(obj["metadata"].get("creationTimestamp")),
        waiting_pods=tuple(pods),
    )


def _needs_volumes_made(claim: Claim, classes: tuple[StorageClass, ...] | None) -> bool:
    if claim.storage_class == "" or claim.volume:
        return True
    return any(c.name == claim.storage_class and c.provisioner == _MAKES_NOTHING for c in classes or ())


async def _classes(reading: Reading) -> tuple[StorageClass, ...]:
    return tuple(
        StorageClass(
            name=item["metadata"]["name"],
            provisioner=item.get("provisioner") or "",
            binding_mode=item.get("volumeBindingMode") or "Immediate",
            default=(item["metadata"].get("annotations") or {}).get(_DEFAULT) == "true",
        )
        for item in await reading.list(STORAGE_CLASSES, "")
    )


async def _volumes(reading: Reading) -> tuple[Volume, ...]:
    return tuple(
        Volume(
            name=item["metadata"]["name"],
            capacity=str((item["spec"].get("capacity") or {}).get("storage") or ""),
            access_modes=tuple(item["spec"].get("accessModes") or ()),
            storage_class=item["spec"].get("storageClassName") or "",
            phase=(item.get("status") or {}).get("phase") or "",
        )
        for item in await reading.list(VOLUMES, "")
    )
