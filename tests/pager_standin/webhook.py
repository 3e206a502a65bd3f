"""A receiver of webhooks that checks what https://www.standardwebhooks.com tells receivers to check, by hand."""

import base64
import hashlib
import hmac
import json
import secrets
import time
from dataclasses import dataclass
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from tests.pager_standin.http import FaultyServer

_TOLERANCE: Final = 5 * 60
"""Seconds by which a timestamp may be off: an older request may be a replay."""


@dataclass(frozen=True)
class Delivery:
    id: str
    body: dict[str, Any]


class WebhookReceiver:
    """`deliveries` has each POST whose signature is right, repetitions included."""

    def __init__(self) -> None:
        self._key = secrets.token_bytes(32)
        self.secret = f"whsec_{base64.b64encode(self._key).decode()}"
        self.deliveries: list[Delivery] = []
        self.answers_with = 204
        """To what is signed as it should be; a redirect leads back here."""
        self.server = FaultyServer(f"/hooks/{secrets.token_hex(16)}", self._receive)

    @property
    def events(self) -> dict[str, dict[str, Any]]:
        """What was told, once each: by id, in the order in which it first came."""
        return {delivery.id: delivery.body for delivery in self.deliveries}

    async def _receive(self, request: Request) -> Response:
        body = await request.body()
        if complaint := self._complaint(request, body):
            return PlainTextResponse(complaint, 401)
        self.deliveries.append(Delivery(request.headers["webhook-id"], json.loads(body)))
        return Response(status_code=self.answers_with, headers={"Location": self.server.url})

    def _complaint(self, request: Request, body: bytes) -> str:
        identity, moment = request.headers.get("webhook-id", ""), request.headers.get("webhook-timestamp", "")
        if not identity or "." in identity or not moment.isdecimal():
            return "webhook-id or webhook-timestamp is missing or malformed"
        if abs(time.time() - int(moment)) > _TOLERANCE:
            return "the timestamp is too old or too new"
        signed = hmac.new(self._key, f"{identity}.{moment}.".encode() + body, hashlib.sha256).digest()
        expected = f"v1,{base64.b64encode(signed).decode()}"
        if not any(hmac.compare_digest(expected, given) for given in request.headers.get("webhook-signature", "").split()):
            return "no signature fits"
        return "" if "json" in request.headers.get("content-type", "") else "the body must be JSON"
