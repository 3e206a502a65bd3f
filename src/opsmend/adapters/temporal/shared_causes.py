"""The shared causes that incidents see to, as Temporal lists their workflows."""

import time
from collections.abc import Mapping
from typing import Any, Final

from pydantic import ValidationError
from temporalio.client import Client
from temporalio.service import RPCError

from opsmend.domain.shared_cause import KnownCause
from opsmend.errors import TemporalUnavailableError, bounded
from opsmend.workflows.shared_cause import CAUSE

FRESH: Final = 2.0
"""Seconds for which a list does: in a storm it is asked for by hundreds of investigations."""


class TemporalSharedCauses:
    """SharedCauses."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._seen: tuple[KnownCause, ...] = ()
        self._seen_at = float("-inf")

    async def known(self, cluster: str) -> tuple[KnownCause, ...]:
        if time.monotonic() - self._seen_at > FRESH:
            self._seen = await self._list()
            self._seen_at = time.monotonic()
        return tuple(known for known in self._seen if known.cluster == cluster)

    async def _list(self) -> tuple[KnownCause, ...]:
        try:
            running = self._client.list_workflows('WorkflowType = "SharedCause" AND ExecutionStatus = "Running"')
            return tuple([known async for run in running if (known := _known(await run.memo()))])
        except RPCError as e:
            raise TemporalUnavailableError(f"Temporal did not tell which causes are known: {bounded(str(e))}") from e


def _known(memo: Mapping[str, Any]) -> KnownCause | None:
    """None of one that somebody started by hand or that a newer version knows: no glance is better than no investigation."""
    try:
        return KnownCause.model_validate(memo.get(CAUSE))
    except ValidationError:
        return None
