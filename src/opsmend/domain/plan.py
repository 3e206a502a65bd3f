"""A plan: ordered typed actions, what each does exactly, how it is undone, and the hash that an approval binds to."""

from typing import Self

from pydantic import Field

from opsmend.domain.actions import AnyAction
from opsmend.domain.actions.action import BlastRadius
from opsmend.domain.record import StrictRecord, digest


class Precondition(StrictRecord):
    """What the object must still be when the step runs."""

    uid: str
    spec_digest: str
    """`spec_digest(object)` when the plan was made: everything but status and bookkeeping metadata."""


class PlannedStep(StrictRecord):
    """One action of a plan."""

    id: str
    """`1`, `2`, … in order; an undo step is `undo-1`."""
    action: AnyAction
    inverse: AnyAction
    precondition: Precondition
    diff: str
    """Unified diff of the object before and after, as YAML, redacted. Long ones are cut and say so."""
    diff_digest: str
    """sha256 of the whole unredacted patch: the dry run at execution must yield the same."""
    blast_radius: BlastRadius
    reason: str
    """Why this action with these values, citing evidence ids."""


class Alternative(StrictRecord):
    """A plan that was considered and not chosen."""

    summary: str
    refused_because: str


class Plan(StrictRecord):
    """What opsmend wants to do about one diagnosis. `hash` identifies all of it."""

    incident_id: str
    run_id: str
    attempt: int
    """Counts the plans of one incident run, so that no two of them share a hash."""
    summary: str
    steps: tuple[PlannedStep, ...] = Field(min_length=1)
    alternatives: tuple[Alternative, ...] = ()
    cites: tuple[str, ...] = ()
    """Earlier incidents (`incident id` / `run id`) that this plan leans on."""
    hash: str

    @classmethod
    def seal(
        cls,
        *,
        incident_id: str,
        run_id: str,
        attempt: int,
        summary: str,
        steps: tuple[PlannedStep, ...],
        alternatives: tuple[Alternative, ...] = (),
        cites: tuple[str, ...] = (),
    ) -> Self:
        """A plan with its hash over everything in it."""
        unsealed = cls(
            incident_id=incident_id,
            run_id=run_id,
            attempt=attempt,
            summary=summary,
            steps=steps,
            alternatives=alternatives,
            cites=cites,
            hash="",
        )
        return unsealed.model_copy(update={"hash": unsealed.computed_hash()})

    def computed_hash(self) -> str:
        """sha256 over the RFC 8785 JSON of all fields but `hash`."""
        return digest(self.model_dump(mode="json", exclude={"hash"}))

    @property
    def short_hash(self) -> str:
        return self.hash[:12]

    def undoing(self, done: tuple[str, ...]) -> tuple[PlannedStep, ...]:
        """The compensation for the steps with the ids `done`, in reverse order."""
        return tuple(
            step.model_copy(
                update={
                    "id": f"undo-{step.id}",
                    "action": step.inverse,
                    "inverse": step.action,
                    "reason": f"undo step {step.id}",
                }
            )
            for step in reversed(self.steps)
            if step.id in done
        )
