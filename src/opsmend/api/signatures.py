"""Whether a body is from who it says it is: HMACs over what arrived, compared in constant time, before anything is parsed."""

import hashlib
import hmac
import re
import time
from collections.abc import Mapping
from datetime import timedelta
from typing import Final

from opsmend.api.refusals import UnauthorizedError

FRESH_FOR: Final = timedelta(minutes=5)
"""How old or how far ahead a signed moment may be. It is what Slack asks for, and room enough for clocks that NTP keeps."""

_SECONDS: Final = re.compile(r"[0-9]{1,15}")

GRAFANA_SIGNATURE: Final = "x-grafana-alerting-signature"
GRAFANA_TIMESTAMP: Final = "x-grafana-alerting-timestamp"
"""Grafana lets one name both headers; these are its default and what deploy/grafana says."""


def is_fresh(timestamp: str) -> bool:
    """Whether it is a moment in seconds since 1970, and not far from now. What is no number is not."""
    return bool(_SECONDS.fullmatch(timestamp)) and abs(time.time() - int(timestamp)) <= FRESH_FOR.total_seconds()


def require_grafana(secret: str, headers: Mapping[str, str], body: bytes) -> None:
    """Grafana signs `body`, or `timestamp:body` where a header for the timestamp is set. Raises UnauthorizedError."""
    timestamp = headers.get(GRAFANA_TIMESTAMP, "")
    if timestamp and not is_fresh(timestamp):
        raise UnauthorizedError("The signature's timestamp is none, or more than five minutes off.")
    signed = timestamp.encode() + b":" + body if timestamp else body
    expected = hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()
    if not hmac.compare_digest(expected.encode(), headers.get(GRAFANA_SIGNATURE, "").encode()):
        raise UnauthorizedError("The body is not signed with the secret of OPSMEND_INTAKE__GRAFANA_SECRET.")
