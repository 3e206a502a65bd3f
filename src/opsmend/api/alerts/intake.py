"""What every alert source needs besides the payload, and the limits that all of them keep."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from itertools import islice
from typing import Final, NamedTuple

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

NAME_LIMIT: Final = 256
FINGERPRINT_LIMIT: Final = 128
URL_LIMIT: Final = 4096

UNKNOWN_START: Final = datetime(1970, 1, 1, tzinfo=UTC)
"""`starts_at` where the sender does not tell it. A constant, because a resend must be recognised as the same firing."""


@dataclass(frozen=True, slots=True)
class Parsed:
    """The alerts of one payload; `truncated` counts those that the sender says it left out."""

    alerts: tuple[Alert, ...]
    truncated: int = 0


Source = Callable[[bytes, str], Parsed]
"""(body, name of the cluster unless a label tells) -> alerts. Raises pydantic.ValidationError for a body of another shape."""


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
    return Texts(identity, told)


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


def known_start(moment: datetime | None) -> datetime:
    """`moment`, or UNKNOWN_START for none and for Go's zero time, year 1."""
    return UNKNOWN_START if moment is None or moment.year == 1 else moment


def known_end(moment: datetime | None) -> datetime | None:
    """`moment`, or None for Go's zero time, which Alertmanager sends while an alert fires."""
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
