"""The audit log: who asked for what with which result, refused and faulty requests included, and counters per verb."""

from collections import Counter, deque
from datetime import datetime
from typing import Final

from pydantic import BaseModel, Field

from opsmend_cluster.objects.clock import now

BODY_LIMIT: Final = 8192
"""Characters of a request body kept in an entry."""
ENTRY_LIMIT: Final = 50_000
UNANSWERED: Final = 0
"""The code of a request that a fault left hanging."""
READ_VERBS: Final = frozenset({"get", "list", "watch"})


class AuditEntry(BaseModel):
    """One request for a resource. The writes of the built-in controllers are not requests and are not here."""

    time: datetime = Field(default_factory=now)
    user: str
    user_agent: str
    verb: str
    resource: str
    """Qualified: `deployments.apps`."""
    namespace: str
    name: str
    subresource: str
    dry_run: bool
    field_manager: str
    code: int
    resource_version: str = ""
    """Of the object after the request, where it answered with one."""
    body: str = ""

    @property
    def mutation(self) -> bool:
        """Whether it changed the cluster: not a read, not a dry run, not refused, not a question like an access review."""
        asks = self.resource.startswith("selfsubjectaccessreviews") or self.subresource == "token"
        return self.verb not in READ_VERBS and not self.dry_run and 200 <= self.code < 300 and not asks


class AuditLog:
    def __init__(self) -> None:
        self._entries: deque[AuditEntry] = deque(maxlen=ENTRY_LIMIT)
        self._requests: Counter[str] = Counter()

    def record(self, entry: AuditEntry) -> None:
        self._requests[entry.verb] += 1
        self._entries.append(entry.model_copy(update={"body": entry.body[:BODY_LIMIT]}))

    def entries(self, *, mutations_only: bool, reads: bool = False) -> list[AuditEntry]:
        """Oldest first. Reads are left out unless asked for."""
        if mutations_only:
            return [entry for entry in self._entries if entry.mutation]
        return [entry for entry in self._entries if reads or entry.verb not in READ_VERBS]

    def request_counts(self) -> dict[str, int]:
        return dict(self._requests)

    def clear(self) -> None:
        self._entries.clear()
        self._requests.clear()
