"""The pagers that the settings ask for."""

import base64
import binascii
from collections.abc import Iterator
from contextlib import AsyncExitStack
from datetime import timedelta
from typing import Final

import httpx

from opsmend.adapters.pager import pagerduty, smtp, webhook
from opsmend.adapters.pager.http import OtherSide
from opsmend.adapters.pager.pagerduty import PagerDuty
from opsmend.adapters.pager.several import NoPager, SeveralPagers
from opsmend.adapters.pager.smtp import SmtpPager
from opsmend.adapters.pager.webhook import WebhookPager
from opsmend.domain.ports.pager import Pager
from opsmend.errors import SettingsError
from opsmend.settings import PagerDutySettings, PagerSettings, SmtpSettings, WebhookSettings

_SECRET_BYTES: Final = range(24, 65)
"""https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md#signature-scheme"""


def pager_of(settings: PagerSettings, stack: AsyncExitStack) -> Pager:
    """All that are set up, as one; NoPager where none is. `stack` closes what has to be closed.

    Raises:
        SettingsError: one is set up by half, or cannot work as it is.
    """
    pagers = dict(_pagers(settings, stack))
    return SeveralPagers(pagers) if pagers else NoPager()


def _pagers(settings: PagerSettings, stack: AsyncExitStack) -> Iterator[tuple[str, Pager]]:
    # Follows no redirect: a page goes where the settings say.
    client = httpx.AsyncClient(timeout=settings.timeout.total_seconds(), headers={"User-Agent": "opsmend"})
    stack.push_async_callback(client.aclose)
    if paging := _pagerduty(settings.pagerduty, OtherSide("PagerDuty", client, settings.timeout)):
        yield pagerduty.NAME, paging
    if mailing := _smtp(settings.smtp, settings.timeout):
        yield smtp.NAME, mailing
    if posting := _webhook(settings.webhook, OtherSide("The webhook", client, settings.timeout)):
        yield webhook.NAME, posting


def _pagerduty(of: PagerDutySettings, events: OtherSide) -> PagerDuty | None:
    if of.routing_key is None:
        if "url" in of.model_fields_set:
            raise SettingsError(
                "OPSMEND_PAGER__PAGERDUTY__URL is set, OPSMEND_PAGER__PAGERDUTY__ROUTING_KEY is not: nobody is paged."
            )
        return None
    _check_address("OPSMEND_PAGER__PAGERDUTY__URL", of.url)
    return PagerDuty(events, of.url, of.routing_key)


def _smtp(of: SmtpSettings, timeout: timedelta) -> SmtpPager | None:
    if not of.model_fields_set:
        return None
    if not (of.host and of.sender and of.recipients):
        raise SettingsError(
            "Mail needs OPSMEND_PAGER__SMTP__HOST, OPSMEND_PAGER__SMTP__SENDER and OPSMEND_PAGER__SMTP__RECIPIENTS: "
            "set all three, or nothing of OPSMEND_PAGER__SMTP__…"
        )
    if (of.username is None) != (of.password is None):
        raise SettingsError("Set both OPSMEND_PAGER__SMTP__USERNAME and OPSMEND_PAGER__SMTP__PASSWORD, or neither.")
    if of.password and of.security == "none":
        raise SettingsError(
            "OPSMEND_PAGER__SMTP__SECURITY is none, so OPSMEND_PAGER__SMTP__PASSWORD would go over the network as it is: "
            "set starttls or tls, or unset the password."
        )
    return SmtpPager(of, of.sender, timeout)


def _webhook(of: WebhookSettings, receiver: OtherSide) -> WebhookPager | None:
    if of.url is None and of.secret is None:
        return None
    if of.url is None or of.secret is None:
        raise SettingsError("Set both OPSMEND_PAGER__WEBHOOK__URL and OPSMEND_PAGER__WEBHOOK__SECRET, or neither.")
    _check_address("OPSMEND_PAGER__WEBHOOK__URL", of.url.get_secret_value())
    if not _is_webhook_secret(of.secret.get_secret_value()):
        raise SettingsError(
            "OPSMEND_PAGER__WEBHOOK__SECRET must be `whsec_` and 24 to 64 bytes in base64: "
            "`echo whsec_$(openssl rand -base64 32)` makes one."
        )
    return WebhookPager(receiver, of.url, of.secret)


def _check_address(variable: str, address: str) -> None:
    """The address itself may be a secret and is not shown."""
    try:
        url = httpx.URL(address)
    except httpx.InvalidURL:
        url = httpx.URL("")
    if url.scheme not in ("http", "https") or not url.host:
        raise SettingsError(f"{variable} must be an address such as https://pager.example.com/hooks/opsmend.")


def _is_webhook_secret(secret: str) -> bool:
    prefix, _, encoded = secret.partition("_")
    try:
        return prefix == "whsec" and len(base64.b64decode(encoded, validate=True)) in _SECRET_BYTES
    except binascii.Error:
        return False
