"""People are told once that a role has no worker, and once that it has one again. How much waits is a metric."""

from collections.abc import Mapping
from datetime import timedelta

import pytest

from opsmend.api.worker_watch import WorkerWatch
from opsmend.domain.ports.workers import WorkQueue
from opsmend.errors import ChatRejectedError, ChatUnavailableError, OpsmendError, TemporalUnavailableError
from opsmend.telemetry import ApiMetrics


class Seen:
    """Workers as a test says they are; `failing` is raised instead."""

    def __init__(self) -> None:
        self.there = {"workflows": True, "sre": True}
        self.waiting: dict[str, tuple[int, timedelta]] = {}
        self.failing: OpsmendError | None = None

    async def work_queues(self) -> Mapping[str, WorkQueue]:
        if self.failing:
            raise self.failing
        nothing = (0, timedelta(0))
        return {
            role: WorkQueue(at_work=there, waiting=tasks, oldest=oldest)
            for role, there in self.there.items()
            for tasks, oldest in [self.waiting.get(role, nothing)]
        }


class Said:
    def __init__(self) -> None:
        self.texts: list[str] = []
        self.failing: OpsmendError | None = None

    async def announce(self, text: str, key: str) -> None:
        if self.failing:
            raise self.failing
        self.texts.append(text)


@pytest.fixture
def seen() -> Seen:
    return Seen()


@pytest.fixture
def said() -> Said:
    return Said()


@pytest.fixture
def metrics() -> ApiMetrics:
    return ApiMetrics()


@pytest.fixture
def watch(seen: Seen, said: Said, metrics: ApiMetrics) -> WorkerWatch:
    return WorkerWatch(seen, said, metrics)


async def look(watch: WorkerWatch, times: int = 3) -> None:
    for _ in range(times):
        await watch.look()


async def test_nothing_is_said_while_all_are_there(watch: WorkerWatch, said: Said) -> None:
    await look(watch)
    assert said.texts == []
    assert watch.at_work == {"workflows": True, "sre": True}


async def test_a_role_without_a_worker_is_told_once_and_once_when_it_is_back(
    watch: WorkerWatch, seen: Seen, said: Said, metrics: ApiMetrics
) -> None:
    seen.there = {"workflows": True, "sre": False}
    await look(watch, 5)
    assert said.texts == ["No worker does the work of sre. Alerts are still taken, and wait."]
    assert metrics.registry.get_sample_value("opsmend_workers_at_work", {"role": "sre"}) == 0
    seen.there = {"workflows": True, "sre": True}
    await look(watch, 5)
    assert said.texts[1:] == ["The work of sre goes on: workers are back."]
    assert metrics.registry.get_sample_value("opsmend_workers_at_work", {"role": "sre"}) == 1


async def test_roles_that_go_together_are_told_together(watch: WorkerWatch, seen: Seen, said: Said) -> None:
    seen.there = {"workflows": False, "sre": False}
    await look(watch)
    assert said.texts == ["No worker does the work of sre, workflows. Alerts are still taken, and wait."]


async def test_a_worker_that_is_being_replaced_is_no_news(watch: WorkerWatch, seen: Seen, said: Said) -> None:
    seen.there = {"workflows": True, "sre": False}
    await watch.look()
    seen.there = {"workflows": True, "sre": True}
    await look(watch)
    assert said.texts == []


async def test_what_slack_did_not_take_is_told_when_it_is_back(watch: WorkerWatch, seen: Seen, said: Said) -> None:
    seen.there = {"workflows": True, "sre": False}
    said.failing = ChatUnavailableError("away")
    await look(watch)
    said.failing = None
    await look(watch)
    assert len(said.texts) == 1


async def test_what_slack_will_never_take_is_not_tried_for_ever(watch: WorkerWatch, seen: Seen, said: Said) -> None:
    seen.there = {"workflows": True, "sre": False}
    said.failing = ChatRejectedError("channel_not_found")
    await look(watch)
    said.failing = None
    await look(watch)
    assert said.texts == []


async def test_a_temporal_that_is_away_says_nothing_about_workers(watch: WorkerWatch, seen: Seen, said: Said) -> None:
    await watch.look()
    seen.failing = TemporalUnavailableError("away")
    await look(watch)
    assert said.texts == []
    assert watch.at_work == {"workflows": True, "sre": True}


async def test_what_waits_for_a_role_is_a_metric_until_it_is_worked_off(
    watch: WorkerWatch, seen: Seen, metrics: ApiMetrics
) -> None:
    def shown() -> list[float | None]:
        names = ("opsmend_backlog_tasks", "opsmend_backlog_age_seconds")
        return [metrics.registry.get_sample_value(name, {"role": "sre"}) for name in names]

    seen.waiting = {"sre": (2_700, timedelta(minutes=4))}
    await watch.look()
    assert shown() == [2_700, 240]
    seen.waiting = {}
    await watch.look()
    assert shown() == [0, 0]
