"""What values of settings look like. Each type says what is expected, for the sentence that refuses another value."""

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Final
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, TypeAdapter

SAYS_WHY: Final = "says_why"
"""The type of pydantic's error for a value whose message is a sentence for people: what is wrong, and what is expected."""


@dataclass(frozen=True)
class Expected:
    """Metadata of a type: `what` a value must be, and an `example` for a setting that has no default to show."""

    what: str
    example: str


_UNITS: Final = re.compile(r"(?:([0-9]+)d)?(?:([0-9]+)h)?(?:([0-9]+)m)?(?:([0-9]+(?:\.[0-9]+)?)s)?")
_CLOCK: Final = re.compile(r"([0-9]+):([0-5][0-9]):([0-5][0-9])")
_ISO_8601: Final = TypeAdapter(timedelta)
_LONGEST: Final = timedelta(days=3650)
"""More is a slip, and timers of other systems overflow not far beyond."""


def _duration(value: object) -> object:
    """`30m`, `1h30m`, ISO 8601 or 00:30:00. A bare number is refused: 30 of what?"""
    if not isinstance(value, str):
        return value
    text = value.strip()
    if (short := _UNITS.fullmatch(text)) and text:
        days, hours, minutes, seconds = (float(part or 0) for part in short.groups())
    elif clock := _CLOCK.fullmatch(text):
        days, (hours, minutes, seconds) = 0.0, map(float, clock.groups())
    elif text.startswith("P"):
        return _ISO_8601.validate_python(text)
    else:
        raise ValueError("no unit that is known")
    try:
        return timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
    except OverflowError as e:
        raise ValueError("too long") from e


def written(value: object) -> str:
    """A value as it stands in an environment: `1h30m` for a duration, items with commas between."""
    if isinstance(value, timedelta):
        return _written_duration(value)
    if isinstance(value, bool):
        return str(value).lower()
    return ",".join(map(str, value)) if isinstance(value, tuple) else str(value)


def _written_duration(value: timedelta) -> str:
    minutes, seconds = divmod(value.seconds + value.microseconds / 1_000_000, 60)
    hours, minutes = divmod(minutes, 60)
    parts = ((value.days, "d"), (hours, "h"), (minutes, "m"), (seconds, "s"))
    return "".join(f"{amount:g}{unit}" for amount, unit in parts if amount) or "0s"


def _above_zero(value: timedelta) -> timedelta:
    if value <= timedelta(0):
        raise ValueError("not above zero")
    return value


_Length = Annotated[timedelta, BeforeValidator(_duration), Field(ge=timedelta(0), le=_LONGEST)]

Duration = Annotated[_Length, AfterValidator(_above_zero), Expected("a length of time above zero", "30m or PT30M")]
DurationOrZero = Annotated[_Length, Expected("a length of time, not below zero", "30m or PT30M")]

Count = Annotated[int, Field(ge=1), Expected("a whole number from 1 up", "3")]
CountOrZero = Annotated[int, Field(ge=0), Expected("a whole number from 0 up", "0")]
Money = Annotated[float, Field(ge=0, allow_inf_nan=False), Expected("an amount in US dollars", "2.0")]
Port = Annotated[int, Field(ge=1, le=65535), Expected("a port from 1 to 65535", "9464")]


def is_web_address(value: str) -> bool:
    """Whether it is an http:// or https:// address that a path can be put behind."""
    return _is_address(value, ("http", "https"))


def _is_address(value: str, schemes: tuple[str, ...]) -> bool:
    try:
        parts = urlsplit(value)
        port_is_one = parts.port != 0  # raises ValueError for one that is no number, or too high
    except ValueError:
        return False
    return (
        parts.scheme in schemes
        and bool(parts.hostname)
        and port_is_one
        and not (parts.query or parts.fragment)
        and value.isprintable()
        and " " not in value
    )


def _web_address(value: str) -> str:
    if not is_web_address(value):
        raise ValueError("no web address")
    return value


_HOST_AND_PORT: Final = re.compile(r"(?:\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+):([0-9]{1,5})")


def _host_and_port(value: str) -> str:
    match = _HOST_AND_PORT.fullmatch(value)
    if not match or not 0 < int(match[1]) < 2**16:
        raise ValueError("no host and port")
    return value


def _milvus_address(value: str) -> str:
    if not (_is_address(value, ("http", "https", "tcp")) or ("://" not in value and value.endswith(".db"))):
        raise ValueError("no address of Milvus")
    return value


def _token(value: SecretStr) -> SecretStr:
    text = value.get_secret_value()
    if not (text.isascii() and text.isprintable()) or " " in text:
        raise ValueError("no token that fits into a header")
    return value


WebAddress = Annotated[str, AfterValidator(_web_address), Expected("an http:// or https:// address", "http://127.0.0.1:9090")]
HostAndPort = Annotated[str, AfterValidator(_host_and_port), Expected("host:port without a scheme", "temporal.example:7233")]
MilvusAddress = Annotated[
    str,
    AfterValidator(_milvus_address),
    Expected("an http:// address, or the path of a Milvus Lite file", "http://milvus:19530"),
]
Token = Annotated[
    SecretStr, AfterValidator(_token), Expected("characters of ASCII without spaces", "the output of `openssl rand -hex 32`")
]

_DNS_LABEL: Final = r"^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$"
"""RFC 1123, as Kubernetes wants it of a namespace. A ServiceAccount may be longer than that; ours need not be."""

KubernetesName = Annotated[
    str, Field(pattern=_DNS_LABEL), Expected("a name as Kubernetes takes it: a-z, 0-9 and -, 63 at most", "shop")
]


def _split(value: object) -> object:
    return tuple(filter(None, map(str.strip, value.split(",")))) if isinstance(value, str) else value


KubernetesNames = Annotated[
    tuple[KubernetesName, ...], BeforeValidator(_split), Expected("namespaces separated by commas", "shop,pay")
]
