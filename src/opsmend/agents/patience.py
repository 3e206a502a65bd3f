"""How long we wait for what, by name. Every activity call uses one of these; nothing retries for ever by accident.

Heartbeats are sent by the worker's interceptor for every activity, so a killed worker is noticed within
`heartbeat_timeout`, and a slow but living activity is left alone until `start_to_close_timeout`.
"""

from datetime import timedelta
from typing import Final

from temporalio.common import RetryPolicy
from temporalio.workflow import ActivityConfig

_HEARTBEAT: Final = timedelta(seconds=5)


def on(queue: str, patience: ActivityConfig, summary: str) -> ActivityConfig:
    """`patience` for a call on `queue`; `summary` is what the Temporal UI shows beside the activity."""
    return {**patience, "task_queue": queue, "summary": summary}


READ: Final = ActivityConfig(
    start_to_close_timeout=timedelta(minutes=2),
    schedule_to_close_timeout=timedelta(minutes=30),
    heartbeat_timeout=_HEARTBEAT,
    retry_policy=RetryPolicy(initial_interval=timedelta(seconds=1), maximum_interval=timedelta(seconds=30)),
)
"""Reading a cluster or a monitoring system: one that restarts is back in minutes, one away for half an hour needs a person."""

MUTATE: Final = ActivityConfig(
    start_to_close_timeout=timedelta(minutes=2),
    schedule_to_close_timeout=timedelta(minutes=15),
    heartbeat_timeout=_HEARTBEAT,
    retry_policy=RetryPolicy(initial_interval=timedelta(seconds=1), maximum_interval=timedelta(seconds=15)),
)
"""Changing a cluster: retried while it is down, but not for so long that the approval no longer fits the world."""

THINK: Final = ActivityConfig(
    start_to_close_timeout=timedelta(minutes=2),
    heartbeat_timeout=_HEARTBEAT,
    retry_policy=RetryPolicy(initial_interval=timedelta(seconds=1), maximum_attempts=5),
)
"""Rules, plans, policies and memory: local or quick. Failing five times is a bug or a broken part, and a person hears of it."""

KEEP: Final = ActivityConfig(
    start_to_close_timeout=timedelta(minutes=2),
    schedule_to_close_timeout=timedelta(minutes=4),
    heartbeat_timeout=_HEARTBEAT,
    retry_policy=RetryPolicy(initial_interval=timedelta(seconds=2), maximum_interval=timedelta(seconds=30)),
)
"""Housekeeping that comes again in minutes: what cannot be had until then is left to the next time."""

JUDGE: Final = ActivityConfig(
    start_to_close_timeout=timedelta(seconds=30),
    schedule_to_close_timeout=timedelta(minutes=1),
    heartbeat_timeout=_HEARTBEAT,
    retry_policy=RetryPolicy(initial_interval=timedelta(seconds=1), maximum_attempts=5),
)
"""Asking policy about somebody who waits for the word: who does not get it answers once more."""

SOON: Final = ActivityConfig(
    start_to_close_timeout=timedelta(seconds=30),
    schedule_to_close_timeout=timedelta(seconds=30),
    heartbeat_timeout=_HEARTBEAT,
    retry_policy=RetryPolicy(initial_interval=timedelta(seconds=1), maximum_attempts=5),
)
"""What others wait for a moment and can do without: it is done later where it cannot be done at once."""

NOTIFY: Final = ActivityConfig(
    start_to_close_timeout=timedelta(seconds=30),
    schedule_to_close_timeout=timedelta(days=14),
    heartbeat_timeout=_HEARTBEAT,
    retry_policy=RetryPolicy(initial_interval=timedelta(seconds=1), maximum_interval=timedelta(minutes=1)),
)
"""Telling people, handing alerts on and remembering: chat, Temporal or Milvus may be down over a holiday. Nothing waits for it:
the incident goes on meanwhile, and its next outbreak as well."""
