"""What `up` cannot do without and does not start itself: asked before anything is started, and answered within seconds."""

import asyncio
from contextlib import AsyncExitStack
from datetime import timedelta
from importlib.util import find_spec
from typing import Final

from opsmend.adapters.kubernetes.access import ping
from opsmend.adapters.kubernetes.connection import connect_cluster
from opsmend.adapters.temporal.connection import connect
from opsmend.embedded.temporal_server import temporal_binary
from opsmend.errors import ClusterCredentialError, ClusterUnavailableError, OpsmendError, SettingsError
from opsmend.policy.engine import CedarJudge
from opsmend.settings import KubernetesSettings, Settings

_PATIENCE: Final = timedelta(seconds=5)
"""For an answer. A credential plugin of a cloud may take two or three of them."""


async def require_what_we_lean_on(settings: Settings) -> None:
    """Raises OpsmendError, one sentence, when the policies, the cluster or a Temporal of yours cannot be worked with, or when
    nobody could answer in Slack."""
    if settings.slack.bot_token and not (settings.slack.signing_secret or settings.slack.app_token):
        raise SettingsError(
            "OPSMEND_SLACK__BOT_TOKEN is set, and nobody could answer in Slack: set OPSMEND_SLACK__SIGNING_SECRET (HTTP) or "
            "OPSMEND_SLACK__APP_TOKEN (Socket Mode) as well."
        )
    _require_parts(settings)
    CedarJudge(settings.policy.directory)
    results = await asyncio.gather(_cluster(settings.kubernetes), _temporal(settings), return_exceptions=True)
    for wrong in results:
        if isinstance(wrong, BaseException):
            raise wrong


def _require_parts(settings: Settings) -> None:
    """Temporal and Milvus come with opsmend[up]. Production uses those of yours."""
    own = {"TEMPORAL_ADDRESS": settings.temporal_address, "OPSMEND_MILVUS__URI": settings.milvus.uri}
    there = {"TEMPORAL_ADDRESS": temporal_binary().exists(), "OPSMEND_MILVUS__URI": find_spec("milvus_lite") is not None}
    missing = [name for name in own if not (own[name] or there[name])]
    if missing:
        raise SettingsError(
            f"opsmend up starts what {' and '.join(missing)} could name, and that is not installed. "
            f"Install opsmend[up], or set {' and '.join(missing)}."
        )


async def _cluster(settings: KubernetesSettings) -> None:
    async with AsyncExitStack() as stack:
        connection = await connect_cluster(settings, stack)
        where = f"The cluster of KUBECONFIG ({connection.server})"
        try:
            async with asyncio.timeout(_PATIENCE.total_seconds()):
                await ping(connection)
        except TimeoutError as e:
            raise ClusterUnavailableError(f"{where} did not answer within {_PATIENCE.total_seconds():.0f} s.") from e
        except ClusterCredentialError as e:
            raise ClusterCredentialError(f"{where} does not take your credential (HTTP 401). Sign in to it again.") from e
        except OpsmendError as e:
            raise type(e)(f"{where} cannot be asked: {e}.") from e


async def _temporal(settings: Settings) -> None:
    if settings.temporal_address:
        await connect(settings.temporal_address, settings.temporal_namespace)
