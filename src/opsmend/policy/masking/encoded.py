"""Base64 of a text that has secrets in it: a kubeconfig in a variable, a script of cloud-init, the value of a Secret."""

import base64
import binascii
import re
from collections.abc import Callable
from typing import Final

from opsmend.policy.secrets.values import mark

_RUN: Final = re.compile(r"(?<![\w+/=-])[A-Za-z0-9+/]{24,}+={0,2}(?![\w+/=-])")
_READABLE: Final = re.compile(r"[\t\n\r\x20-\x7e]*")


def mask_encoded(text: str, redact: Callable[[str], str]) -> str:
    """`text` with each run of base64 masked in whose text `redact` finds something."""
    return _RUN.sub(lambda run: mark("base64") if _holds_secret(run[0], redact) else run[0], text)


def _holds_secret(run: str, redact: Callable[[str], str]) -> bool:
    try:
        decoded = base64.b64decode(run, validate=True)
    except binascii.Error:
        return False
    if not decoded.isascii():
        return False
    text = decoded.decode("ascii")
    return bool(_READABLE.fullmatch(text)) and redact(text) != text
