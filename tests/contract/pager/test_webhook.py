"""What a receiver of webhooks gets: the body that deploy/pager describes, signed."""

import asyncio
import itertools
import json
import re
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import httpx
import pytest
from pydantic import SecretStr
from standardwebhooks.webhooks import Webhook
from tests.contract.pager.conftest import WebhookSide, a_page, an_end

from opsmend.adapters.pager.pagers import pager_of
from opsmend.domain.ports.pager import Pager
from opsmend.errors import PagerRejectedError, PagerUnavailableError
from opsmend.settings import PagerSettings

README: Final = Path(__file__).parents[3] / "deploy/pager/README.md"


@pytest.fixture
def pager(webhook: WebhookSide, stack: AsyncExitStack) -> Pager:
    return pager_of(webhook.settings, stack)


async def test_each_try_has_the_same_id_and_each_event_another(pager: Pager, webhook: WebhookSide) -> None:
    for page in (a_page(), a_page(), a_page(key="undo_failed-2"), a_page(run_id="run-2")):
        await pager.trigger(page)
    await pager.resolve(an_end())
    ids = [delivery.id for delivery in webhook.receiver.deliveries]
    assert ids[0] == ids[1]
    assert len(set(ids)) == 4


async def test_the_body_is_as_documented(pager: Pager, webhook: WebhookSide) -> None:
    await pager.trigger(a_page())
    await pager.resolve(an_end())
    trigger, resolve = webhook.receiver.events.values()
    examples = [json.loads(block) for block in re.findall(r"```json\n(.*?)```", README.read_text(), re.DOTALL)]
    assert [_shape(example) for example in examples] == [_shape(trigger), _shape(resolve)]


def _shape(value: Any) -> Any:
    """Names and types."""
    if isinstance(value, dict):
        return {name: _shape(item) for name, item in value.items()}
    return [_shape(value[0])] if isinstance(value, list) else type(value)


@pytest.mark.parametrize("status", [200, 201, 202, 204])
async def test_any_answer_that_means_yes_is_taken(pager: Pager, webhook: WebhookSide, status: int) -> None:
    webhook.receiver.answers_with = status
    assert (await pager.trigger(a_page())).by == ("webhook",)


@pytest.mark.parametrize("status", [301, 302, 307, 400, 401, 404, 410])
async def test_any_other_is_rejected_and_a_page_goes_nowhere_else(pager: Pager, webhook: WebhookSide, status: int) -> None:
    webhook.receiver.answers_with = status
    with pytest.raises(PagerRejectedError, match=str(status)):
        await pager.trigger(a_page())
    assert len(webhook.receiver.deliveries) == 1


async def test_a_receiver_that_drips_is_left_in_time(webhook: WebhookSide, stack: AsyncExitStack) -> None:
    async def drip(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for character in itertools.cycle("HTTP/1.1 200 OK\r\nX-A: "):
            writer.write(character.encode())
            await asyncio.sleep(0.1)

    server = await asyncio.start_server(drip, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    dripping = webhook.settings.webhook.model_copy(update={"url": SecretStr(f"http://127.0.0.1:{port}/")})
    settings = PagerSettings(webhook=dripping, timeout=timedelta(seconds=1))
    async with server, asyncio.timeout(30):
        with pytest.raises(PagerUnavailableError):
            await pager_of(settings, stack).trigger(a_page())


# --- the receiver ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"webhook-signature": "v1,AAAA"}, id="wrong signature"),
        pytest.param({"webhook-signature": ""}, id="no signature"),
        pytest.param({"webhook-id": "another"}, id="another id"),
        pytest.param({"webhook-timestamp": "1700000000"}, id="old"),
        pytest.param({"webhook-timestamp": "soon"}, id="no time"),
    ],
)
async def test_the_receiver_refuses_what_is_not_signed_for_it(webhook: WebhookSide, changes: dict[str, str]) -> None:
    now, body = datetime.now(UTC), json.dumps({"event": "trigger"})
    headers = {
        "content-type": "application/json",
        "webhook-id": "one",
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": Webhook(webhook.receiver.secret).sign("one", now, body),
    }
    async with httpx.AsyncClient(trust_env=False) as client:
        genuine = await client.post(webhook.server.url, content=body, headers=headers)
        forged = await client.post(webhook.server.url, content=body, headers=headers | changes)
        altered = await client.post(webhook.server.url, content=body.replace("trigger", "resolve"), headers=headers)
    assert (genuine.status_code, forged.status_code, altered.status_code) == (204, 401, 401)
    assert len(webhook.receiver.deliveries) == 1
