"""Another workload of the target's namespace, as far as it takes room from the target."""

from pydantic import AwareDatetime

from opsmend.domain.record import JsonObject, Record
from opsmend.domain.target import ObjectRef


class Neighbour(Record):
    """How many pods it asks for, who asked for that, and what it asked for before."""

    ref: ObjectRef
    replicas: int = 0
    """As asked for."""
    template: JsonObject
    """Of its pods, but for their resources emptied."""
    scaled_at: AwareDatetime | None = None
    scaled_by: str = ""
    """Who wrote the number of replicas last, and when."""
    replicas_before: int | None = None
    """By its newest event that tells of more replicas; None where there is none, or where it came into being with them."""
    grown_at: AwareDatetime | None = None
    """When that event was."""
    applied_replicas: int | None = None
    """What the manifest of the last `kubectl apply` asks for."""
    autoscaler: ObjectRef | None = None
    """Which autoscaler sets its replicas."""
