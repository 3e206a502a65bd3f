"""Secrets never leave: what is stored, shown, logged or sent goes through here first.

Masks what looks like a credential (secret_shapes, private_keys), what a key name declares to be one (secret_keys), and random
strings that are assigned to something. Digests, git SHAs, UUIDs, pod names and image tags stay: people on call need them.
"""

import json
import re
from typing import Any, Final

from detect_secrets.plugins.high_entropy_strings import Base64HighEntropyString

from opsmend.policy.private_keys import mask_private_keys
from opsmend.policy.secret_blocks import mask_blocks
from opsmend.policy.secret_keys import mark, mask_values_of_secret_keys, may_be_secret, secret_kind
from opsmend.policy.secret_shapes import mask_known_shapes

_DEPTH_LIMIT: Final = 64
"""Nesting of JSON that is followed; Kubernetes objects stay below 20."""

_PASSES: Final = 6
"""What one rule masks can lay bare what another looks for, in text glued together by chance: 3 passes were the most seen."""

_SHORTEST_CREDENTIAL: Final = 20
"""An AWS key id has 20 characters; no other shape is shorter. Names and states of objects are, and they are many."""
_COULD_ASSIGN: Final = re.compile(r"[\s=:@<>'\"]")

_URL_PASSWORD: Final = re.compile(r"(?<=://)(?P<user>[^\s:/@\"'\[\]]{0,256}+):(?!\[redacted:)(?P<password>[^\s/\"'<>]{1,512}+)")
_URL_TOKEN: Final = re.compile(r"(?<=://)(?!\[redacted:)[^\s:/@\"'.]{20,512}+(?=@)")
_DRIVER_PASSWORD: Final = re.compile(r"(?<=:)[^\s:@/\[\]\"']{1,256}+(?=@(?:tcp|udp|unix)\()")
_CURL_USER: Final = re.compile(r"(\bcurl\b[^\n]{0,512}?[ \t](?:-u|--user)[ =]?[\"']?[^\s:\"']{1,128}:)(?!\[redacted:)[^\s\"']+")
_BEARER: Final = re.compile(r"(\b[Bb]earer[ \t]+)(?!\[redacted:)[\w.~+/-]{20,}+=*")
_ASSIGNED: Final = re.compile(r"(?<=[:=])([ \t]*\\*[\"']?)([A-Za-z0-9+/_-]{24,}+={0,2})(?![\w.:@+/-])")
_ENTROPY: Final = Base64HighEntropyString(limit=4.5)
_ENTROPY_LIMIT: Final = 4.25
"""Bits a character. Random base64 of 32 characters has about 4.5, of 24 about 4.3; a CamelCase name of 30 below 4.2."""


def redact(text: str) -> str:
    """`text` with each secret replaced by `[redacted:<kind>]`. Keeps the number of lines; a second call changes nothing.

    16 KB of log take about 1 ms without secrets, 20 ms when every line holds one.
    """
    if len(text) < _SHORTEST_CREDENTIAL and not _COULD_ASSIGN.search(text):
        return text
    for _ in range(_PASSES):
        masked = _redact_once(text)
        if masked == text:
            break
        text = masked
    return text


def _redact_once(text: str) -> str:
    text = mask_known_shapes(mask_blocks(mask_private_keys(text)))
    text = mask_values_of_secret_keys(text)
    if "://" in text:
        text = _URL_TOKEN.sub(mark("token"), _URL_PASSWORD.sub(_mask_url_password, text))
    if "@" in text:
        text = _DRIVER_PASSWORD.sub(mark("password"), text)
    if "curl" in text:
        text = _CURL_USER.sub(rf"\1{mark('password')}", text)
    if "earer" in text:
        text = _BEARER.sub(rf"\1{mark('token')}", text)
    return _ASSIGNED.sub(_mask_random, text)


def redact_json(value: Any) -> Any:
    """A JSON value with its secrets masked: values of secret keys, data of Secrets, variables, flags, any string."""
    return _redact_value(value, 0)


def _redact_value(value: Any, depth: int) -> Any:
    if depth > _DEPTH_LIMIT:
        return mark("too-deep")
    if isinstance(value, str):
        return _redact_string(value)
    if isinstance(value, list | tuple):
        return _redact_list(list(value), depth)
    if isinstance(value, dict):
        return _redact_object(value, depth)
    return value


def _redact_string(text: str) -> str:
    """A string that is itself JSON (kubectl's last-applied annotation) is masked as JSON, so that structure counts."""
    if text[:1] in "{[" and text[-1:] in "}]" and len(text) > 2:
        try:
            inner = json.loads(text)
        except (ValueError, RecursionError):
            return redact(text)
        masked = redact_json(inner)
        return text if masked == inner else json.dumps(masked, separators=(",", ":"))
    return redact(text)


def _redact_list(items: list[Any], depth: int) -> list[Any]:
    masked = [_redact_value(item, depth + 1) for item in items]
    for position, item in enumerate(items[:-1]):
        if isinstance(item, str) and item.startswith("-") and "=" not in item and (kind := secret_kind(item)):
            masked[position + 1] = _mask_leaf(items[position + 1], kind, masked[position + 1])
    return masked


def _redact_object(value: dict[Any, Any], depth: int) -> dict[Any, Any]:
    named = value.get("name")
    variable_kind = secret_kind(named) if isinstance(named, str) else None
    masked = {}
    for key, item in value.items():
        inner = _redact_value(item, depth + 1)
        kind = secret_kind(key) if isinstance(key, str) else None
        if value.get("kind") == "Secret" and key in ("data", "stringData") and isinstance(item, dict):
            inner = {name: _mask_leaf(content, "secret-data", content) for name, content in item.items()}
        elif key == "value" and variable_kind:
            inner = _mask_leaf(item, variable_kind, inner)
        elif kind:
            inner = _mask_leaf(item, kind, inner)
        masked[redact(key) if isinstance(key, str) else key] = inner
    return masked


def _mask_leaf(item: Any, kind: str, otherwise: Any) -> Any:
    """The mark for a scalar that may be a secret; `otherwise` for structures, references and empty values."""
    if isinstance(item, bool) or item is None or isinstance(item, dict | list | tuple):
        return otherwise
    return mark(kind) if may_be_secret(str(item)) else otherwise


def _mask_url_password(match: re.Match[str]) -> str:
    password, at, host = match["password"].rpartition("@")
    return f"{match['user']}:{mark('password')}@{host}" if at and may_be_secret(password) else match[0]


def _mask_random(match: re.Match[str]) -> str:
    before, value = match[1], match[2]
    mixed = re.search(r"[a-z]", value) and re.search(r"[A-Z]", value) and re.search(r"\d", value)
    if not mixed or value.startswith("/") or _ENTROPY.calculate_shannon_entropy(value) < _ENTROPY_LIMIT:
        return match[0]
    return before + mark("high-entropy")
