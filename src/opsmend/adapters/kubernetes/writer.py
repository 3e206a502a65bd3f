"""Makes the changes, one PATCH a step: the marker goes in with the change, and the version that was read must still stand."""

from collections.abc import Callable
from datetime import UTC, datetime

import jsonpatch

from opsmend.adapters.kubernetes.connection import Connection
from opsmend.adapters.kubernetes.executors import Executor, Grant
from opsmend.adapters.kubernetes.live_object import read_live
from opsmend.adapters.kubernetes.reading import Reading
from opsmend.adapters.kubernetes.rehearsals import Rehearsal, Rehearsals
from opsmend.adapters.kubernetes.requests import FIELD_MANAGER
from opsmend.adapters.kubernetes.resources import path_of
from opsmend.domain.actions.action import LiveObject
from opsmend.domain.actions.object_digest import change_digest, has_marker, marker_of, spec_digest, with_marker
from opsmend.domain.actions.readable_diff import readable_diff
from opsmend.domain.execution import DryRun, StepRecord, StepStatus
from opsmend.domain.plan import PlannedStep
from opsmend.domain.record import JsonObject
from opsmend.domain.snapshot import Revision
from opsmend.errors import ClusterConflictError, PlanStaleError, TargetGoneError
from opsmend.policy.redaction import redact


def _utc_now() -> datetime:
    return datetime.now(UTC)


class KubernetesWriter:
    """ClusterWriter. What was done is written on the objects themselves; kept is only what a dry run leaves to its change.

    `connection` reads; what is changed, dry runs included, is changed by `executor`.
    """

    def __init__(self, connection: Connection, executor: Executor, now: Callable[[], datetime] = _utc_now) -> None:
        self._connection = connection
        self._executor = executor
        self._now = now
        self._rehearsals = Rehearsals()

    def require_cluster(self, cluster: str) -> None:
        self._connection.require_cluster(cluster)

    async def dry_run(self, step: PlannedStep, marker: str, revisions: tuple[Revision, ...] = ()) -> DryRun:
        live = await read_live(Reading(self._connection), step.action, kept=revisions)
        if has_marker(live.object, marker):
            return DryRun(step_id=step.id, resource_version=_version(live.object), diff=step.diff, matches_plan=True)
        desired = _checked_projection(step, live)
        grant = await self._executor.grant(step.action.target)
        stored = await self._patch(step, grant, live.object, with_marker(desired, marker), dry_run=True)
        matches_plan = change_digest(live.object, stored) == step.diff_digest
        if matches_plan:
            self._rehearsals.keep(marker, Rehearsal(live, grant, self._now()))
        return DryRun(
            step_id=step.id,
            resource_version=_version(live.object),
            diff=readable_diff(live.object, stored, redact),
            matches_plan=matches_plan,
        )

    async def apply(self, step: PlannedStep, marker: str) -> StepRecord:
        grant: Grant | None = None
        if rehearsed := self._rehearsals.take(marker, self._now()):
            grant = rehearsed.grant
            try:
                return await self._change(step, marker, rehearsed.live, grant)
            except ClusterConflictError:
                pass  # written since the dry run, be it by an earlier try of ours: what follows looks at it anew
        live = await self._live(step)
        if has_marker(live.object, marker):
            return self._already_applied(step, live.object)
        try:
            return await self._change(step, marker, live, grant)
        except ClusterConflictError:
            return await self._after_conflict(step, marker)

    async def _change(self, step: PlannedStep, marker: str, live: LiveObject, grant: Grant | None) -> StepRecord:
        desired = _checked_projection(step, live)
        if change_digest(live.object, desired) != step.diff_digest:
            raise PlanStaleError(f"{step.action.target}: the change comes out otherwise than approved. Investigate again.")
        grant = grant or await self._executor.grant(step.action.target)
        stored = await self._patch(step, grant, live.object, with_marker(desired, marker))
        return self._record(step, StepStatus.APPLIED, stored)

    async def undo(self, step: PlannedStep, marker: str, undone: str) -> StepRecord:
        """Takes back what is ours alone.

        Raises:
            PlanStaleError: the object carries our mark, but somebody else has changed a field of our step since. Overwriting
                it could destroy a repair made by hand, and calling it undone would be a guess: a person has to look.
        """
        try:
            live = await self._live(step)
        except TargetGoneError as e:
            return self._record(
                step, StepStatus.NOTHING_TO_UNDO, None, f"{step.action.target} is gone, our change with it ({e})"
            )
        if has_marker(live.object, marker):
            return self._already_applied(step, live.object)
        if not has_marker(live.object, undone):
            detail = f"{step.action.target} does not carry the mark {undone} (it has {marker_of(live.object) or 'none'})"
            return self._record(step, StepStatus.NOTHING_TO_UNDO, live.object, detail)
        # The inverse of an undo is the step that it takes back. Doing that once more must change nothing.
        if spec_digest(step.inverse.project(live)) != spec_digest(live.object):
            raise PlanStaleError(
                f"{step.action.target}: what step {step.id.removeprefix('undo-')} set was changed by somebody else since; "
                "it was left as it is."
            )
        desired = with_marker(step.action.project(live), marker, undone)
        grant = await self._executor.grant(step.action.target)
        stored = await self._patch(step, grant, live.object, desired)
        return self._record(step, StepStatus.APPLIED, stored)

    async def _after_conflict(self, step: PlannedStep, marker: str) -> StepRecord:
        """One fresh look decides: an earlier try of ours, somebody else's edit, or only a status write in between."""
        live = await self._live(step)
        if has_marker(live.object, marker):
            return self._already_applied(step, live.object)
        _check_precondition(step, live.object)
        raise ClusterConflictError(
            f"{step.action.target} was written by another between our read and our write; its content stands"
        )

    async def _live(self, step: PlannedStep) -> LiveObject:
        return await read_live(Reading(self._connection), step.action)

    async def _patch(
        self, step: PlannedStep, grant: Grant, live: JsonObject, desired: JsonObject, *, dry_run: bool = False
    ) -> JsonObject:
        # Replacing the version by the one that was read makes the server refuse with 409 if the object was written since.
        version = {"op": "replace", "path": "/metadata/resourceVersion", "value": _version(live)}
        operations: list[JsonObject] = [version, *jsonpatch.make_patch(live, desired).patch]
        query = {"fieldManager": FIELD_MANAGER} | ({"dryRun": "All"} if dry_run else {})
        async with grant.acting() as acting:
            return await acting.json_patch(path_of(step.action.target), operations, query)

    def _already_applied(self, step: PlannedStep, live: JsonObject) -> StepRecord:
        return self._record(step, StepStatus.ALREADY_APPLIED, live, "the object carries the mark of this step already")

    def _record(self, step: PlannedStep, status: StepStatus, obj: JsonObject | None, detail: str = "") -> StepRecord:
        return StepRecord(
            step_id=step.id,
            action=step.action.type,
            status=status,
            detail=detail,
            resource_version=_version(obj) if obj else "",
            at=self._now(),
        )


def _checked_projection(step: PlannedStep, live: LiveObject) -> JsonObject:
    _check_precondition(step, live.object)
    return step.action.project(live)


def _check_precondition(step: PlannedStep, live: JsonObject) -> None:
    if live["metadata"].get("uid") != step.precondition.uid:
        raise PlanStaleError(f"{step.action.target} was deleted and made anew since the plan was made.")
    if spec_digest(live) != step.precondition.spec_digest:
        raise PlanStaleError(f"{step.action.target} was changed since the plan was made.")


def _version(obj: JsonObject) -> str:
    return str(obj["metadata"].get("resourceVersion", ""))
