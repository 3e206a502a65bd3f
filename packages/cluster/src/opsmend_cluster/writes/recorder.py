"""Events, as controllers record them: a repeat of the same event counts up instead of adding one."""

from random import Random

from opsmend_cluster.objects.clock import timestamp
from opsmend_cluster.objects.kinds import EVENTS, JsonObject
from opsmend_cluster.objects.store import Store

MESSAGE_LIMIT = 1024
"""The API's own bound on an event's message."""


class EventRecorder:
    def __init__(self, store: Store, random: Random) -> None:
        self._store = store
        self._random = random
        self._names: dict[tuple[str, str, str, str], str] = {}

    def normal(self, about: JsonObject, reason: str, message: str, component: str, *, host: str = "") -> None:
        self._record(about, "Normal", reason, message, component, host)

    def warning(self, about: JsonObject, reason: str, message: str, component: str, *, host: str = "", field: str = "") -> None:
        self._record(about, "Warning", reason, message, component, host, field)

    def _record(
        self, about: JsonObject, kind: str, reason: str, message: str, component: str, host: str, field: str = ""
    ) -> None:
        metadata = about["metadata"]
        namespace = metadata.get("namespace", "default")
        key = (metadata["uid"], reason, message, component)
        known = self._store.get(EVENTS, namespace, self._names.get(key, ""))
        if known is not None:
            again = {**known, "metadata": dict(known["metadata"]), "count": known["count"] + 1, "lastTimestamp": timestamp()}
            self._store.put(EVENTS, again)
            return
        name = f"{metadata['name']}.{self._random.getrandbits(64):016x}"
        self._names[key] = name
        source = {"component": component, **({"host": host} if host else {})}
        involved = {
            "kind": about["kind"], "namespace": namespace, "name": metadata["name"], "uid": metadata["uid"],
            "apiVersion": about["apiVersion"], "resourceVersion": metadata["resourceVersion"],
        }  # fmt: skip
        moment = timestamp()
        self._store.put(EVENTS, {
            "kind": "Event", "apiVersion": "v1",
            "metadata": {"name": name, "namespace": namespace, "uid": f"{self._random.getrandbits(128):032x}",
                         "creationTimestamp": moment},
            "involvedObject": {**involved, **({"fieldPath": field} if field else {})}, "reason": reason,
            "message": message[:MESSAGE_LIMIT], "source": source, "firstTimestamp": moment, "lastTimestamp": moment,
            "count": 1, "type": kind, "eventTime": None, "reportingComponent": component, "reportingInstance": host,
        })  # fmt: skip
