"""The Milvus collection behind the memory: its schema, and the calls on it. Blocking; `memory.py` runs it in a thread."""

import logging
import re
from typing import Any, Final

import grpc  # type: ignore[import-untyped]
from pymilvus import DataType, MilvusClient, MilvusException

from opsmend.adapters.milvus.embedding import DIMENSIONS
from opsmend.errors import MemoryUnavailableError, bounded

Row = dict[str, Any]

TEXTS: Final = {
    "run_id": 128,
    "incident_id": 512,
    "category": 64,
    "target": 512,
    "title": 512,
    "symptoms": 4096,
    "cause": 4096,
    "remedy": 4096,
    "outcome": 32,
}
"""Text fields and how many bytes (not characters) of UTF-8 each takes."""

_RUN_ID: Final = re.compile(r"[0-9A-Za-z_-]{1,128}")

VENDOR_ERRORS: Final = (MilvusException, grpc.RpcError)


class Collection:
    """An open connection with the collection made and loaded. Methods raise VENDOR_ERRORS.

    Raises VENDOR_ERRORS at construction, and MemoryUnavailableError when a collection of that name has other fields.
    """

    def __init__(self, uri: str, *, token: str, name: str, timeout: float) -> None:
        # pymilvus logs each failed call with several tracebacks; we raise it, once, as our own error.
        logging.getLogger("pymilvus").setLevel(logging.CRITICAL)
        self._name, self._timeout = name, timeout
        # Without a pool of its own a new connection inherits the wait after the failures of older ones, up to two minutes.
        own_pool = {"grpc.use_local_subchannel_pool": 1}
        self._client = MilvusClient(uri, token=token, timeout=timeout, grpc_options=own_pool)
        self._ensure()
        # A collection is searchable only while loaded, and a restarted Milvus Lite has loaded none.
        self._client.load_collection(name, timeout=timeout)

    def close(self) -> None:
        self._client.close()

    def upsert(self, row: Row) -> None:
        self._client.upsert(self._name, [row], timeout=self._timeout)

    def delete(self, run_id: str) -> None:
        """The row of this run, if there is one."""
        # pymilvus makes an expression of it, which a quote in it would break out of. No id of Temporal's has one.
        if _RUN_ID.fullmatch(run_id):
            self._client.delete(self._name, ids=[run_id], timeout=self._timeout)

    def nearest(self, vector: list[float], where: str, limit: int) -> list[tuple[float, Row]]:
        """Similarity and fields of the rows for which the expression `where` holds, most similar first."""
        answer = self._client.search(
            self._name,
            data=[vector],
            anns_field="vector",
            filter=where,
            limit=limit,
            output_fields=[*TEXTS, "closed_at"],
            # A post-mortem written a moment ago by another worker counts.
            consistency_level="Strong",
            timeout=self._timeout,
        )
        return [(float(hit["distance"]), dict(hit["entity"])) for hit in answer[0]]

    def _ensure(self) -> None:
        if not self._client.has_collection(self._name, timeout=self._timeout):
            try:
                self._create()
            except MilvusException:
                # Another worker may have made it since we looked.
                if not self._client.has_collection(self._name, timeout=self._timeout):
                    raise
        described = self._client.describe_collection(self._name, timeout=self._timeout)
        fields = {field["name"] for field in described["fields"]}
        if fields != {*TEXTS, "closed_at", "vector"}:
            raise MemoryUnavailableError(
                f"the Milvus collection {self._name} has other fields than ours ({bounded(', '.join(sorted(fields)))}): "
                "name another one in OPSMEND_MILVUS__COLLECTION"
            )

    def _create(self) -> None:
        schema = MilvusClient.create_schema(auto_id=False, enable_dynamic_field=False)
        for name, size in TEXTS.items():
            schema.add_field(name, DataType.VARCHAR, max_length=size, is_primary=name == "run_id")
        schema.add_field("closed_at", DataType.INT64)
        schema.add_field("vector", DataType.FLOAT_VECTOR, dim=DIMENSIONS)
        index = MilvusClient.prepare_index_params()
        # Exact search: thousands of incidents, not millions.
        index.add_index("vector", index_type="FLAT", metric_type="COSINE")
        self._client.create_collection(self._name, schema=schema, index_params=index, timeout=self._timeout)
