"""Secrets in addresses and headers: passwords before a host, webhooks whose path is the secret, `Bearer` and `Basic`."""

import re
from typing import Final

from opsmend.policy.needles import Needles, as_bytes
from opsmend.policy.secrets.values import is_user_and_password, mark, may_be_secret

_PASSWORD: Final = re.compile(r"(?<=://)(?P<user>[^\s:/@\"'\[\]<>]{0,256}+):(?!\[redacted:)(?P<password>[^\s/\"'<>]{1,512}+)")
_WITH_SLASH: Final = re.compile(
    r"(?<=://)(?P<user>[^\s:/@\"'\[\]<>]{0,256}+):(?!\[redacted:|\d{1,5}(?:/|$))(?P<password>[^\s\"'<>]{1,512}+)"
)
"""A password with a slash, which is not allowed and is written all the same; the port of a host is none."""
_ENCODED: Final = re.compile(
    r"(?P<head>%3A%2F%2F[^\s%]{0,256}+%3A)(?P<password>(?:[^\s%]|%(?!40|\[)){1,512}?)(?=%40)", re.IGNORECASE
)
"""An address that is itself a value in one."""
_PGPASS: Final = re.compile(
    r"(?P<head>(?m:^)[\w.*-]{1,253}+:(?:\d{1,5}|\*):[\w.*-]{1,64}+:[\w.*-]{1,64}+:)(?!\[redacted:)\S{1,512}+(?=\s*(?:\n|\Z))"
)
"""A line of .pgpass, whose fields have no names."""
_INFLUX: Final = re.compile(r"(?P<head>[?&]u=[^&\s\"']{1,128}+&p=)(?!\[redacted:)[^&\s\"']{1,256}+")
"""InfluxDB's, which call a user and a password by one letter."""
_AWS: Final = re.compile(r"(?P<head>\bAWS4-HMAC-SHA256[^\n]{0,1024}?\bSignature=)[0-9a-f]{16,}+")
_TOKEN: Final = re.compile(r"(?<=://)(?!\[redacted:)[^\s:/@\"'.]{20,512}+(?=@)")
_DRIVER: Final = re.compile(r"(?<=:)(?!\[redacted:)[^\s:@/\[\]\"']{1,256}+(?=@(?:tcp|udp|unix)\()")
_ORACLE: Final = re.compile(r"(jdbc:oracle:\w{1,8}:[\w$#.-]{1,64}/)(?!\[redacted:)[^\s@/\"']{1,256}+(?=@)")

_WEBHOOKS: Final = re.compile(
    r"(?P<host>\b(?:(?:ptb\.|canary\.)?discord(?:app)?\.com/api/(?:v\d{1,2}/)?webhooks/\d{1,32}/"
    r"|hooks\.slack(?:-gov)?\.com/(?:services|workflows|triggers)/"
    r"|[\w.-]{1,128}?\.?webhook\.office\.com/webhookb2/|outlook\.office(?:365)?\.com/webhook/"
    r"|hooks\.zapier\.com/hooks/catch/|maker\.ifttt\.com/trigger/[\w-]{1,64}/(?:json/)?with/key/|hook\.[\w.]{0,16}make\.com/"
    r"|open\.(?:feishu\.cn|larksuite\.com)/open-apis/bot/v\d/hook/"
    r"|events\.pagerduty\.com/integration/|api\.opsgenie\.com/v\d/[\w/-]{1,64}\?apiKey=|alert\.victorops\.com/integrations/[\w/-]{1,64}/alert/"
    r"|[\w.-]{1,128}/hooks/(?=[a-z0-9]{26}\b)))"
    r"(?!\[redacted:)(?P<secret>[\w@/%.~:-]{8,512}+)"
)
"""Hosts of which whoever knows the address may post."""
_BOT: Final = re.compile(r"(api\.telegram\.org/(?:file/)?bot)\d{1,16}:[\w-]{8,128}+")
_WEBHOOK_HOSTS: Final = Needles(
    [
        (
            "discord",
            "hooks",
            "webhook",
            "zapier",
            "ifttt",
            "make.com",
            "telegram",
            "feishu",
            "larksuite",
            "pagerduty",
            "opsgenie",
            "victorops",
        )
    ]
)
_BEARER: Final = re.compile(r"(\b(?:[Bb]earer|BEARER)[ \t]+)(?!\[redacted:)[\w.~+/-]{16,}+=*")
_BASIC: Final = re.compile(r"(?P<scheme>\b[Bb]asic[ \t]+)(?P<secret>[A-Za-z0-9+/]{6,2048}+={0,2})(?![\w.-])")


def mask_addresses(text: str) -> str:
    """`text` with such secrets masked; scheme, user and host stay."""
    if "://" in text:
        text = _TOKEN.sub(_mask_token, _WITH_SLASH.sub(_mask_password, _PASSWORD.sub(_mask_password, text)))
    if "%3" in text:
        text = _ENCODED.sub(rf"\g<head>{mark('password')}", text)
    if "&p=" in text:
        text = _INFLUX.sub(rf"\g<head>{mark('password')}", text)
    if "AWS4" in text:
        text = _AWS.sub(rf"\g<head>{mark('signature')}", text)
    text = _PGPASS.sub(rf"\g<head>{mark('password')}", text)
    if "@" in text:
        text = _ORACLE.sub(rf"\1{mark('password')}", _DRIVER.sub(mark("password"), text))
    if _WEBHOOK_HOSTS.may_match(as_bytes(text)):
        text = _WEBHOOKS.sub(rf"\g<host>{mark('webhook')}", _BOT.sub(rf"\1{mark('token')}", text))
    text = _BEARER.sub(rf"\1{mark('token')}", text) if "earer" in text or "EARER" in text else text
    return _BASIC.sub(_mask_basic, text) if "asic" in text else text


def _mask_password(match: re.Match[str]) -> str:
    password, at, host = match["password"].rpartition("@")
    return f"{match['user']}:{mark('password')}@{host}" if at and may_be_secret(password) else match[0]


def _mask_token(match: re.Match[str]) -> str:
    return mark("token") if may_be_secret(match[0]) else match[0]


def _mask_basic(match: re.Match[str]) -> str:
    """`Basic` is an ordinary word too."""
    return match["scheme"] + mark("credentials") if is_user_and_password(match["secret"]) else match[0]
