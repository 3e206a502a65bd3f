"""A class of failure that the rules know: how it is found, and all that there is to say of it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from pydantic import AwareDatetime

from opsmend.domain.diagnosis import Category, Evidence, Finding, Hint
from opsmend.domain.shared_cause import CauseKind, SharedCause
from opsmend.domain.snapshot import Snapshot
from opsmend.domain.target import ObjectRef

Detector = Callable[[Snapshot], list[Finding]]
"""What it finds in a snapshot, or nothing: it abstains rather than guess."""


@dataclass(frozen=True)
class FailureClass:
    """One of each file in `detectors/`. A sentence is left out by leaving it empty."""

    name: Category
    """Memory, reports and the API know it by that, so it stays as it is."""
    rank: int
    """What it explains: every class of a higher rank. 0 maintenance and the node, 1 what a pod needs to exist, 2 to start, to
    be reached or to call, 3 its probes, 4 the revision as such, 5 load, 6 the end of a Job, 9 health."""
    detect: Detector
    not_found: str = ""
    """Told among what was ruled out, where it was looked for in vain."""
    seen_in: Literal["", "autoscalers", "load", "nodes", "pods", "services", "workload"] = ""
    """The part of a snapshot without which it is not ruled out."""
    restart_is_useless: str = ""
    """Why new pods would fare no better."""
    scaling_is_useless: str = ""
    """Why more pods would not help."""
    shared: CauseKind | None = None
    """The kind of cause from which many targets suffer at once in this way."""
    blames_another: bool = False
    """The cause is looked for in the neighbourhood of what it blames."""
    advises_besides: bool = False
    """Its advice is given along with that about a deeper cause, unless maintenance is planned."""

    def finding(
        self,
        *,
        resource: ObjectRef,
        summary: str,
        confidence: float,
        evidence: tuple[Evidence, ...],
        hints: tuple[Hint, ...] = (),
        beside: tuple[ObjectRef, ...] = (),
        until: AwareDatetime | None = None,
        shared: SharedCause | None = None,
    ) -> Finding:
        """A finding of this class."""
        return Finding(
            detector=self.name,
            category=self.name,
            rank=self.rank,
            resource=resource,
            summary=summary,
            confidence=confidence,
            evidence=evidence,
            hints=hints,
            beside=beside,
            until=until,
            shared=shared,
        )
