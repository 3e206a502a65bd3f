"""PersistentVolumeClaims: bound to a volume that fits, or to one that their class makes, else left pending with the reason."""

from copy import deepcopy
from typing import Final

from opsmend_cluster.controllers.pod_maker import MANAGER
from opsmend_cluster.objects.kinds import CLAIMS, PODS, STORAGE_CLASSES, VOLUMES, JsonObject
from opsmend_cluster.objects.quantities import parse_quantity
from opsmend_cluster.writes.recorder import EventRecorder
from opsmend_cluster.writes.registry import Registry, Writer

NO_PROVISIONER: Final = "kubernetes.io/no-provisioner"
_COMPONENT: Final = "persistentvolume-controller"


class Volumes:
    def __init__(self, registry: Registry, events: EventRecorder) -> None:
        self._registry = registry
        self._store = registry.store
        self._events = events

    def sync(self, namespace: str) -> float:
        for claim in self._store.all(CLAIMS, namespace):
            if claim["status"].get("phase") == "Pending":
                self._answer(claim)
        return float("inf")

    def _answer(self, claim: JsonObject) -> None:
        name = claim["spec"].get("storageClassName", "")
        storage_class = self._store.get(STORAGE_CLASSES, "", name)
        if name and storage_class is None:
            text = f'storageclass.storage.k8s.io "{name}" not found'
            self._events.warning(claim, "ProvisioningFailed", text, _COMPONENT)
            return
        waits = storage_class is not None and storage_class.get("volumeBindingMode") == "WaitForFirstConsumer"
        if waits and not self._is_placed(claim):
            text = "waiting for first consumer to be created before binding"
            self._events.normal(claim, "WaitForFirstConsumer", text, _COMPONENT)
            return
        volume = next((v for v in self._store.all(VOLUMES) if _fits(claim, v)), None)
        if volume is None and storage_class is not None and storage_class["provisioner"] != NO_PROVISIONER:
            volume = self._make(claim, storage_class)
        if volume is None:
            text = "no persistent volumes available for this claim and no storage class is set"
            if name:
                text = "no persistent volumes available for this claim"
            self._events.normal(claim, "FailedBinding", text, _COMPONENT)
            return
        self._bind(claim, volume)

    def _is_placed(self, claim: JsonObject) -> bool:
        metadata = claim["metadata"]
        pods = self._store.all(PODS, metadata["namespace"])
        return any(pod["spec"].get("nodeName") and metadata["name"] in claims_of(pod) for pod in pods)

    def _make(self, claim: JsonObject, storage_class: JsonObject) -> JsonObject:
        spec = claim["spec"]
        body = {
            "metadata": {"name": f"pvc-{claim['metadata']['uid']}"},
            "spec": {
                "capacity": {"storage": spec["resources"]["requests"]["storage"]}, "accessModes": spec["accessModes"],
                "storageClassName": storage_class["metadata"]["name"], "persistentVolumeReclaimPolicy": "Delete",
                "csi": {"driver": storage_class["provisioner"], "volumeHandle": claim["metadata"]["uid"]},
            },
        }  # fmt: skip
        return self._registry.create(VOLUMES, "", body, Writer(storage_class["provisioner"]))

    def _bind(self, claim: JsonObject, volume: JsonObject) -> None:
        metadata = claim["metadata"]
        reference = {"kind": "PersistentVolumeClaim", "namespace": metadata["namespace"], "name": metadata["name"]}
        bound = deepcopy(volume)
        bound["spec"]["claimRef"] = {**reference, "uid": metadata["uid"]}
        bound = self._registry.update(VOLUMES, volume, bound, Writer(MANAGER))
        self._registry.update_status(VOLUMES, bound, {"phase": "Bound"}, MANAGER)
        answered = deepcopy(claim)
        answered["spec"]["volumeName"] = volume["metadata"]["name"]
        answered = self._registry.update(CLAIMS, claim, answered, Writer(MANAGER))
        capacity, modes = volume["spec"]["capacity"], volume["spec"]["accessModes"]
        status = {"phase": "Bound", "capacity": capacity, "accessModes": modes}
        self._registry.update_status(CLAIMS, answered, status, MANAGER)


def claims_of(pod: JsonObject) -> list[str]:
    volumes = pod["spec"].get("volumes") or []
    return [volume["persistentVolumeClaim"]["claimName"] for volume in volumes if "persistentVolumeClaim" in volume]


def _fits(claim: JsonObject, volume: JsonObject) -> bool:
    spec, offered = claim["spec"], volume["spec"]
    enough = parse_quantity(offered["capacity"]["storage"]) >= parse_quantity(spec["resources"]["requests"]["storage"])
    return (
        volume["status"].get("phase") == "Available"
        and offered.get("storageClassName", "") == spec.get("storageClassName", "")
        and set(spec["accessModes"]) <= set(offered["accessModes"])
        and spec.get("volumeName") in (None, volume["metadata"]["name"])
        and enough
    )
