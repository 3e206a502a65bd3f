"""The runtime of Temporal's SDK, its Rust half: how many threads it has, where its log and its metrics go."""

import logging
import os
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

from opsmend.errors import SettingsError, bounded

_THREADS: Final = "TOKIO_WORKER_THREADS"
"""https://docs.rs/tokio/latest/tokio/runtime/struct.Builder.html#method.worker_threads"""


@cache
def runtime_for(metrics_address: str | None) -> Runtime:
    """One for the process, with one thread where the SDK would take one a core, unless the environment says how many.

    What its Rust half does is handed to Python, which does one thing at a time: further threads only wake each other.

    Raises:
        SettingsError: metrics cannot be served at `metrics_address`.
    """
    said = os.environ.get(_THREADS)
    os.environ[_THREADS] = said or "1"
    try:
        return Runtime(telemetry=_telemetry(metrics_address))
    except ValueError as e:
        raise SettingsError(f"OPSMEND_METRICS__PORT: metrics cannot be served at {metrics_address}: {bounded(str(e))}.") from e
    finally:
        if not said:
            del os.environ[_THREADS]


def meter_of(client: Client) -> MetricMeter:
    """For metrics of our own beside those of the SDK. They go nowhere unless `client` was connected with an address."""
    runtime = client.service_client.config.runtime
    return runtime.metric_meter if runtime else MetricMeter.noop


def _telemetry(metrics_address: str | None) -> TelemetryConfig:
    """The log of the Rust half goes the way of ours: it would write lines of its own to stdout."""
    ours = LogForwardingConfig(
        logging.getLogger("temporal.core"), append_target_to_name=False, append_log_fields_to_message=False
    )
    logs = LoggingConfig(filter=TelemetryFilter(core_level="WARN", other_level="ERROR"), forwarding=ours)
    if metrics_address is None:
        return TelemetryConfig(logging=logs)
    # Names and units as Prometheus has them; a tag that says "temporal-core-sdk" of everything says nothing.
    page = PrometheusConfig(
        bind_address=metrics_address, counters_total_suffix=True, unit_suffix=True, durations_as_seconds=True
    )
    return TelemetryConfig(logging=logs, metrics=page, attach_service_name=False)
