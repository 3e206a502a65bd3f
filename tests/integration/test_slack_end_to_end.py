"""From the first alert to the answer in Slack: a real `opsmend up`, and a workspace over HTTP that checks what Slack checks."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx
import pytest
import pytest_asyncio
from pymilvus import MilvusClient
from temporalio.client import Client
from tests.integration.outside.cluster import BAD, GOOD, Cluster, a_cluster, images_in
from tests.integration.outside.opsmend import Opsmend, opsmend_up
from tests.integration.outside.waiting import eventually
from tests.slack_standin.interactions import block_actions, form, signed
from tests.slack_standin.standin import SlackStandin, running_slack
from tests.slack_standin.workspace import Channel, Message, OpenView, User

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(300)]

APPROVE: Final = "opsmend_approve"
REJECT: Final = "opsmend_reject"
TAKE_OVER: Final = "opsmend_take_over"
WRONG: Final = "opsmend_wrong_diagnosis"
EVENTS: Final = "/v1/slack/events"


@dataclass(frozen=True)
class Team:
    """`mia` is in the user group opsmend-approvers, `ben` in none."""

    slack: SlackStandin
    channel: Channel
    mia: User
    ben: User

    def messages(self, namespace: str) -> list[Message]:
        """The messages of incidents of one namespace, without the calls."""
        return [m for m in self.slack.workspace.roots(self.channel.id) if f"{namespace}/web" in json.dumps(m)]

    async def question(self, namespace: str, other_than: str = "") -> Message:
        """The message once it asks, about another plan than that of the button value `other_than`."""

        async def look() -> Message | None:
            asking = [m for m in self.messages(namespace) if APPROVE in buttons(m) and buttons(m)[APPROVE] != other_than]
            return asking[0] if asking else None

        return await eventually(look, f"the question about {namespace} in Slack")

    async def told(self, user: User, before: int = 0) -> str:
        """What only this person was told, after the first `before` of such messages."""

        async def look() -> str | None:
            said = [e.text for e in self.slack.workspace.ephemerals if e.user == user.id]
            return said[before] if len(said) > before else None

        return await eventually(look, f"a word to {user.name}")

    async def says(self, namespace: str, what: str) -> Message:
        """The one message of the incident once it says `what`."""

        async def look() -> Message | None:
            (message,) = self.messages(namespace)
            return message if what in text_of(message) else None

        return await eventually(look, f"{what!r} in Slack")


def buttons(message: Message) -> dict[str, str]:
    """Action id and value of each button."""
    found = [element for block in message["blocks"] for element in block.get("elements", []) if element["type"] == "button"]
    return {button["action_id"]: button["value"] for button in found}


def text_of(thing: Any) -> str:
    """Every text in a message, one under the other."""
    if isinstance(thing, dict):
        return "\n".join(text_of(value) for value in thing.values())
    if isinstance(thing, list):
        return "\n".join(map(text_of, thing))
    return str(thing)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def cluster(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Cluster]:
    async with a_cluster(tmp_path_factory.mktemp("cluster")) as running:
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def team() -> AsyncIterator[Team]:
    async with running_slack() as slack:
        workspace = slack.workspace
        mia, ben = workspace.add_user("mia"), workspace.add_user("ben")
        workspace.add_usergroup("opsmend-approvers", mia)
        yield Team(slack, workspace.add_channel("incidents"), mia, ben)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def opsmend(tmp_path_factory: pytest.TempPathFactory, cluster: Cluster, team: Team) -> AsyncIterator[Opsmend]:
    settings = {
        "OPSMEND_SLACK__BOT_TOKEN": team.slack.workspace.bot_token,
        "OPSMEND_SLACK__SIGNING_SECRET": team.slack.workspace.signing_secret,
        "OPSMEND_SLACK__CHANNEL": team.channel.id,
        "OPSMEND_SLACK__API_URL": team.slack.api_url,
        "NO_PROXY": "127.0.0.1",
    }
    async with opsmend_up(tmp_path_factory.mktemp("opsmend"), cluster.kubeconfig, settings) as running:
        team.slack.request_url = f"{running.url}{EVENTS}"
        yield running


async def broken(cluster: Cluster, namespace: str) -> None:
    await cluster.deploy(namespace)
    await cluster.break_image(namespace)


# --- one message, one answer ----------------------------------------------------------------------------------------------


async def test_one_message_tells_all_and_a_click_approves(opsmend: Opsmend, cluster: Cluster, team: Team) -> None:
    await broken(cluster, "clicked")
    incident = await opsmend.open("clicked")
    await opsmend.alert("clicked", name="KubeDeploymentRolloutStuck")
    asking = await opsmend.asking(incident)
    question = await team.question("clicked")
    text = text_of(question["blocks"])
    assert asking["plan"]["hash"][:12] in text
    assert all(evidence["id"] in text for evidence in asking["diagnosis"]["evidence"][:4])
    assert images_in(text) == [("-", BAD), ("+", GOOD)]
    assert "KubePodCrashLooping" in text
    assert "KubeDeploymentRolloutStuck" in text

    await team.slack.click(team.mia, team.channel.id, question, APPROVE)
    closed = await opsmend.closed(incident)
    assert closed["outcome"] == "remediated", closed["closing"]
    by = closed["approval"]["by"]
    assert (by["via"], by["id"], by["name"]) == ("slack", team.mia.id, "mia")
    last = await team.says("clicked", "remediated")
    assert (last["ts"], set(buttons(last))) == (question["ts"], {WRONG})
    assert await cluster.mutations("clicked") == [("patch", "deployments/web")]


async def test_a_rejection_is_given_with_its_reason(opsmend: Opsmend, cluster: Cluster, team: Team) -> None:
    await broken(cluster, "declined")
    incident = await opsmend.open("declined")
    question = await team.question("declined")
    await team.slack.click(team.mia, team.channel.id, question, REJECT)

    async def opened() -> OpenView | None:
        return next((view for view in team.slack.workspace.views.values() if view.user == team.mia.id), None)

    form_ = await eventually(opened, "the form for the reason")
    await team.slack.submit(form_, {"opsmend_reason": {"reason": "we roll forward at nine"}})
    closed = await opsmend.closed(incident)
    assert (closed["outcome"], closed["approval"]["reason"]) == ("escalated", "we roll forward at nine")
    await team.says("declined", "we roll forward at nine")
    assert await cluster.writes("declined") == []


@pytest.mark.safety
async def test_who_may_not_decide_is_told_so_and_nothing_happens(opsmend: Opsmend, cluster: Cluster, team: Team) -> None:
    await broken(cluster, "guarded")
    incident = await opsmend.open("guarded")
    question = await team.question("guarded")
    await team.slack.click(team.ben, team.channel.id, question, APPROVE)
    assert (await team.told(team.ben)).startswith("You may not decide this")
    still = await opsmend.incident(incident)
    assert (still["status"], still["approval"]) == ("awaiting_approval", None)

    where = team.slack.workspace.channel(team.channel.id)
    payload = block_actions(team.slack.workspace, team.mia, where, question, APPROVE, "http://127.0.0.1:9/response")
    body = form(payload)
    async with httpx.AsyncClient(trust_env=False) as http:
        forged = signed("a guessed secret", team.slack.workspace.clock(), body)
        old = signed(team.slack.workspace.signing_secret, team.slack.workspace.clock() - 600, body)
        for headers in (forged, old):
            assert (await http.post(f"{opsmend.url}{EVENTS}", content=body, headers=headers)).status_code == 401
    assert (await opsmend.incident(incident))["approval"] is None
    await opsmend.alert("guarded", status="resolved")
    assert (await opsmend.closed(incident))["outcome"] == "self_resolved"
    assert await cluster.writes("guarded") == []


@pytest.mark.safety
async def test_a_button_of_an_older_plan_decides_nothing(opsmend: Opsmend, cluster: Cluster, team: Team) -> None:
    await broken(cluster, "older")
    incident = await opsmend.open("older")
    first = await team.question("older")
    await cluster.patch_container("older", {"env": [{"name": "COLOUR", "value": "blue"}]})
    await team.slack.click(team.mia, team.channel.id, first, APPROVE)
    second = await team.question("older", other_than=buttons(first)[APPROVE])
    assert second["ts"] == first["ts"]

    heard = len([e for e in team.slack.workspace.ephemerals if e.user == team.mia.id])
    await team.slack.click(team.mia, team.channel.id, first, APPROVE)
    assert "stale" in await team.told(team.mia, heard)
    assert (await opsmend.incident(incident))["status"] == "awaiting_approval"
    assert await cluster.mutations("older") == []

    await team.slack.click(team.mia, team.channel.id, second, APPROVE)
    assert (await opsmend.closed(incident))["outcome"] == "remediated"
    await team.slack.click(team.mia, team.channel.id, second, APPROVE)
    assert "already decided" in await team.told(team.mia, heard + 1)


# --- steering -------------------------------------------------------------------------------------------------------------


async def test_a_person_takes_an_incident_over_and_marks_its_diagnosis_as_wrong(
    opsmend: Opsmend, cluster: Cluster, team: Team
) -> None:
    await broken(cluster, "steered")
    incident = await opsmend.open("steered")
    question = await team.question("steered")
    heard = {user.id: len([e for e in team.slack.workspace.ephemerals if e.user == user.id]) for user in (team.mia, team.ben)}
    await team.slack.click(team.ben, team.channel.id, question, TAKE_OVER)
    assert (await team.told(team.ben, heard[team.ben.id])).startswith("You may not do this")
    assert (await opsmend.incident(incident))["status"] == "awaiting_approval"

    await team.slack.click(team.mia, team.channel.id, question, TAKE_OVER)
    assert "opsmend stands back" in await team.told(team.mia, heard[team.mia.id])
    closed = await opsmend.closed(incident)
    assert (closed["outcome"], "mia (slack) took it over" in closed["closing"]) == ("escalated", True)
    assert await cluster.writes("steered") == []
    last = await team.says("steered", "mia (slack) took it over")
    assert set(buttons(last)) == {WRONG}
    await team.slack.click(team.mia, team.channel.id, question, TAKE_OVER)
    assert (await team.told(team.mia, heard[team.mia.id] + 1)).startswith("Nothing was done")
    await team.slack.click(team.mia, team.channel.id, last, WRONG)
    assert "marked as wrong" in await team.told(team.mia, heard[team.mia.id] + 2)


async def test_a_pause_by_slack_holds_for_everybody_until_slack_resumes(opsmend: Opsmend, team: Team) -> None:
    heard = {user.id: len([e for e in team.slack.workspace.ephemerals if e.user == user.id]) for user in (team.mia, team.ben)}
    await team.slack.command(team.ben, team.channel.id, "pause")
    assert (await team.told(team.ben, heard[team.ben.id])).startswith("You may not do this")
    assert await paused(opsmend) is None

    await team.slack.command(team.mia, team.channel.id, "pause database moves")
    assert "Changes are paused" in await team.told(team.mia, heard[team.mia.id])
    pause = await paused(opsmend)
    assert pause
    assert (pause["by"], pause["reason"]) == ("mia (slack)", "database moves")
    await team.slack.command(team.mia, team.channel.id, "resume")
    assert "Changes are allowed" in await team.told(team.mia, heard[team.mia.id] + 1)
    assert await paused(opsmend) is None

    async def both() -> list[str] | None:
        said = [m["text"] for m in team.slack.workspace.messages(team.channel.id) if "hanges are" in m["text"]]
        return said if len(said) > 1 else None

    begun, ended = await eventually(both, "the pause and its end in the channel")
    assert "paused by @mia: database moves." in begun
    assert "@mia resumed them" in ended


async def paused(opsmend: Opsmend) -> dict[str, str] | None:
    """The pause as everybody sees it over HTTP."""
    async with opsmend.client() as http:
        answer = await http.get("/v1/changes")
    found: dict[str, str] | None = answer.raise_for_status().json()["paused"]
    return found


# --- secrets --------------------------------------------------------------------------------------------------------------

SECRETS: Final = {
    "password in a URL of the log": "Tr0ub4dor-and-3",
    "token in the log": "ghp_" + "x7Kq2mV9sLw4RtY8bNc3ZpQ6jHd1FgA5uE0o",
    "bearer token in the log": "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJvcHMifQ.c2lnbmF0dXJlLW9mLXRoZS10b2tlbg",
    "variable of the old revision": "correct-horse-battery",
    "variable of the new revision": "staple-correct-horse",
    "password in the alert": "hunter2hunter2",
}
LOG: Final = (
    f"FATAL: cannot connect to postgres://app:{SECRETS['password in a URL of the log']}@db.shop:5432/app",
    f"fetch failed with token={SECRETS['token in the log']}",
    f"Authorization: Bearer {SECRETS['bearer token in the log']}",
    "panic: giving up",
)


@pytest.mark.safety
async def test_a_secret_appears_nowhere(opsmend: Opsmend, cluster: Cluster, team: Team) -> None:
    old, new = SECRETS["variable of the old revision"], SECRETS["variable of the new revision"]
    await cluster.deploy("leaky", env=[{"name": "DB_PASSWORD", "value": old}])
    crash = {"effect": "exits", "code": 1, "log": list(LOG)}
    await cluster.add_rule({"name": "leaky", "when": {"namespace": "^leaky$", "image": ":2.0"}, "then": crash})
    await cluster.patch_container(
        "leaky", {"image": "registry.example/app:2.0", "env": [{"name": "DB_PASSWORD", "value": new}]}
    )
    await cluster.until_failing("leaky")

    telling = {
        "name": "WebIsDown",
        "status": "firing",
        "labels": {"namespace": "leaky", "deployment": "web"},
        "annotations": {"summary": f"login failed, password={SECRETS['password in the alert']}"},
    }
    (touched,) = await opsmend.post("generic", telling)
    incident = touched["id"]
    asking = await opsmend.approve(incident)
    assert "[redacted:" in json.dumps(asking["diagnosis"]), "the log is not among the evidence, so nothing was proven"
    assert "[redacted:" in asking["plan"]["actions"][0]["diff"]
    assert "[redacted:" in json.dumps(asking["alerts"])
    closed = await opsmend.closed(incident)
    assert closed["outcome"] == "remediated", closed["closing"]
    await team.says("leaky", "remediated")
    live = await cluster.deployment("leaky")
    assert live["spec"]["template"]["spec"]["containers"][0]["env"] == [{"name": "DB_PASSWORD", "value": old}]

    async def remembered() -> dict[str, str] | None:
        kept = await asyncio.to_thread(rows_of_milvus, opsmend)
        return {"rows of Milvus": kept} if closed["run_id"] in kept else None

    explained = await opsmend.run("explain", incident)
    assert explained.code == 0
    told = {
        "the incident": json.dumps(await opsmend.incident(incident)),
        "Slack": json.dumps([team.slack.workspace.messages(team.channel.id), team.slack.server.calls], default=str),
        "the explanation": explained.out,
        "histories of Temporal": await histories(opsmend),
        **await eventually(remembered, "the post-mortem in Milvus"),
        **dict(files(opsmend.folder)),
    }
    assert {"temporal.db", "worker.log"} <= {Path(name).name for name in told}
    assert any("artifacts" in name for name in told)
    found = [(where, what, around(secret, text)) for where, text in told.items() for what, secret in SECRETS.items()]
    assert [leak for leak in found if leak[2]] == []


def around(secret: str, text: str) -> str:
    """What stands about the first place where `text` has the secret; empty where it has not."""
    where = text.find(secret)
    return "" if where < 0 else text[max(where - 200, 0) : where + len(secret)]


async def histories(opsmend: Opsmend) -> str:
    """Every event of every run of every workflow, payloads included."""
    command = opsmend.tree()["temporal"].cmdline()
    client = await Client.connect(f"127.0.0.1:{command[command.index('--port') + 1]}")
    found: list[str] = []
    async for run in client.list_workflows():
        history = await client.get_workflow_handle(run.id, run_id=run.run_id).fetch_history()
        found += [event.SerializeToString().decode("latin-1") for event in history.events]
    assert any("leaky" in event for event in found)
    return "\n".join(found)


def rows_of_milvus(opsmend: Opsmend) -> str:
    command = opsmend.tree()["milvus"].cmdline()
    client = MilvusClient(f"http://127.0.0.1:{command[command.index('--port') + 1]}", timeout=10)
    try:
        (name,) = client.list_collections()
        return json.dumps(client.query(name, filter="run_id != ''", output_fields=["*"]), default=str)
    finally:
        client.close()


def files(folder: Path) -> Iterator[tuple[str, str]]:
    """Everything that opsmend has written: databases, artifacts, logs."""
    for path in folder.rglob("*"):
        if path.is_file():
            yield str(path.relative_to(folder)), path.read_bytes().decode("latin-1")
