"""The Services that the target calls, as far as its template and configuration name them."""

from collections.abc import Collection
from typing import Final

from opsmend.domain.record import JsonObject
from opsmend.domain.service_hosts import HostMention, service_of
from opsmend.domain.service_routing import selects
from opsmend.domain.snapshot import Dependency, Service
from opsmend.domain.target import ObjectRef

_KEPT: Final = 20


def dependencies_of(
    mentions: Collection[HostMention], namespace: str, services: Collection[Service], template: JsonObject, *, complete: bool
) -> tuple[Dependency, ...]:
    """One for each Service that is named, in the order of the template.

    `services` are those of the namespace as far as they matter; with `complete`, one that is not among them does not exist.
    Left out: the target's own Services, and those whose endpoints nothing in the cluster tells (no selector, no endpoints).
    """
    known = {service.ref.name: service for service in services}
    labels = (template.get("metadata") or {}).get("labels") or {}
    grouped: dict[ObjectRef, list[HostMention]] = {}
    for mention in mentions:
        ref = service_of(mention, namespace, known.keys())
        if ref is not None:
            grouped.setdefault(ref, []).append(mention)
    found = []
    for ref, named in list(grouped.items())[:_KEPT]:
        service = known.get(ref.name) if ref.namespace == namespace else None
        if service and (selects(service, labels) or not (service.selector or service.ready_endpoints)):
            continue
        exists = service is not None if complete and ref.namespace == namespace else None
        found.append(_dependency(ref, named, service, exists=exists))
    return tuple(found)


def _dependency(ref: ObjectRef, named: list[HostMention], service: Service | None, *, exists: bool | None) -> Dependency:
    return Dependency(
        ref=ref,
        hosts=tuple(dict.fromkeys(mention.host for mention in named)),
        ports=tuple(dict.fromkeys(mention.port for mention in named if mention.port)),
        named_in=named[0].place,
        exists=exists,
        service=service,
    )
