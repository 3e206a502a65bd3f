"""The Web API client, and what its failures mean to us."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Final
from urllib.parse import urlsplit
from urllib.request import proxy_bypass

import aiohttp
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from opsmend.errors import ChatRejectedError, ChatUnavailableError, SettingsError, bounded
from opsmend.settings import SlackSettings

CALL_TIMEOUT: Final = timedelta(seconds=10)
"""Slack answers chat methods in well under a second; ten leave room for a bad network and still fit an activity."""

_TEMPORARY: Final = frozenset(
    {
        "external_channel_migrating",
        "fatal_error",
        "internal_error",
        "org_login_required",
        "rate_limited",
        "ratelimited",
        "request_timeout",
        "service_unavailable",
        "team_added_to_org",
    }
)
"""Error codes that Slack's reference describes as passing (https://docs.slack.dev/reference/methods/chat.postMessage#errors)."""


def slack_client(settings: SlackSettings) -> AsyncWebClient:
    """A client that never repeats a call by itself: after a lost answer the caller must look before it posts again.

    Raises:
        SettingsError: there is no bot token.
    """
    if settings.bot_token is None:
        raise SettingsError("OPSMEND_SLACK__BOT_TOKEN is not set (the token that begins with xoxb-).")
    client = AsyncWebClient(
        token=settings.bot_token.get_secret_value(),
        base_url=settings.api_url,
        timeout=int(CALL_TIMEOUT.total_seconds()),
        retry_handlers=[],
    )
    if proxy_bypass(urlsplit(settings.api_url).hostname or ""):
        # slack_sdk takes HTTPS_PROXY from the environment but does not know NO_PROXY.
        client.proxy = None
    return client


def error_code(error: SlackApiError) -> str:
    """Slack's own name of the failure, e.g. `channel_not_found`; empty when the answer was not Slack's JSON."""
    response = error.response
    if isinstance(response, AsyncSlackResponse) and isinstance(response.data, dict):
        return str(response.data.get("error", ""))
    return ""


@contextmanager
def slack_call(method: str) -> Iterator[None]:
    """Translate what goes wrong inside.

    Raises:
        ChatUnavailableError: no answer, 5xx, or told to slow down; `retry_after` as Slack asked.
        ChatRejectedError: anything that the same call will meet again (credential, scope, channel, message).
    """
    try:
        yield
    except SlackApiError as e:
        raise _translated(method, e) from e
    except (aiohttp.ClientError, TimeoutError) as e:
        raise ChatUnavailableError(f"Slack {method}: {type(e).__name__} {bounded(str(e))}") from e
    except SlackClientError as e:
        raise ChatRejectedError(f"Slack {method}: {bounded(str(e))}") from e


def _translated(method: str, error: SlackApiError) -> ChatUnavailableError | ChatRejectedError:
    response = error.response
    if not isinstance(response, AsyncSlackResponse):
        return ChatUnavailableError(f"Slack {method}: the answer was no JSON")
    code = error_code(error)
    if response.status_code == 429 or response.status_code >= 500 or code in _TEMPORARY:
        return ChatUnavailableError(f"Slack {method}: {response.status_code} {bounded(code)}".rstrip(), _retry_after(response))
    return ChatRejectedError(f"Slack {method}: {bounded(code or f'status {response.status_code}')}{_missing_scope(response)}")


def _retry_after(response: AsyncSlackResponse) -> timedelta | None:
    seconds = str(response.headers.get("Retry-After", ""))
    return timedelta(seconds=int(seconds)) if seconds.isdecimal() else None


def _missing_scope(response: AsyncSlackResponse) -> str:
    needed = response.data.get("needed") if isinstance(response.data, dict) else None
    return f" (needs scope {bounded(str(needed))})" if needed else ""
