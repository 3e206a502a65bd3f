"""Secrets never leave: what is stored, shown, logged or sent goes through here first.

`secrets/` says what a secret is, `masking/` finds it in a text. Digests, git SHAs, UUIDs, pod names and image tags stay:
people on call need them.
"""

import json
import re
from typing import Any, Final

from opsmend.policy.masking.addresses import mask_addresses
from opsmend.policy.masking.assignments import mask_assigned
from opsmend.policy.masking.blocks import mask_blocks
from opsmend.policy.masking.commands import mask_commands
from opsmend.policy.masking.cookies import mask_cookies
from opsmend.policy.masking.encoded import mask_encoded
from opsmend.policy.masking.pairs import mask_pairs
from opsmend.policy.masking.phrases import mask_phrases
from opsmend.policy.masking.private_keys import mask_private_keys
from opsmend.policy.masking.shapes import mask_known_shapes
from opsmend.policy.masking.sql import mask_sql
from opsmend.policy.secrets.keys import secret_in
from opsmend.policy.secrets.names import may_name_secrets, secret_name
from opsmend.policy.secrets.values import entropy, mark, may_be_secret

_DEPTH_LIMIT: Final = 64
"""Nesting of JSON that is followed; Kubernetes objects stay below 20."""

_PASSES: Final = 6
"""What one rule masks can lay bare what another looks for, in text glued together by chance: 3 passes were the most seen."""

_SHORTEST_CREDENTIAL: Final = 20
"""An AWS key id has 20 characters; no other shape is shorter. Names and states of objects are, and they are many."""
_COULD_ASSIGN: Final = re.compile(r"[\s=:@<>'\"]")

_ASSIGNED: Final = re.compile(r"(?<=[:=])(?P<before>[ \t]*\\*[\"']?)(?P<value>[A-Za-z0-9+/_-]{24,}+={0,2})(?![\w.:@+/-])")
_KNOWN_BY_IT: Final = re.compile(
    r"(?:id[-_]?\d*|ids|uid|hash|sha-?\d*|h1|digest|checksum|md5|sum|etag|integrity|fingerprint|thumbprint|trace|span"
    r"|request|version|revision|cursor|continue|commit|image|cert|certificate|ca|crt|csr|bundle|data|public[-_. ]?(?:key)?"
    r"|pub(?:[-_]?key)?|nonce|site[-_]?key|name|host|node|pod|file|path|url|uri|blob|body|payload|content|x5t|kid|jti|ref|challenge|accept|state|ray|(?<![a-z])[nxy])"
    r"\\*[\"']?[ \t]*[:=]\Z",
    re.IGNORECASE,
)
"""Last words of names whose values are random and no secret."""
_PUBLIC: Final = (
    "LS0tLS1CRUdJTi",
    "MIIBIjANBgkqhki",
    "MIICIjANBgkqhki",
    "MIGfMA0GCSqGSIb3DQEB",
    "MFkwEwYHKoZIzj0",
    "MHYwEAYHKoZIzj0",
    "MCowBQYDK2V",
)
"""How base64 of PEM begins, of which private keys are masked elsewhere, and of public keys in DER: RSA's, EC's, Ed25519's."""
_NAME_FIELDS: Final = ("name", "Name", "key", "Key", "field", "variable", "parameter", "header")
_TYPES: Final = frozenset({"password", "passwd"})
"""Of an object whose value is one, as Keycloak's credentials are."""
_VALUE_FIELDS: Final = frozenset({"value", "val", "content", "default", "defaultvalue", "plaintext"})
"""How objects say a name and a value apart: variables of pods, headers, parameters."""
_PRIVATE_MEMBERS: Final = frozenset({"d", "p", "q", "dp", "dq", "qi", "k"})
"""Of a JSON Web Key, RFC 7518."""
_BETWEEN: Final = "\x1f"
"""Joins arguments: white space to a pattern, and in no argument."""
_ENTROPY_LIMIT: Final = 4.25
"""Bits a character. Random base64 of 32 characters has about 4.5, of 24 about 4.3; a CamelCase name of 30 below 4.2."""


