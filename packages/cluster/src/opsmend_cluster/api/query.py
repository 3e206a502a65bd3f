"""Numbers and durations in queries, refused in the words of the real server."""

import re
from collections.abc import Mapping
from typing import Final

from opsmend_cluster.objects.status import ApiError, bad_request

_DURATION: Final = re.compile(r"(?:[0-9]+(?:\.[0-9]*)?(?:ns|us|µs|ms|s|m|h))+")
_PART: Final = re.compile(r"([0-9]+(?:\.[0-9]*)?)(ns|us|µs|ms|s|m|h)")
_SECONDS: Final = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}


def number(query: Mapping[str, str], name: str) -> int:
    """0 where nothing is said.

    Raises:
        ApiError: 400.
    """
    text = query.get(name, "")
    try:
        return int(text or 0)
    except ValueError as error:
        raise bad_request(f'strconv.ParseInt: parsing "{text}": invalid syntax') from error


def resource_version(query: Mapping[str, str]) -> int:
    """0 where nothing is said.

    Raises:
        ApiError: 500, as the real server has it.
    """
    text = query.get("resourceVersion", "")
    if not text.isascii() or not (text or "0").isdigit():
        why = f'strconv.ParseUint: parsing "{text}": invalid syntax'
        raise ApiError(500, "", f'resourceVersion: Invalid value: "{text}": {why}')
    return int(text or 0)


def timeout_seconds(query: Mapping[str, str]) -> float | None:
    """How long the client lets the server take (`timeout=250ms`); None where it does not say.

    Raises:
        ApiError: 400.
    """
    text = query.get("timeout", "")
    if text in ("", "0"):
        return None
    if not _DURATION.fullmatch(text):
        raise bad_request(f'invalid timeout specified in the request URL - time: invalid duration "{text}"')
    return sum(float(amount) * _SECONDS[unit] for amount, unit in _PART.findall(text)) or None
