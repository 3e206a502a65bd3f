"""The client that everything of ours talks to Temporal with, set for a Temporal that stands beside it (docs/decisions/0018)."""

import os
from functools import cache
from typing import Final

from temporalio.client import Client
from temporalio.runtime import Runtime, TelemetryConfig
from temporalio.service import GrpcCompression

from opsmend.adapters.temporal.large_payloads import converter_with
from opsmend.adapters.temporal.payloads import DATA_CONVERTER
from opsmend.domain.ports.artifacts import Artifacts

_THREADS: Final = "TOKIO_WORKER_THREADS"
"""https://docs.rs/tokio/latest/tokio/runtime/struct.Builder.html#method.worker_threads"""


async def connect(address: str, namespace: str, *, lazy: bool = False, artifacts: Artifacts | None = None) -> Client:
    """A client that speaks pydantic models. `lazy` puts the connection off to the first call, so that an API can start
    (and answer 503) while Temporal is away. A worker brings the `artifacts` in which large payloads are kept."""
    return await Client.connect(
        address,
        namespace=namespace,
        data_converter=converter_with(artifacts) if artifacts else DATA_CONVERTER,
        lazy=lazy,
        runtime=_runtime(),
        grpc_compression=GrpcCompression.NONE,
    )


@cache
def _runtime() -> Runtime:
    """One for the process, with one thread where the SDK would take one a core, unless the environment says how many.

    What its Rust half does is handed to Python, which does one thing at a time: further threads only wake each other.
    """
    if _THREADS in os.environ:
        return Runtime(telemetry=TelemetryConfig())
    os.environ[_THREADS] = "1"
    try:
        return Runtime(telemetry=TelemetryConfig())
    finally:
        del os.environ[_THREADS]