def redact(text: str) -> str:
    """`text` with each secret replaced by `[redacted:<kind>]`. Keeps the number of lines; a second call changes nothing.

    16 KB of log take about 1 ms without secrets, 20 ms when every line holds one.
    """
    if len(text) < _SHORTEST_CREDENTIAL and not _COULD_ASSIGN.search(text):
        return text
    return mask_encoded(_redact_plain(text), _redact_plain)


def _redact_plain(text: str) -> str:
    for _ in range(_PASSES):
        masked = _redact_once(text)
        if masked == text:
            break
        text = masked
    return text


def _redact_once(text: str) -> str:
    text = mask_blocks(mask_private_keys(text))
    text = mask_addresses(mask_known_shapes(text))
    if may_name_secrets(text):
        text = mask_pairs(mask_assigned(text))
    text = mask_phrases(mask_commands(mask_sql(text)))
    return _ASSIGNED.sub(_mask_random, text)


def redact_json(value: Any) -> Any:
    """A JSON value with its secrets masked: values of secret names, data of Secrets, variables, arguments, any string."""
    return _redact_value(value, 0)


def _redact_value(value: Any, depth: int, name: str = "") -> Any:
    """`name` is what the value stands under, where that is the name of a secret."""
    if depth > _DEPTH_LIMIT:
        return mark("too-deep")
    if isinstance(value, str):
        return _redact_string(value)
    if isinstance(value, list | tuple):
        return _redact_list(list(value), depth, name)
    if isinstance(value, dict):
        return _redact_object(value, depth, name)
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


def _redact_list(items: list[Any], depth: int, name: str) -> list[Any]:
    masked = [_masked_leaf(name, item, _redact_value(item, depth + 1)) for item in items]
    for position, item in enumerate(items[:-1]):
        if isinstance(item, str) and item.startswith("-") and "=" not in item:
            masked[position + 1] = _masked_leaf(item, items[position + 1], masked[position + 1])
    return _redact_arguments(masked) if items and all(isinstance(item, str) for item in masked) else masked


def _redact_arguments(items: list[str]) -> list[str]:
    """The items as arguments of a command, for what a switch means depends on the program: `["mysql", "-px"]`."""
    masked = mask_phrases(mask_commands(_BETWEEN.join(items))).split(_BETWEEN)
    return masked if len(masked) == len(items) else items


def _redact_object(value: dict[Any, Any], depth: int, name: str) -> dict[Any, Any]:
    named = next((value[key] for key in _NAME_FIELDS if isinstance(value.get(key), str)), "")
    if not named and str(value.get("type", "")).lower() in _TYPES:
        named = value["type"]
    masked = {}
    for key, item in value.items():
        own = key if isinstance(key, str) else ""
        inner = _redact_value(item, depth + 1, own if secret_name(own) else "")
        if value.get("kind") == "Secret" and own in ("data", "stringData") and isinstance(item, dict):
            inner = {k: mark("secret-data") if may_be_secret(str(content)) else content for k, content in item.items()}
        elif own in _PRIVATE_MEMBERS and "kty" in value:
            inner = mark("private-key")
        elif own.lower() in _VALUE_FIELDS:
            inner = _masked_leaf(named or name, item, inner)
        else:
            inner = _masked_leaf(own, item, inner)
        masked[redact(key) if own else key] = inner
    return masked


def _masked_leaf(name: str, item: Any, otherwise: Any) -> Any:
    """The mark for a scalar that is a secret by `name`; `otherwise` for anything else."""
    if isinstance(item, bool) or item is None or isinstance(item, dict | list | tuple):
        return otherwise
    value = str(item)
    kind = secret_in(name, value)
    if kind is None or ("\n" in value.strip() and otherwise != item):
        return otherwise  # also a document with names of its own
    return mask_cookies(value) if kind == "cookie" else mark(kind)


def _mask_random(match: re.Match[str]) -> str:
    value, before = match["value"], match.string[max(0, match.start() - 64) : match.start()]
    mixed = re.search(r"[a-z]", value) and re.search(r"[A-Z]", value) and re.search(r"\d", value)
    if not mixed or value.startswith(("/", *_PUBLIC)) or _KNOWN_BY_IT.search(before) or entropy(value) < _ENTROPY_LIMIT:
        return match[0]
    return match["before"] + mark("high-entropy")
