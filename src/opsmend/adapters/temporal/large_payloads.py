"""What would make a history heavy goes into the artifact store, and the history keeps its digest.

By Temporal's external storage (temporalio.converter.ExternalStorage, called experimental in 1.35): workflows, agents and
activities see whole values, and no model of ours has to know. Workers have to share the store, since what one leaves there
another picks up.
"""

import asyncio
import dataclasses
from collections.abc import Sequence
from typing import Final

from temporalio.api.common.v1 import Payload
from temporalio.converter import (
    DataConverter,
    ExternalStorage,
    StorageDriver,
    StorageDriverActivityInfo,
    StorageDriverClaim,
    StorageDriverRetrieveContext,
    StorageDriverSelectContext,
    StorageDriverStoreContext,
    StorageDriverWorkflowInfo,
)

from opsmend.adapters.temporal.payloads import DATA_CONVERTER, HANDED
from opsmend.domain.ports.artifacts import ArtifactRef, Artifacts

INLINE_AT_MOST: Final = 16 * 1024
"""Bytes of a payload that history holds itself. A plan or a diagnosis passes through a dozen events of an incident."""

_MEDIA_TYPE: Final = "application/vnd.temporal.payload"
_INCIDENT: Final = "Incident"


class ArtifactPayloads(StorageDriver):
    """Keeps payloads as artifacts. Raises what Artifacts raises: a payload that is gone fails the task until it is back."""

    def __init__(self, artifacts: Artifacts) -> None:
        self._artifacts = artifacts

    def name(self) -> str:
        return "opsmend-artifacts"

    async def store(self, context: StorageDriverStoreContext, payloads: Sequence[Payload]) -> list[StorageDriverClaim]:
        refs = await asyncio.gather(*(self._artifacts.put(p.SerializeToString(), _MEDIA_TYPE) for p in payloads))
        return [StorageDriverClaim({"sha256": ref.sha256, "size": str(ref.size)}) for ref in refs]

    async def retrieve(self, context: StorageDriverRetrieveContext, claims: Sequence[StorageDriverClaim]) -> list[Payload]:
        contents = await asyncio.gather(*(self._artifacts.get(_ref(claim)) for claim in claims))
        return [Payload.FromString(content) for content in contents]


def converter_with(artifacts: Artifacts) -> DataConverter:
    """For workers. Whoever only hands alerts in or asks an incident for its state needs none of it: see _is_work."""
    driver = ArtifactPayloads(artifacts)

    def select(context: StorageDriverSelectContext, payload: Payload) -> StorageDriver | None:
        return driver if HANDED in payload.metadata or _is_work(context) else None

    storage = ExternalStorage(drivers=[driver], driver_selector=select, payload_size_threshold=INLINE_AT_MOST)
    return dataclasses.replace(DATA_CONVERTER, external_storage=storage)


def _is_work(context: StorageDriverSelectContext) -> bool:
    """Results of activities, and agents' runs. Not what an incident itself is sent and asked: its state is a query's answer,
    made anew for each; API and CLI must be able to read it without the store. The SDK does not tell what an incident hands to
    an activity from that, so such a value says itself what it is (HANDED)."""
    target = context.target
    if isinstance(target, StorageDriverActivityInfo):
        return True
    return isinstance(target, StorageDriverWorkflowInfo) and target.type is not None and target.type != _INCIDENT


def _ref(claim: StorageDriverClaim) -> ArtifactRef:
    data = claim.claim_data
    return ArtifactRef(sha256=data["sha256"], size=int(data["size"]), media_type=_MEDIA_TYPE)
