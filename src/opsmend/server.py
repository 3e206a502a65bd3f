"""The API process: HTTP in, Temporal behind it, Slack's buttons where Slack is configured."""

from contextlib import AsyncExitStack

import uvicorn
from temporalio.service import RPCError

from opsmend.adapters.slack.inbound import build_slack_app, slack_router, socket_mode
from opsmend.adapters.temporal.connection import connect
from opsmend.api.app import create_app
from opsmend.errors import SettingsError
from opsmend.settings import Settings
from opsmend.worker import desk_for


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

    async def temporal_answers() -> bool:
        try:
            return await client.service_client.check_health(timeout=settings.temporal.rpc_timeout)
        except RPCError:
            return False

    slack = build_slack_app(settings.slack, desk) if settings.slack.bot_token else None
    async with AsyncExitStack() as stack:
        routers = []
        if slack and settings.slack.app_token:
            await stack.enter_async_context(socket_mode(slack, settings.slack.app_token))
        elif slack:
            routers.append(slack_router(slack))
        app = create_app(settings, desk, routers=routers, ready=temporal_answers)
        server = uvicorn.Server(uvicorn.Config(app, host=host, port=port, log_config=None, access_log=False))
        await server.serve()
