"""What every handler works with."""

from dataclasses import dataclass, field

from opsmend_cluster.api.access import Access, User
from opsmend_cluster.api.request import ResourceRequest
from opsmend_cluster.kubelet.kubelet import Kubelet
from opsmend_cluster.objects.store import Store
from opsmend_cluster.writes.registry import Registry, Writer
from opsmend_cluster.writes.schema import UnknownFieldError


@dataclass(frozen=True)
class Cluster:
    """The parts of a running cluster that the API reaches."""

    store: Store
    registry: Registry
    kubelet: Kubelet
    access: Access


@dataclass(frozen=True)
class Call:
    """One request, read and allowed."""

    cluster: Cluster
    request: ResourceRequest
    user: User
    user_agent: str
    content_type: str
    accept: str
    raw: bytes
    warnings: list[str] = field(default_factory=list)
    """What the client is told beside a success."""

    @property
    def writer(self) -> Writer:
        """The field manager that the request names, else its user agent up to the first slash, as the real server has it."""
        query = self.request.query
        manager = query.get("fieldManager") or self.user_agent.partition("/")[0] or "unknown"
        validation = self.request.field_validation

        def unknown(fields: list[str]) -> None:
            if validation == "Strict":
                raise UnknownFieldError(self.request.resource, fields)
            if validation == "Warn":
                self.warnings.extend(f'unknown field "{path}"' for path in fields)

        return Writer(manager, self.request.dry_run, unknown)
