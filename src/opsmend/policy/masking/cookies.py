"""Cookies, of which a header may have several: those that open a session are masked, what they are about stays."""

import re
from typing import Final

from opsmend.policy.secrets.keys import secret_in
from opsmend.policy.secrets.values import mark, may_be_secret

_COOKIE: Final = re.compile(r"(?P<name>[\w.-]{1,128}+)=(?P<value>[^;\s\"']{1,4096}+)")
_ATTRIBUTES: Final = frozenset({"path", "domain", "expires", "max-age", "samesite", "priority", "version", "comment"})
_PLAIN: Final = re.compile(r"[A-Za-z_-]{1,12}|[0-9]{1,5}")
"""A language, a theme, an answer: no session has so short a name."""


def mask_cookies(value: str) -> str:
    """What a Cookie or Set-Cookie header holds, with each cookie masked that may open something; all of it if it has none."""
    if "=" not in value:
        return mark("cookie")
    return _COOKIE.sub(_masked, value)


def _masked(found: re.Match[str]) -> str:
    name, value = found["name"], found["value"]
    plain = name.lower() in _ATTRIBUTES or _PLAIN.fullmatch(value) or not may_be_secret(value)
    return found[0] if plain and not secret_in(name, value) else f"{name}={mark('cookie')}"
