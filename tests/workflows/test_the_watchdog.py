"""Workflows that stand still are told to people from outside: once, whatever chat does, and once more when it is over."""

import asyncio
from datetime import timedelta
from typing import Final

import pytest
from temporalio import workflow

from opsmend.adapters.temporal.runs import TemporalRuns
from opsmend.adapters.temporal.watchdog import start_watchdog
from opsmend.domain.ports.chat import Alarm
from opsmend.domain.ports.runs import StalledRun
from opsmend.errors import PermanentError
from opsmend.worker import WORKFLOWS
from opsmend.workflows.watchdog import OURS, WATCHDOG_ID, WatchdogRequest
from tests.builders import an_alert
from tests.workflows.conftest import INCIDENT, World

BRISK: Final = WatchdogRequest(every=timedelta(milliseconds=200))


def test_every_workflow_of_ours_is_looked_after_but_the_watchdog_itself() -> None:
    names = {definition.name for cls in WORKFLOWS if (definition := workflow._Definition.from_class(cls))}
    assert names - {"Watchdog"} == set(OURS)


async def stand_still(world: World) -> None:
    """By an alert that no worker here can read."""
    await world.alert()
    await world.until_asked()
    alert = an_alert(fingerprint="another").model_dump(mode="json") | {"severity": "page"}
    await world.client.get_workflow_handle(INCIDENT).signal("alerts_received", {"alerts": [alert]})


async def alarms(world: World, number: int) -> list[Alarm]:
    while len(world.chat.alarms) < number:
        await asyncio.sleep(0.1)
    return list(world.chat.alarms.values())


async def rounds(world: World) -> int:
    await asyncio.sleep(0.1)
    return (await world.client.get_workflow_handle(WATCHDOG_ID).describe()).history_length // 14


async def test_people_are_told_why_once_and_when_it_is_over(world: World) -> None:
    await start_watchdog(world.client, timedelta(seconds=5), BRISK)
    await stand_still(world)
    (stalled,) = await alarms(world, 1)
    assert stalled.text.startswith(f"{INCIDENT} stands still")
    assert "alerts.0.severity" in stalled.text
    assert stalled.temporal_ui.endswith("/history")
    before = await rounds(world)
    while await rounds(world) < before + 3:
        assert len(world.chat.alarms) == 1

    await world.client.get_workflow_handle(INCIDENT).terminate("it is mended by hand")
    _, over = await alarms(world, 2)
    assert over.text == f"{INCIDENT} does not stand still any more."


async def test_people_are_told_once_chat_is_back(world: World) -> None:
    world.chat.down = True
    await start_watchdog(world.client, timedelta(seconds=5), BRISK)
    await stand_still(world)
    before = await rounds(world)
    while await rounds(world) < before + 1:
        assert world.chat.alarms == {}
    world.chat.down = False
    assert len(await alarms(world, 1)) == 1


async def test_there_is_one_however_many_workers_start_it(world: World) -> None:
    for _ in range(3):
        await start_watchdog(world.client, timedelta(seconds=5), BRISK)
    first = (await world.client.get_workflow_handle(WATCHDOG_ID).describe()).run_id
    await start_watchdog(world.client, timedelta(seconds=5), BRISK)
    assert (await world.client.get_workflow_handle(WATCHDOG_ID).describe()).run_id == first


async def test_a_round_that_fails_is_made_up_for_by_the_next(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    stalled, asked = TemporalRuns.stalled, []

    async def fails_at_first(self: TemporalRuns) -> tuple[StalledRun, ...]:
        asked.append(self)
        if len(asked) == 1:
            raise PermanentError("nobody retries this")
        return await stalled(self)

    monkeypatch.setattr(TemporalRuns, "stalled", fails_at_first)
    await start_watchdog(world.client, timedelta(seconds=5), BRISK)
    await stand_still(world)
    assert len(await alarms(world, 1)) == 1
