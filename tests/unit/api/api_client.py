"""The API in this process, without a socket."""

from functools import cache
from typing import Any, Final
from unittest.mock import patch

import httpx
from fastapi import APIRouter, FastAPI
from fastapi.utils import create_model_field
from tests.change_control_in_memory import ChangeControlInMemory
from tests.desk_in_memory import DeskInMemory
from tests.steering_in_memory import SteeringInMemory

from opsmend.api.app import create_app
from opsmend.settings import Settings
from opsmend.telemetry import ApiMetrics

API_TOKEN = "intake-token-for-tests"
OPERATOR_TOKEN = "operator-token-for-tests"
SENDER = {"Authorization": f"Bearer {API_TOKEN}"}
OPERATOR = {"Authorization": f"Bearer {OPERATOR_TOKEN}"}

DESCRIBED_ONCE: Final = cache(create_model_field)
"""Hundreds of tests make an API of their own. FastAPI would build the schema of each answer anew: 80 ms of CPU an API."""


async def temporal_answers() -> bool:
    return True


def some_settings(**changes: Any) -> Settings:
    return Settings(**({"api_token": API_TOKEN, "operator_token": OPERATOR_TOKEN} | changes))


def an_app(desk: DeskInMemory, *routers: APIRouter, metrics: ApiMetrics | None = None, **changes: Any) -> FastAPI:
    ready, watch = changes.pop("ready", temporal_answers), changes.pop("watch", None)
    control = changes.pop("control", None) or ChangeControlInMemory()
    steering = changes.pop("steering", None) or SteeringInMemory()
    with patch("fastapi.routing.create_model_field", DESCRIBED_ONCE):
        return create_app(some_settings(**changes), desk, control, steering, routers, ready=ready, metrics=metrics, watch=watch)


def a_client(desk: DeskInMemory, *, token: str | None = OPERATOR_TOKEN, app: FastAPI | None = None) -> httpx.AsyncClient:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    transport = httpx.ASGITransport(app or an_app(desk), raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url="http://opsmend.test", headers=headers)
