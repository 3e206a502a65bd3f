"""What was changed around a target, by whom and when: evidence of its own, told against the beginning of the trouble.

Every name in it (managers, fields, causes of changes) was given by whoever made the change: nobody vouches for it.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from pydantic import AwareDatetime, Field

from opsmend.domain.record import Record
from opsmend.domain.target import ObjectRef

OURSELVES: Final = "opsmend"
"""The field manager of our own changes."""

KUBERNETES_ITSELF: Final = frozenset(
    {
        "kube-controller-manager",
        "cloud-controller-manager",
        "kube-scheduler",
        "kube-apiserver",
        "kubelet",
        "k3s",
        "kubelite",
    }
)
"""Field managers of the control plane and the kubelet, the last two of distributions that are one binary. Controllers of
others (Argo CD's, Flux', Helm's) are not among them: what they write is what a person or a pipeline wanted."""

MOST_BEFORE: Final = 15
MOST_AFTER: Final = 5
"""What is shown, so that a busy autoscaler cannot push out the one edit that counts."""

BY_ITSELF_FOR: Final = timedelta(days=1)
"""How far from the beginning something that Kubernetes did by itself still counts. What people changed counts at any age."""


class Author(StrEnum):
    """Who made a change, as far as the name of its field manager tells."""

    SOMEBODY = "somebody"
    """A person or a pipeline."""
    KUBERNETES = "kubernetes"
    """A controller, the scheduler or a kubelet, by itself."""
    OPSMEND = "opsmend"


class FieldWrite(Record):
    """The last write of one field manager to an object.

    Kubernetes keeps its time and which fields the manager holds since then, not which of these that write touched.
    """

    by: str
    at: AwareDatetime
    fields: tuple[str, ...] = ()
    """`data.nginx.conf`, `spec.replicas`; where there are many, what they lie in (`spec.template`)."""
    created: bool = False
    """Whether it made the object."""
    applied: bool = False
    """Whether it was a server-side apply: then what the manager does not hold, it does not want."""

    def holds(self, field: str) -> bool:
        """Whether the manager holds `field`, something in it, or what it lies in."""
        return any(f"{held}.".startswith(f"{field}.") or f"{field}.".startswith(f"{held}.") for held in self.fields)


class RecentChange(Record):
    """Something that was changed, or that happened, in the neighbourhood of a target."""

    at: AwareDatetime
    object: ObjectRef
    what: str = Field(max_length=600)
    """`data.nginx.conf written`, `revision 8: image of web: a → b`."""
    fields: tuple[str, ...] = ()
    by: str = ""
    """The field manager, empty where none is known."""
    author: Author = Author.SOMEBODY

    def __str__(self) -> str:
        return f"{self.object}: {self.what}" + (f" by {self.by}" if self.by else "")


def author_of(manager: str) -> Author:
    """A person can call themselves anything, so that this may order and label a change, never hide one."""
    if manager == OURSELVES:
        return Author.OPSMEND
    return Author.KUBERNETES if manager in KUBERNETES_ITSELF else Author.SOMEBODY


def last_write(writes: Iterable[FieldWrite], field: str) -> FieldWrite | None:
    """The newest write by a manager that holds `field`."""
    return max((write for write in writes if write.holds(field)), key=lambda write: write.at, default=None)


def around(changes: Iterable[RecentChange], began: datetime) -> tuple[RecentChange, ...]:
    """The changes that count, those before `began` first and the newest of them first, then what came after in its order."""
    counting = sorted((change for change in changes if _counts(change, began)), key=lambda change: change.at)
    before = [change for change in reversed(counting) if change.at <= began]
    after = [change for change in counting if change.at > began]
    return (*_foremost(before, MOST_BEFORE), *_foremost(after, MOST_AFTER))


def that_matter(changes: Sequence[RecentChange], began: datetime, most: int = 3) -> tuple[RecentChange, ...]:
    """For where there is room for few: what somebody changed before it began, newest first, then what is left in its order."""
    ordered = sorted(changes, key=lambda change: change.at > began or change.author is Author.KUBERNETES)
    return tuple(ordered[:most])


def distance(at: datetime, began: datetime) -> str:
    """`4 min 10 s before`, `3 days 2 h after`, for a sentence that says of what."""
    seconds = round((began - at).total_seconds())
    parts, left = [], abs(seconds)
    for name, length in (("days", 86_400), ("h", 3600), ("min", 60), ("s", 1)):
        count, left = divmod(left, length)
        if count:
            parts.append(f"{count} {'day' if (name, count) == ('days', 1) else name}")
    if not parts:
        return "at the same time"
    return f"{' '.join(parts[:2])} {'before' if seconds > 0 else 'after'}"


def _foremost(changes: Sequence[RecentChange], most: int) -> list[RecentChange]:
    """At most `most` of them in their order; what Kubernetes did by itself gives way first."""
    by_weight = sorted(range(len(changes)), key=lambda i: (changes[i].author is Author.KUBERNETES, i))
    return [changes[i] for i in sorted(by_weight[:most])]


def _counts(change: RecentChange, began: datetime) -> bool:
    return change.author is not Author.KUBERNETES or abs(change.at - began) <= BY_ITSELF_FOR
