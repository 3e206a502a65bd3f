"""The API process: HTTP in, Temporal behind it, Slack's buttons and commands where Slack is configured."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress

import uvicorn
from fastapi import FastAPI
from temporalio.service import RPCError

from opsmend.adapters.slack.chat import slack_chat
from opsmend.adapters.slack.inbound import EVENTS_PATH, SlackRequests, build_slack_app, socket_mode
from opsmend.adapters.temporal.change_control import TemporalChangeControl
from opsmend.adapters.temporal.connection import connect
from opsmend.adapters.temporal.workers import TemporalWorkers
from opsmend.adapters.terminal.chat import TerminalChat
from opsmend.api.app import create_app
from opsmend.api.connections import BoundedHttp
from opsmend.api.signed_route import signed_router
from opsmend.api.worker_watch import WorkerWatch
from opsmend.domain.ports.chat import Announcer
from opsmend.errors import SettingsError
from opsmend.settings import Settings
from opsmend.telemetry import ApiMetrics
from opsmend.worker import desk_for, steering_for


async def serve_api(settings: Settings, host: str, port: int) -> None:
    """Serve until SIGTERM or SIGINT. Starts (and answers 503) even while Temporal is away.

    Raises:
        SettingsError: no API token is set.
    """
    if settings.api_token is None or settings.operator_token is None:
        raise SettingsError("OPSMEND_API_TOKEN (webhooks) and OPSMEND_OPERATOR_TOKEN (decisions) must be set")
    address = settings.temporal_address or "127.0.0.1:7233"
    client = await connect(address, settings.temporal_namespace, lazy=True)
    desk = desk_for(settings, client)
    control = TemporalChangeControl(client, settings.kubernetes.name)

    async def temporal_answers() -> bool:
        try:
            return await client.service_client.check_health(timeout=settings.temporal.rpc_timeout)
        except RPCError:
            return False

    steering = steering_for(settings, client)
    slack = build_slack_app(settings.slack, desk, steering, control) if settings.slack.bot_token else None
    metrics = ApiMetrics()
    watch = WorkerWatch(TemporalWorkers(client, settings.temporal.rpc_timeout), _announcer(settings), metrics)
    async with AsyncExitStack() as stack:
        routers = []
        if slack and settings.slack.app_token:
            await stack.enter_async_context(socket_mode(slack, settings.slack.app_token))
        elif slack:
            routers.append(signed_router(EVENTS_PATH, SlackRequests(settings.slack, slack)))
        await stack.enter_async_context(_watching(watch))
        app = create_app(
            settings,
            desk,
            control,
            steering,
            routers=routers,
            ready=temporal_answers,
            metrics=metrics,
            watch=watch,
        )
        await uvicorn.Server(http_config(app, host, port)).serve()


def http_config(app: FastAPI, host: str, port: int) -> uvicorn.Config:
    """How the API is served, in tests as well."""
    return uvicorn.Config(app, host=host, port=port, http=BoundedHttp, ws="none", log_config=None, access_log=False)


def _announcer(settings: Settings) -> Announcer:
    return slack_chat(settings.slack) if settings.slack.bot_token and settings.slack.channel else TerminalChat()


@asynccontextmanager
async def _watching(watch: WorkerWatch) -> AsyncIterator[None]:
    task = asyncio.create_task(watch.keep_watching())
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
