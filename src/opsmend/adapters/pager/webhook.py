"""Any system that takes a signed POST, as https://www.standardwebhooks.com has it. deploy/pager describes the body."""

import json
from datetime import UTC, datetime
from typing import Final

from pydantic import SecretStr
from standardwebhooks.webhooks import Webhook

from opsmend.adapters.pager.http import OtherSide
from opsmend.domain.ports.pager import Page, Paged, PageOver
from opsmend.domain.record import digest

NAME: Final = "webhook"


class WebhookPager:
    """`webhook-id` is the same for each try of one event, so that a receiver can tell a repetition."""

    def __init__(self, receiver: OtherSide, url: SecretStr, secret: SecretStr) -> None:
        self._receiver = receiver
        self._url = url
        self._signer = Webhook(secret.get_secret_value())

    async def trigger(self, page: Page) -> Paged:
        return await self._post("trigger", page, page.key)

    async def resolve(self, over: PageOver) -> Paged:
        return await self._post("resolve", over)

    async def check(self) -> str:
        """A receiver that knows no checks might page for any POST, so it is only seen to answer."""
        answer = await self._receiver.ask("HEAD", self._url.get_secret_value())
        return f"The webhook's server answers ({answer.status} to HEAD); only a page tries the secret."

    async def _post(self, event: str, content: Page | PageOver, *key: str) -> Paged:
        body = json.dumps({"event": event} | content.model_dump(mode="json"))
        identity = digest([event, content.incident_id, content.run_id, *key])
        now = datetime.now(UTC)
        headers = {
            "Content-Type": "application/json",
            "webhook-id": identity,
            "webhook-timestamp": f"{int(now.timestamp())}",
            "webhook-signature": self._signer.sign(identity, now, body),
        }
        answer = await self._receiver.ask("POST", self._url.get_secret_value(), body.encode(), headers)
        if not 200 <= answer.status < 300:
            raise self._receiver.refusal(answer)
        return Paged(by=(NAME,))
