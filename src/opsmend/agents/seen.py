"""What the investigation of an incident saw already, so that whoever goes on from it need not ask the cluster again."""

from opsmend.domain.actions.action import Action
from opsmend.domain.ports.artifacts import ArtifactRef, Artifacts
from opsmend.domain.snapshot import Revision, Snapshot
from opsmend.errors import ArtifactMissingError


async def seen_revisions(artifacts: Artifacts, snapshot: ArtifactRef | None, action: Action) -> tuple[Revision, ...]:
    """The revisions of the target of `action`, if it takes its template from one and they were seen.

    Redacted, and no safer than where they were stored: what is taken from them counts only by its digest (`Revision.whole`),
    which the plan names.
    """
    if snapshot is None or not action.needed_template:
        return ()
    try:
        seen = Snapshot.model_validate_json(await artifacts.get(snapshot))
    except ArtifactMissingError:
        return ()
    return seen.revisions if seen.workload and seen.workload.ref == action.target else ()
