"""More new incidents than a channel can bear: a few messages, one digest for the others, and no call that waits."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from typing import Any, Final

import pytest
from pydantic import SecretStr
from temporalio.client import Client

from opsmend.adapters.slack.chat import slack_chat
from opsmend.adapters.temporal.first_messages import TemporalFirstMessages
from opsmend.domain.alert import Severity
from opsmend.domain.incident import Status
from opsmend.domain.snapshot import Snapshot
from opsmend.domain.target import Target
from opsmend.domain.untold import Untold
from opsmend.settings import SlackSettings
from opsmend.workflows.first_messages import FIRST_MESSAGES_ID, FirstMessagesOpened
from tests.builders import a_target, an_alert
from tests.slack_standin.standin import SlackStandin, running_slack
from tests.slack_standin.workspace import Channel
from tests.workflows.conftest import MakeWorld, World
from tests.workflows.fakes import ClusterInMemory

LIMIT: Final = 3
STORM: Final = [a_target(name=f"app-{number}") for number in range(12)]
GRAVE: Final = STORM[-1]


@pytest.fixture
async def slack() -> AsyncIterator[SlackStandin]:
    async with running_slack() as standin:
        yield standin


@pytest.fixture
def channel(slack: SlackStandin) -> Channel:
    return slack.workspace.add_channel("incidents")


class NobodyIsLookedInto(ClusterInMemory):
    """But the grave one, once `grave` is set."""

    def __init__(self) -> None:
        super().__init__()
        self.grave = asyncio.Event()
        self._never = asyncio.Event()

    async def snapshot(self, target: Target) -> Snapshot:
        await (self.grave if target.name == GRAVE.name else self._never).wait()
        return await super().snapshot(target)


class Storm:
    """Twelve incidents that nobody can look into, until `cluster.grave` is set for the grave one."""

    def __init__(self, world: World, cluster: NobodyIsLookedInto, slack: SlackStandin, channel: Channel) -> None:
        self.world = world
        self.cluster = cluster
        self._slack = slack
        self._channel = channel

    def said(self, event: str) -> list[dict[str, Any]]:
        posted = self._slack.workspace.roots(self._channel.id)
        return [message for message in posted if message["metadata"]["event_type"] == event]

    def replies(self) -> list[Any]:
        """Calls are made in the thread of their incident."""
        grave = [message["ts"] for message in self.said("opsmend_incident") if GRAVE.name in message["text"]]
        return [reply for ts in grave for reply in self._slack.workspace.replies(self._channel.id, ts)]

    async def breaks(self, target: Target, severity: Severity) -> None:
        await self.world.desk.submit(target, (an_alert(target=target, severity=severity),))


@pytest.fixture
async def storm(make_world: MakeWorld, slack: SlackStandin, channel: Channel, monkeypatch: pytest.MonkeyPatch) -> Storm:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    settings = SlackSettings(bot_token=SecretStr(slack.workspace.bot_token), channel=channel.id, api_url=slack.api_url)
    cluster = NobodyIsLookedInto()
    terms = {"first_messages": limited, "looks_at_once": 2 * len(STORM)}
    world = await make_world(cluster=cluster, slack=slack_chat(settings), **terms)
    return Storm(world, cluster, slack, channel)


def limited(client: Client) -> TemporalFirstMessages:
    """Within an hour, so that a slow machine gives no room that nobody expects."""
    opened = FirstMessagesOpened(every=timedelta(milliseconds=200), within=timedelta(hours=1))
    return TemporalFirstMessages(client, LIMIT, opened)


async def until(come: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not come():
            await asyncio.sleep(0.05)


async def test_above_the_limit_one_digest_tells_of_the_others_and_a_call_does_not_wait(storm: Storm) -> None:
    for target in STORM[:-1]:
        await storm.breaks(target, Severity.WARNING)
    await until(lambda: len(storm.said("opsmend_incident")) == LIMIT)
    await storm.breaks(GRAVE, Severity.CRITICAL)
    await until(lambda: any("9 more incidents: 1 critical, 8 warning" in m["text"] for m in storm.said("opsmend_digest")))
    (digest,) = storm.said("opsmend_digest")
    shown = json.dumps(digest["blocks"], ensure_ascii=False)
    assert "By namespace: shop 9" in shown
    assert "critical" in shown.split("/app-11")[0], "the gravest comes first"
    assert len(storm.said("opsmend_incident")) == LIMIT

    storm.cluster.grave.set()
    await storm.world.until(lambda s: s.status is Status.AWAITING_APPROVAL, within=60, incident=GRAVE.incident_id)
    await until(lambda: bool(storm.replies()))
    assert len(storm.said("opsmend_incident")) == LIMIT + 1
    await until(lambda: "8 more incidents: 8 warning" in storm.said("opsmend_digest")[0]["text"])
    assert len(storm.said("opsmend_digest")) == 1


async def test_room_is_shared_by_all_processes_and_outlives_them(make_world: MakeWorld) -> None:
    world = await make_world()

    def incident(number: int) -> Untold:
        target = a_target(name=f"app-{number}")
        return Untold(incident_id=target.incident_id, run_id=str(number), target=target, severity=Severity.WARNING)

    waits = [await limited(world.client).room_in(incident(number)) for number in range(5)]
    assert [bool(wait) for wait in waits] == [False] * LIMIT + [True, True]
    assert not await limited(world.client).room_in(incident(0)), "Slack did not take it at first"
    await until_digest(world, 2)
    await limited(world.client).is_told("3")
    await limited(world.client).is_told("4")
    await until_digest(world, 0)


async def until_digest(world: World, waiting: int) -> None:
    await until(lambda: bool(world.chat.digests) and world.chat.digests[-1].waiting == waiting)


async def test_a_long_storm_goes_on_in_a_new_run_with_all_that_wait(make_world: MakeWorld) -> None:
    world = await make_world()
    opened = FirstMessagesOpened(every=timedelta(milliseconds=100), within=timedelta(hours=1), most_events=30)
    room = TemporalFirstMessages(world.client, 1, opened)
    handle = world.client.get_workflow_handle(FIRST_MESSAGES_ID)
    first = ""
    for number in range(20):
        target = a_target(name=f"app-{number}")
        who = Untold(incident_id=target.incident_id, run_id=str(number), target=target, severity=Severity.INFO)
        assert bool(await room.room_in(who)) == (number > 0)
        first = first or (await handle.describe()).run_id
    await until_digest(world, 19)
    assert (await handle.describe()).run_id != first
    assert len({digest.key for digest in world.chat.digests}) == 1
