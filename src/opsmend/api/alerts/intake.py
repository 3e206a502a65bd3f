"""What every alert source needs besides the payload, and the limits that all of them keep."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from itertools import islice
from typing import Annotated, Any, Final, NamedTuple

from pydantic import AwareDatetime, BeforeValidator, WithJsonSchema
from pydantic_core import to_json

from opsmend.domain.alert import Alert, fingerprint_of
from opsmend.errors import bounded
from opsmend.policy.redaction import redact
from opsmend.policy.secrets.keys import secret_in
from opsmend.policy.secrets.values import mark

LABEL_LIMIT: Final = 1024
"""Characters of a label's value. Prometheus' own labels are names and short codes; identity does not need more."""

ANNOTATION_LIMIT: Final = 4096
"""Characters of an annotation: several paragraphs."""

TEXTS_LIMIT: Final = 64
"""Labels, and annotations, of one alert. Prometheus' own rules have a dozen."""

BYTES_LIMIT: Final = 32 * 1024
"""Bytes of all texts that are kept of one alert. An incident shows twenty alerts, and Temporal answers with at most 2 MiB."""

_SHOWN_FIRST: Final = ("summary", "description")

NAME_LIMIT: Final = 256
FINGERPRINT_LIMIT: Final = 128
URL_LIMIT: Final = 4096


@dataclass(frozen=True, slots=True)
class Refused:
    """An alert of a payload that was not taken, and why not, in words that tell its sender what to change."""

    alert: str
    why: str


@dataclass(frozen=True, slots=True)
class Parsed:
    """The alerts of one payload; `truncated` counts those that the sender says it left out."""

    alerts: tuple[Alert, ...]
    truncated: int = 0
    refused: tuple[Refused, ...] = ()


@dataclass(frozen=True, slots=True)
class Source:
    """A monitoring system. `payload` is the type of its bodies, for the contract."""

    read: Callable[[bytes, str], Parsed]
    payload: Any

    def __call__(self, body: bytes, cluster: str) -> Parsed:
        """`cluster` is the name of the cluster unless a label tells. Raises pydantic.ValidationError for a body of another
        shape."""
        return self.read(body, cluster)


def _as_texts(value: object) -> object:
    """Scalars as JSON writes them; null counts as absent."""
    if not isinstance(value, dict):
        return value
    return {key: _as_text(item) for key, item in value.items() if item is not None}


def _as_text(item: object) -> object:
    if isinstance(item, bool):
        return "true" if item else "false"
    return str(item) if isinstance(item, (int, float)) else item


Moment = Annotated[AwareDatetime, WithJsonSchema({"anyOf": [{"type": "string", "format": "date-time"}, {"type": "number"}]})]
"""With a time zone; a number is seconds since 1970."""

Scalars = Annotated[dict[str, str], BeforeValidator(_as_texts, json_schema_input_type=dict[str, str | float | bool | None])]
"""Labels or annotations of senders that do not write every value as a string."""


class Texts(NamedTuple):
    """What is kept of an alert's texts: at most TEXTS_LIMIT of each and no secret. Targets and fingerprints are told before."""

    labels: dict[str, str]
    """As they came: Prometheus' labels are compared with them. One that had to be masked or cut is an annotation instead."""
    annotations: dict[str, str]


def kept_texts(labels: Mapping[str, str], annotations: Mapping[str, str]) -> Texts:
    identity, told = {}, {}
    for key, value in islice(labels.items(), TEXTS_LIMIT):
        shown, fitting = _fit(key, value, LABEL_LIMIT)
        if (shown, fitting) == (key, value):
            identity[key] = value
        else:
            told[f"label {shown}"] = fitting
    told |= dict(_fit(key, value, ANNOTATION_LIMIT) for key, value in islice(annotations.items(), TEXTS_LIMIT))
    identity = _within(BYTES_LIMIT, identity)
    return Texts(identity, _within(BYTES_LIMIT - _size(identity), told))


def _within(room: int, texts: dict[str, str]) -> dict[str, str]:
    """As many of them as have room, those that people are shown first."""
    if _size(texts) <= room:
        return texts
    kept: dict[str, str] = {}
    for key in sorted(texts, key=lambda key: key not in _SHOWN_FIRST):
        cost = _size({key: texts[key]})
        if cost <= room:
            kept[key] = texts[key]
            room -= cost
    return kept


def _size(texts: dict[str, str]) -> int:
    """Bytes as JSON, in which a control character takes six."""
    return len(to_json(texts))


def _fit(key: str, value: str, limit: int) -> tuple[str, str]:
    """Both without their secrets and cut. Twice as much is read as is kept: half a secret would not be recognised."""
    shown, secret = _shown(key[: 2 * NAME_LIMIT]), secret_in(key, value)
    if secret:
        return shown, mark(secret)
    return shown, bounded(redact(value[: 2 * limit]), limit)


# Senders use the same few names in every alert. They come from outside, so the memory for them is bounded.
@lru_cache(maxsize=1024)
def _shown(key: str) -> str:
    return bounded(redact(key), NAME_LIMIT)


def known(moment: datetime | None) -> datetime | None:
    """`moment`, or None for Go's zero time, year 1: what Alertmanager sends as the end of an alert that fires."""
    return None if moment is None or moment.year == 1 else moment


def fingerprint(given: str, labels: dict[str, str]) -> str:
    """The sender's fingerprint where it sends a usable one."""
    return given if 0 < len(given) <= FINGERPRINT_LIMIT else fingerprint_of(labels)


def url_or_none(url: str) -> str | None:
    """None for an absent link, and for one that is too long or holds a secret: an altered one would name another expression."""
    return url if 0 < len(url) <= URL_LIMIT and redact(url) == url else None


def shown_name(name: str) -> str:
    """An alert's name without secrets, cut to what is kept."""
    return redact(name[: 2 * NAME_LIMIT])[:NAME_LIMIT]
