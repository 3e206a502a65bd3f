"""What `opsmend doctor` finds, and what it tells a person to do."""

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import respx

from opsmend.console.connection import Connection, write_connection
from opsmend.doctor import checks
from opsmend.doctor.checks import CHECKS
from opsmend.doctor.examination import Check, Health, NotSetUp, examine
from opsmend.errors import OpsmendError, SettingsError
from opsmend.settings import Settings


def settings(**changes: Any) -> Settings:
    return Settings(**changes)


async def fine(_: Settings) -> str:
    return "All is well."


async def absent(_: Settings) -> str:
    raise NotSetUp("X is used instead.")


async def broken(_: Settings) -> str:
    raise SettingsError("OPSMEND_X is wrong.")


async def silent(_: Settings) -> str:
    await asyncio.Event().wait()
    return ""


async def buggy(_: Settings) -> str:
    raise KeyError("oops")


@pytest.mark.parametrize(
    ("check", "health", "detail", "remedy"),
    [
        pytest.param(Check("x", fine, "fix it"), Health.OK, "All is well.", "", id="well"),
        pytest.param(Check("x", absent, "fix it"), Health.NOT_SET_UP, "X is used instead.", "", id="not set up"),
        pytest.param(Check("x", broken, "fix it"), Health.FAILED, "OPSMEND_X is wrong.", "fix it", id="broken"),
        pytest.param(
            Check("x", broken, "fix it", required=False), Health.WARNING, "OPSMEND_X is wrong.", "fix it", id="broken, optional"
        ),
        pytest.param(Check("x", silent, "fix it"), Health.FAILED, "No answer within 0.05 s.", "fix it", id="silent"),
        pytest.param(Check("x", buggy, "fix it"), Health.FAILED, "KeyError: 'oops'", "fix it", id="unforeseen"),
    ],
)
async def test_every_check_ends_in_a_finding(check: Check, health: Health, detail: str, remedy: str) -> None:
    (finding,) = await examine(settings(), [check], timedelta(seconds=0.05))
    assert (finding.health, finding.detail, finding.remedy) == (health, detail, remedy)


async def test_checks_run_side_by_side_and_are_reported_in_their_order() -> None:
    met = asyncio.Barrier(3)

    async def waits_for_the_others(_: Settings) -> str:
        await met.wait()
        return "met"

    found = await examine(settings(), [Check(name, waits_for_the_others, "") for name in "abc"], timedelta(seconds=5))
    assert [(finding.name, finding.detail) for finding in found] == [("a", "met"), ("b", "met"), ("c", "met")]


async def test_latency_is_measured() -> None:
    (finding,) = await examine(settings(), [Check("x", silent, "")], timedelta(seconds=0.05))
    assert timedelta(seconds=0.05) <= finding.latency < timedelta(seconds=5)


def test_every_check_says_what_to_do() -> None:
    assert all(check.remedy.endswith(".") for check in CHECKS)
    assert len({check.name for check in CHECKS}) == len(CHECKS)


LONG = "a-long-enough-token-1"


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        pytest.param({"api_token": LONG}, "Only one", id="one alone"),
        pytest.param({"api_token": LONG, "operator_token": "short"}, "fewer than 16", id="short"),
    ],
)
async def test_weak_tokens_are_named(given: dict[str, str], complaint: str) -> None:
    with pytest.raises(SettingsError, match=complaint):
        await checks.tokens(settings(**given))


async def test_good_tokens_are_not_shown() -> None:
    assert LONG not in await checks.tokens(settings(api_token=LONG, operator_token=LONG[::-1]))


async def test_data_directory_is_made_and_written_to(tmp_path: Path) -> None:
    assert "can be written" in await checks.data_directory(settings(data_dir=tmp_path / "new"))
    assert list((tmp_path / "new").iterdir()) == []


async def test_data_directory_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(SettingsError, match=f"{tmp_path}/file/data cannot be written"):
        await checks.data_directory(settings(data_dir=tmp_path / "file" / "data"))


async def test_shipped_policies_load() -> None:
    assert "ask-for-everything" in await checks.policies(settings())


