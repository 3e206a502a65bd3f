"""The model tier of a version that has none."""

from opsmend.domain.diagnosis import Evidence, Finding
from opsmend.domain.ports.thinker import Thought
from opsmend.domain.snapshot import Snapshot


class NoModel:
    """A Thinker that abstains and says why, so that the incident says it too."""

    async def think(self, snapshot: Snapshot, findings: tuple[Finding, ...], metrics: tuple[Evidence, ...]) -> Thought:
        return Thought(diagnosis=None, reason="this version of opsmend has no language model: only its rules looked")
