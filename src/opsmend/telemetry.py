"""What opsmend tells of itself: logs as events with keys, and Prometheus metrics.

Log a name and keys (`log.info("alert.received", source=…)`), never prose and never a secret. Metrics live in a registry
that is handed around, so that two servers in one process (or one test) do not share counters.
"""

import asyncio
import logging
import os
import sys
from datetime import timedelta
from typing import Final, TextIO

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector
from structlog.typing import Processor
from temporalio import activity, workflow
from temporalio.common import MetricGaugeFloat, MetricMeter

from opsmend.log_records import Repeats, in_a_line, of_temporal, repeats

_WEBHOOK_BUCKETS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
"""Seconds. A signal-with-start takes milliseconds; Alertmanager gives up after 10 s."""

_OF_LANGSMITH: Final = ("LANGSMITH_", "LANGCHAIN_")

_ENRICH: Final[tuple[Processor, ...]] = (
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.StackInfoRenderer(),
)


def configure_logging(level: str = "INFO", *, stream: TextIO = sys.stderr) -> None:
    """Send every log line, those of libraries included, to `stream`: readable on a terminal, one JSON object a line elsewhere.

    Called once, at an entry point.
    """
    handler = logging.StreamHandler(stream)
    foreign = [*_ENRICH, of_temporal]
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(foreign_pre_chain=foreign, processors=_rendering(readable=stream.isatty()))
    )
    handler.addFilter(Repeats())
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)
    # One line a request would drown the events, and httpx logs whole URLs.
    for chatty in ("httpx", "httpcore", "uvicorn.access"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    # It says beside our own sentence what is said there.
    logging.getLogger("kubernetes.aio.config.kube_config").setLevel(logging.CRITICAL)
    # What they know of the activity or workflow comes as keys, see log_records.of_temporal.
    activity.logger.activity_info_on_message = workflow.logger.workflow_info_on_message = False
    structlog.configure(
        processors=[*_ENRICH, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
    )


def keep_traces_here(*, export: bool) -> None:
    """Unless `export`, take from the process's environment what makes LangGraph send each run of a graph to LangSmith.

    LANGSMITH_TRACING, or LANGCHAIN_TRACING_V2 of old, is enough for it, wherever it was set: in a base image, in a shell, for
    another program. LangSmith remembers what it has read, so this comes before the first graph.
    """
    found = [name for name in os.environ if name.startswith(_OF_LANGSMITH)]
    if export or not found:
        return
    for name in found:
        del os.environ[name]
    structlog.get_logger(__name__).warning(
        "langsmith.off", ignored=sorted(found), meaning="set OPSMEND_LANGSMITH_TRACING=true to export runs to LangSmith"
    )


def _rendering(*, readable: bool) -> list[Processor]:
    clean = structlog.stdlib.ProcessorFormatter.remove_processors_meta
    if readable:
        return [in_a_line, repeats, clean, structlog.dev.ConsoleRenderer()]
    return [in_a_line, repeats, clean, structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]


_EVERY: Final = timedelta(seconds=15)
"""Prometheus' usual interval is between 15 s and a minute."""


async def tell_of_this_process(meter: MetricMeter) -> None:
    """Keep memory, CPU and open files of this process among the metrics of a worker, until cancelled. The names are those that
    Prometheus' clients have for them; all are gauges, as nothing else can be set."""
    collector = ProcessCollector(registry=None)
    gauges: dict[str, MetricGaugeFloat] = {}
    while True:
        for family in collector.collect():
            for sample in family.samples:
                if sample.name not in gauges:
                    gauges[sample.name] = meter.create_gauge_float(sample.name, family.documentation)
                gauges[sample.name].set(sample.value)
        await asyncio.sleep(_EVERY.total_seconds())


class ApiMetrics:
    """What the API counts, plus the process's own CPU and memory. `registry` is what `/metrics` shows."""

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        self.registry = registry or CollectorRegistry()
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        self.alerts = Counter(
            "opsmend_alerts_received", "Alerts that Temporal holds.", ["source", "status"], registry=self.registry
        )
        self.alerts_truncated = Counter(
            "opsmend_alerts_truncated", "Alerts that the sender left out of its payloads.", ["source"], registry=self.registry
        )
        self.alerts_refused = Counter(
            "opsmend_alerts_refused",
            "Alerts of a payload that will never be taken as they are.",
            ["source"],
            registry=self.registry,
        )
        self.heartbeats = Counter(
            "opsmend_heartbeats_received",
            "Heartbeats and helper alerts, which open nothing.",
            ["source"],
            registry=self.registry,
        )
        self.webhook_seconds = Histogram(
            "opsmend_webhook_seconds",
            "From the first byte of a webhook to its answer.",
            ["source"],
            buckets=_WEBHOOK_BUCKETS,
            registry=self.registry,
        )
        self.incidents = Counter(
            "opsmend_incident_intake", "Incidents opened or joined by alerts.", ["result"], registry=self.registry
        )
        self.workers = Gauge(
            "opsmend_workers_at_work", "Whether any worker of a role asks for work.", ["role"], registry=self.registry
        )
        self.backlog = Gauge(
            "opsmend_backlog_tasks", "Tasks of a role that no worker has taken yet.", ["role"], registry=self.registry
        )
        self.backlog_age = Gauge(
            "opsmend_backlog_age_seconds",
            "How long the oldest task of a role has waited for a worker.",
            ["role"],
            registry=self.registry,
        )
        self.decisions = Counter("opsmend_decisions", "Decisions taken over HTTP.", ["decision"], registry=self.registry)
        self.errors = Counter("opsmend_api_errors", "Requests that were refused or failed.", ["type"], registry=self.registry)
