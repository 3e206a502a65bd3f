"""Questions that `opsmend doctor` asks: does the cluster answer, and what may we do there?"""

import time
from dataclasses import dataclass
from datetime import timedelta

from opsmend.adapters.kubernetes.connection import Connection
from opsmend.adapters.kubernetes.rights import Right
from opsmend.errors import bounded


@dataclass(frozen=True)
class Pong:
    version: str
    latency: timedelta


@dataclass(frozen=True)
class Access:
    """Whether our credential may do something, and what the authorizer said about it."""

    allowed: bool
    reason: str = ""


async def ping(connection: Connection) -> Pong:
    """Raises what any call of Connection raises."""
    started = time.perf_counter()
    version = await connection.get("/version")
    return Pong(
        version=bounded(str(version.get("gitVersion", "unknown")), 64), latency=timedelta(seconds=time.perf_counter() - started)
    )


async def can_i(connection: Connection, right: Right, namespace: str = "") -> Access:
    """A SelfSubjectAccessReview: asks, changes nothing. An empty namespace asks for all of them."""
    attributes = {
        "verb": right.verb,
        "group": right.resource.group,
        "resource": right.resource.plural,
        "subresource": right.subresource,
        "namespace": namespace,
    }
    review = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes": {key: value for key, value in attributes.items() if value}},
    }
    status = (await connection.post("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", review)).get("status", {})
    return Access(allowed=status.get("allowed") is True, reason=bounded(str(status.get("reason") or "")))