def watching(*namespaces: str) -> Settings:
    return settings(last_good={"namespaces": namespaces})


async def test_it_is_said_when_no_configuration_is_kept() -> None:
    with pytest.raises(NotSetUp, match="OPSMEND_LAST_GOOD__NAMESPACES names none"):
        await checks.last_good(settings())


async def test_watched_namespaces_are_listed() -> None:
    assert await checks.last_good(watching("shop", "pay")) == "shop, pay: looked at every 300 s."


async def test_a_protected_namespace_among_the_watched_is_named() -> None:
    with pytest.raises(SettingsError, match="restore nothing in kube-system: never looked at"):
        await checks.last_good(watching("shop", "kube-system"))


async def test_broken_policy_is_named(tmp_path: Path) -> None:
    (tmp_path / "mine.cedar").write_text("permit(")
    with pytest.raises(SettingsError, match=r"mine\.cedar"):
        await checks.policies(settings(policy={"directory": tmp_path}))


@pytest.mark.parametrize("check", [checks.temporal, checks.prometheus, checks.slack])
async def test_part_that_is_not_set_up_is_no_failure(check: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TEMPORAL_ADDRESS", raising=False)
    with pytest.raises(NotSetUp, match="is not set"):
        await check(settings())


async def test_no_pager_is_no_failure_and_half_a_pager_is_one() -> None:
    with pytest.raises(NotSetUp, match="while Slack is away nobody is called"):
        await checks.pager(settings())
    with pytest.raises(SettingsError, match="OPSMEND_PAGER__SMTP__RECIPIENTS"):
        await checks.pager(settings(pager={"smtp": {"host": "mail"}}))


async def test_opsmend_that_never_ran_here_is_no_failure(tmp_path: Path) -> None:
    with pytest.raises(NotSetUp):
        await checks.running_api(settings(data_dir=tmp_path))


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        pytest.param(httpx.Response(200), None, id="ready"),
        pytest.param(httpx.Response(503), "is not ready", id="not ready"),
        pytest.param(httpx.ConnectError("refused"), "does not answer", id="ended"),
    ],
)
@respx.mock
async def test_running_opsmend_is_asked_whether_it_takes_alerts(tmp_path: Path, answer: Any, said: str | None) -> None:
    write_connection(tmp_path, Connection(api="http://127.0.0.1:9"))
    respx.get("http://127.0.0.1:9/readyz").mock(side_effect=[answer])
    if said is None:
        assert "takes alerts" in await checks.running_api(settings(data_dir=tmp_path))
        return
    with pytest.raises(OpsmendError, match=said):
        await checks.running_api(settings(data_dir=tmp_path))


@respx.mock
async def test_prometheus_that_answers_is_well() -> None:
    vector = {"status": "success", "data": {"resultType": "vector", "result": [{"metric": {}, "value": [1.0, "3"]}]}}
    respx.get("http://prom.test/api/v1/query").respond(json=vector)
    assert "3 alerts" in await checks.prometheus(settings(prometheus_url="http://prom.test/"))


@pytest.mark.parametrize(
    ("answer", "complaint"),
    [
        pytest.param({"status_code": 503}, "503", id="unavailable"),
        pytest.param({"text": "<html>"}, "not the API of Prometheus", id="another service"),
        pytest.param({"json": {"data": {"result": []}}}, "not the API of Prometheus", id="another shape"),
        pytest.param(httpx.ConnectError("refused"), "refused", id="nobody there"),
    ],
)
@respx.mock
async def test_prometheus_that_does_not_work_is_told(answer: Any, complaint: str) -> None:
    route = respx.get("http://prom.test/api/v1/query")
    if isinstance(answer, Exception):
        route.mock(side_effect=answer)
    else:
        route.respond(**answer)
    with pytest.raises(OpsmendError, match=complaint):
        await checks.prometheus(settings(prometheus_url="http://prom.test"))


async def test_slack_that_nobody_could_answer_in_is_told() -> None:
    with pytest.raises(SettingsError, match="OPSMEND_SLACK__SIGNING_SECRET"):
        await checks.slack(settings(slack={"bot_token": "xoxb-1", "channel": "#ops"}))
