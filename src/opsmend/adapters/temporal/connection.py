"""The client that everything of ours talks to Temporal with, set for a Temporal that stands beside it (docs/decisions/0018)."""

import asyncio
import logging
import os
import re
from datetime import timedelta
from functools import cache
from typing import Final

from temporalio.client import Client
from temporalio.common import MetricMeter
from temporalio.runtime import (
    LogForwardingConfig,
    LoggingConfig,
    PrometheusConfig,
    Runtime,
    TelemetryConfig,
    TelemetryFilter,
)
from temporalio.service import GrpcCompression

from opsmend.adapters.temporal.large_payloads import converter_with
from opsmend.adapters.temporal.payloads import DATA_CONVERTER
from opsmend.domain.ports.artifacts import Artifacts
from opsmend.errors import SettingsError, TemporalUnavailableError, bounded
from opsmend.settings import MetricsSettings

_THREADS: Final = "TOKIO_WORKER_THREADS"
"""https://docs.rs/tokio/latest/tokio/runtime/struct.Builder.html#method.worker_threads"""


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
        SettingsError: the address of the metrics is not free.
    """
    if not lazy:
        await _must_speak_http2(address)
    try:
        return await Client.connect(
            address,
            namespace=namespace,
            data_converter=converter_with(artifacts) if artifacts else DATA_CONVERTER,
            lazy=lazy,
            runtime=_runtime(f"{metrics.host}:{metrics.port}" if metrics and metrics.port else None),
            grpc_compression=GrpcCompression.NONE,
        )
    except RuntimeError as e:  # the client has no class of its own for a failed connection
        raise _away(address, _reason(e)) from e


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


def meter_of(client: Client) -> MetricMeter:
    """Metrics of our own beside those of the SDK; they go nowhere unless `client` was connected with `metrics`."""
    runtime = client.service_client.config.runtime
    return runtime.metric_meter if runtime else MetricMeter.noop


def _reason(error: RuntimeError) -> str:
    """The message in what Rust prints of an error, where there is one."""
    messages = re.findall(r'message: "([^"]+)"', str(error))
    return messages[-1] if messages else str(error)


@cache
def _runtime(metrics_address: str | None) -> Runtime:
    """One for the process, with one thread where the SDK would take one a core, unless the environment says how many.

    What its Rust half does is handed to Python, which does one thing at a time: further threads only wake each other.
    """
    if _THREADS in os.environ:
        return Runtime(telemetry=_telemetry(metrics_address))
    os.environ[_THREADS] = "1"
    try:
        return Runtime(telemetry=_telemetry(metrics_address))
    except ValueError as e:
        raise SettingsError(f"OPSMEND_METRICS__PORT: metrics cannot be served at {metrics_address}: {bounded(str(e))}.") from e
    finally:
        del os.environ[_THREADS]


def _telemetry(metrics_address: str | None) -> TelemetryConfig:
    """The log of the Rust half goes the way of ours: it would write lines of its own to stdout."""
    logging_config = LoggingConfig(
        filter=TelemetryFilter(core_level="WARN", other_level="ERROR"),
        forwarding=LogForwardingConfig(
            logging.getLogger("temporal.core"), append_target_to_name=False, append_log_fields_to_message=False
        ),
    )
    if metrics_address is None:
        return TelemetryConfig(logging=logging_config)
    # Names and units as Prometheus has them; a tag that says "temporal-core-sdk" of everything says nothing.
    prometheus = PrometheusConfig(
        bind_address=metrics_address, counters_total_suffix=True, unit_suffix=True, durations_as_seconds=True
    )
    return TelemetryConfig(logging=logging_config, metrics=prometheus, attach_service_name=False)
