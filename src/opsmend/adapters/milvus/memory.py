"""Memory of earlier incidents in Milvus: what was seen as a vector, what was done in words, a row per incident run."""

import asyncio
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, TypeVar

from pydantic import TypeAdapter

from opsmend.adapters.milvus.embedding import embed
from opsmend.domain.diagnosis import Category, Recollection
from opsmend.domain.postmortem import PostMortem
from opsmend.errors import MemoryUnavailableError, SettingsError
from opsmend.policy.redaction import redact
from opsmend.settings import MilvusSettings

if TYPE_CHECKING:
    from opsmend.adapters.milvus.collection import Collection, Row

T = TypeVar("T")

_NAME: Final[TypeAdapter[Category]] = TypeAdapter(Category)
WEAK: Final = 0.45
"""Cosine below which a match is left out. Measured on descriptions of the same failure in other words: 0.37 to 0.70, five of
seven above; of other failures, of which the category filter leaves few: median 0.30, one in ten above. The demo's two
incidents, described by our own detector, reach 0.93."""


class MilvusMemory:
    """Memory over the Milvus at `settings.uri`: a server, or the path of a Milvus Lite file that no other process has open.

    Connects on first use. After a failed call it connects anew, so a restarted server is found again.
    """

    def __init__(self, settings: MilvusSettings) -> None:
        if not settings.uri:
            raise SettingsError("OPSMEND_MILVUS__URI is not set: where is Milvus? (`opsmend up` starts one itself)")
        self._uri = settings.uri
        self._settings = settings
        self._collection: Collection | None = None
        self._one_at_a_time = threading.Lock()

    async def remember(self, postmortem: PostMortem) -> None:
        await asyncio.to_thread(self._remember, postmortem)

    async def forget(self, run_id: str) -> None:
        await asyncio.to_thread(self._on_collection, lambda collection: collection.delete(run_id))

    async def recall(self, symptoms: str, category: Category, limit: int = 3) -> tuple[Recollection, ...]:
        return await asyncio.to_thread(self._recall, symptoms, category, limit)

    async def close(self) -> None:
        """Free the connection; a later call opens a new one."""
        await asyncio.to_thread(self._forget_connection)

    def _remember(self, postmortem: PostMortem) -> None:
        row = _row(postmortem)
        self._on_collection(lambda collection: collection.upsert(row))

    def _recall(self, symptoms: str, category: Category, limit: int) -> tuple[Recollection, ...]:
        vector = embed(redact(symptoms))
        # Only a name goes into the expression: Milvus Lite takes no expression parameters.
        where = f'category == "{_NAME.validate_python(category)}"'
        found = self._on_collection(lambda collection: collection.nearest(vector, where, limit))
        return tuple(_recollection(score, row) for score, row in found if score >= WEAK)

    def _on_collection(self, call: Callable[["Collection"], T]) -> T:
        # Imported on first use: pymilvus brings pandas, 2 s of CPU that a restarted worker need not wait for.
        from opsmend.adapters.milvus.collection import VENDOR_ERRORS, Collection  # noqa: PLC0415

        with self._one_at_a_time:
            had_connection = self._collection is not None
            try:
                return call(self._opened(Collection))
            except VENDOR_ERRORS as e:
                self._forget()
                if not had_connection:
                    raise self._unavailable(e) from e
            # Milvus may have restarted since: both calls may be made twice.
            try:
                return call(self._opened(Collection))
            except VENDOR_ERRORS as e:
                self._forget()
                raise self._unavailable(e) from e

    def _opened(self, open_collection: "type[Collection]") -> "Collection":
        if self._collection is None:
            token = self._settings.token.get_secret_value() if self._settings.token else ""
            self._collection = open_collection(
                self._uri,
                token=token,
                name=self._settings.collection,
                timeout=self._settings.timeout.total_seconds(),
            )
        return self._collection

    def _unavailable(self, error: Exception) -> MemoryUnavailableError:
        code = getattr(error, "code", None)
        return MemoryUnavailableError(
            f"Milvus at {redact(self._uri)} does not answer, or another process has its files open (code {code})"
        )

    def _forget_connection(self) -> None:
        with self._one_at_a_time:
            self._forget()

    def _forget(self) -> None:
        if self._collection is not None:
            self._collection.close()
            self._collection = None


def _row(postmortem: PostMortem) -> "Row":
    from opsmend.adapters.milvus.collection import TEXTS  # noqa: PLC0415 - see _on_collection

    symptoms = redact(postmortem.symptoms)
    texts = postmortem.model_dump(mode="json", include=set(TEXTS))
    return {
        **{name: _fitting(redact(texts[name]), size) for name, size in TEXTS.items()},
        "closed_at": int(postmortem.closed_at.timestamp() * 1000),
        "vector": embed(symptoms),
    }


def _fitting(text: str, size: int) -> str:
    """`text` cut to `size` bytes, not in the middle of a character."""
    return text.encode()[:size].decode(errors="ignore")


def _recollection(score: float, row: "Row") -> Recollection:
    return Recollection(
        incident_id=row["incident_id"],
        run_id=row["run_id"],
        category=row["category"],
        summary=row["cause"] or row["title"],
        remedy=row["remedy"],
        outcome=row["outcome"],
        score=min(1.0, max(0.0, score)),
        closed_at=datetime.fromtimestamp(row["closed_at"] / 1000, UTC),
    )
