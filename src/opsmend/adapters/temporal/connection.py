"""The client that everything of ours talks to Temporal with, set for a Temporal that stands beside it (docs/decisions/0018)."""

import asyncio
import os
import re
from datetime import timedelta
from typing import Final

from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest
from temporalio.client import Client
from temporalio.service import GrpcCompression, RPCError, RPCStatusCode

from opsmend.adapters.temporal.large_payloads import converter_with
from opsmend.adapters.temporal.payloads import DATA_CONVERTER
from opsmend.adapters.temporal.sdk_runtime import runtime_for
from opsmend.domain.ports.artifacts import Artifacts
from opsmend.errors import SettingsError, TemporalUnavailableError, bounded
from opsmend.settings import MetricsSettings

TEMPORAL_HERE: Final = "127.0.0.1:7233"
"""Where Temporal is when TEMPORAL_ADDRESS does not say."""

_PATIENCE: Final = timedelta(seconds=5)
"""For the first word of the server."""


async def connect(
    address: str,
    namespace: str,
    *,
    lazy: bool = False,
    artifacts: Artifacts | None = None,
    metrics: MetricsSettings | None = None,
) -> Client:
    """A client that speaks pydantic models. `lazy` puts the connection off to the first call, so that an API can start
    (and answer 503) while Temporal is away. A worker brings the `artifacts` in which large payloads are kept, and says by
    `metrics` where Prometheus finds those of the SDK and our own.

    Raises:
        TemporalUnavailableError: it does not answer.
        SettingsError: the namespace is not there, or the address of the metrics is not free.
    """
    if not lazy:
        await _must_speak_http2(address)
    try:
        client = await Client.connect(
            address,
            namespace=namespace,
            data_converter=converter_with(artifacts) if artifacts else DATA_CONVERTER,
            lazy=lazy,
            runtime=runtime_for(f"{metrics.host}:{metrics.port}" if metrics and metrics.port else None),
            grpc_compression=GrpcCompression.NONE,
        )
    except RuntimeError as e:  # the client has no class of its own for a failed connection
        raise _away(address, _reason(e)) from e
    if not lazy:
        await _must_have_namespace(client, address)
    return client


async def _must_have_namespace(client: Client, address: str) -> None:
    try:
        request = DescribeNamespaceRequest(namespace=client.namespace)
        await client.workflow_service.describe_namespace(request, timeout=_PATIENCE)
    except RPCError as e:
        if e.status is RPCStatusCode.NOT_FOUND:
            raise SettingsError(
                f"Temporal at {address} has no namespace {client.namespace} (TEMPORAL_NAMESPACE). "
                "deploy/temporal/namespace.sh makes one."
            ) from e
        raise _away(address, str(e)) from e


_SETTINGS: Final = 4
"""The type of that frame, its fourth byte."""

_GREETING: Final = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes([0, 0, 0, _SETTINGS, 0, 0, 0, 0, 0])
"""How a client of HTTP/2 begins (RFC 9113, 3.4): the preface and a SETTINGS frame without settings. The server answers with its
own, whatever else it has to do."""


async def _must_speak_http2(address: str) -> None:
    """Raises TemporalUnavailableError. The client would wait ten times as long for what takes a connection and says nothing,
    and its Rust half ends in a panic when it is called off."""
    host, _, port = address.rpartition(":")
    try:
        async with asyncio.timeout(_PATIENCE.total_seconds()):
            reader, writer = await asyncio.open_connection(host.strip("[]"), int(port))
            try:
                writer.write(_GREETING)
                frame = await reader.readexactly(9)
            finally:
                writer.close()
    except TimeoutError as e:
        raise _away(address, f"no answer within {_PATIENCE.total_seconds():.0f} s") from e
    except EOFError as e:
        raise _away(address, "it hung up") from e
    except OSError as e:
        raise _away(address, os.strerror(e.errno) if e.errno and e.errno > 0 else str(e.strerror or e)) from e
    if frame[3] != _SETTINGS:
        raise _away(address, "what is there does not speak gRPC")


def _away(address: str, why: str) -> TemporalUnavailableError:
    return TemporalUnavailableError(f"Temporal does not answer at {address} (TEMPORAL_ADDRESS): {bounded(why)}.")


def _reason(error: RuntimeError) -> str:
    """The message in what Rust prints of an error, where there is one."""
    messages = re.findall(r'message: "([^"]+)"', str(error))
    return messages[-1] if messages else str(error)
