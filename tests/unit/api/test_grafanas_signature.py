"""Where Grafana's contact point has an HMAC secret, its webhooks must carry the signature, beside the token."""

import hashlib
import hmac
import time
from pathlib import Path
from typing import Final

import httpx
import pytest
from pydantic import SecretStr
from tests.desk_in_memory import DeskInMemory
from tests.unit.api.api_client import API_TOKEN, a_client, an_app

from opsmend.settings import IntakeSettings

SECRET: Final = "grafana-secret"
BODY: Final = (Path(__file__).parents[2] / "contract/alerts/grafana/firing.json").read_bytes()


def signature(secret: str = SECRET, body: bytes = BODY, timestamp: str = "") -> dict[str, str]:
    signed = timestamp.encode() + b":" + body if timestamp else body
    headers = {"X-Grafana-Alerting-Signature": hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()}
    return headers | ({"X-Grafana-Alerting-Timestamp": timestamp} if timestamp else {})


async def posted(headers: dict[str, str], source: str = "grafana", secret: str | None = SECRET) -> httpx.Response:
    desk = DeskInMemory()
    intake = IntakeSettings(grafana_secret=SecretStr(secret) if secret else None)
    async with a_client(desk, token=API_TOKEN, app=an_app(desk, intake=intake)) as client:
        answer = await client.post(f"/v1/alerts/{source}", content=BODY, headers={"Content-Type": "application/json"} | headers)
    assert bool(desk.submitted) is (answer.status_code == 202)
    return answer


def now(offset: int = 0) -> str:
    return str(int(time.time()) + offset)


async def test_a_signed_body_is_taken_with_and_without_a_timestamp() -> None:
    assert (await posted(signature())).status_code == 202
    assert (await posted(signature(timestamp=now()))).status_code == 202


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({}, id="none"),
        pytest.param(signature("another"), id="another secret"),
        pytest.param(signature(body=BODY + b" "), id="another body"),
        pytest.param(signature() | {"X-Grafana-Alerting-Timestamp": now()}, id="a timestamp that was not signed"),
        pytest.param(signature(timestamp=now(-4000)), id="an old one"),
        pytest.param(signature(timestamp=now(4000)), id="one to come"),
        pytest.param(signature(timestamp="soon"), id="no timestamp"),
        pytest.param({"X-Grafana-Alerting-Signature": ""}, id="empty"),
    ],
)
async def test_what_is_not_signed_right_is_401_although_the_token_is(headers: dict[str, str]) -> None:
    answer = await posted(headers)
    assert (answer.status_code, answer.json()["error"]["type"]) == (401, "unauthorized")


async def test_without_a_secret_no_signature_is_asked_for() -> None:
    assert (await posted({}, secret=None)).status_code == 202
