"""Credentials that are known by their own look, wherever they stand: gitleaks' rules, and some that it lacks.

The engine is RE2, as gitleaks' own: it takes linear time whatever the text is.
"""

import re
from functools import cache
from typing import Any, Final, NamedTuple

import re2

from opsmend.policy.needles import Needles, as_bytes, bytewise
from opsmend.policy.secrets.gitleaks_rules import rules
from opsmend.policy.secrets.values import entropy, is_random, mark
from opsmend.policy.secrets.words import words


class Shape(NamedTuple):
    """`pattern` over bytes. The group with most of the match is the secret, or all of it. It cannot match without a needle."""

    kind: str
    pattern: str
    needles: tuple[str, ...]
    entropy: float = 0.0
    made_up: bool = False
    """Whether the pattern says so little that its last group must look like a credential as well."""


_SHARE_OF_ENTROPY: Final = 0.5
"""gitleaks would rather report too little than annoy; here a placeholder may be masked, `ghp_xxxxxxxx` still need not."""

_MORE: Final = (
    # A JWT in a log tail may be cut, and is one with any signature.
    Shape("jwt", r"\b(eyJ[\w-]{8,}\.[\w-]{4,}(?:\.[\w-]*)?)", ("eyj",)),
    Shape("google-token", r"\b(ya29\.[\w-]{20,})", ("ya29.",)),
    Shape("google-token", r"\b(1//0[\w-]{30,})", ("1//0",)),
    Shape("google-secret", r"\b(GOCSPX-[\w-]{20,})", ("gocspx-",)),
    Shape("atlassian-token", r"\b(AT[A-Z]TT3[\w=-]{20,})", ("tt3",)),
    Shape("telegram-token", r"\b([0-9]{8,10}:[A-Za-z0-9_-]{35})\b", (":aa",)),
    Shape("vault-token", r"\b(hv[sbr]\.[\w-]{20,})", ("hvs.", "hvb.", "hvr.")),
    Shape("vault-token", r"\b(s\.([A-Za-z0-9]{24}))\b", ("s.",), 3.5, made_up=True),
    Shape("doppler-token", r"\b(dp\.(?:pt|st|ct|sa|scim|audit)\.[\w.-]{20,})", ("dp.",)),
    Shape("age-key", r"(?i)\b(AGE-SECRET-KEY-1[0-9a-z]{20,})", ("age-secret-key-1",)),
    # Keys of Azure's storage, service bus and event hubs.
    Shape("azure-key", r"(?i)(?:AccountKey|SharedAccessKey)=([\w+/=-]{20,})", ("accesskey=", "accountkey=")),
    # Hashes of passwords, as crypt(3), bcrypt, Argon2 and PBKDF2 write them: they can be tried out.
    Shape("password-hash", r"(\$(?:2[abxy]?|5|6|y|1|apr1|argon2(?:id?|d)|scrypt|pbkdf2-sha\d+)\$[\w$./+,=-]{16,})", ("$",)),
    Shape("password-hash", r"\b(pbkdf2_sha\d+\$\d+\$[\w./+=-]+\$[\w./+=-]{16,})", ("pbkdf2_",)),
    Shape("password-hash", r"(SCRAM-SHA-\d+\$\d+:[\w+/=]{8,}\$[\w+/=]{16,}:[\w+/=]{16,})", ("scram-sha-",)),
    Shape("password-hash", r"(\{S?SHA(?:256|512)?\}[A-Za-z0-9+/]{20,}={0,2})", ("sha}", "sha256}", "sha512}")),
)
"""What gitleaks lacks or wants longer, cut or not."""

_PREFIXES: Final = sorted(words("token_prefixes"))
_MORE_OF_IT: Final = re.compile(rb"[A-Za-z0-9_-]*+")
"""A token may be longer than its rule knows."""
_BEGUN: Final = Shape(
    "token", rf"\b((?:{'|'.join(map(re2.escape, _PREFIXES))})([\w.=~+/-]{{14,}}))", tuple(_PREFIXES), made_up=True
)


class _Compiled(NamedTuple):
    mask: bytes
    pattern: Any
    entropy: float
    made_up: bool


def mask_known_shapes(text: str) -> str:
    """`text` with each credential that is known by its look replaced by `[redacted:<kind>]`."""
    needles, shapes = _engine()
    data = masked = as_bytes(text)
    for position in needles.may_match(data):
        masked = _mask(masked, shapes[position])
    return text if masked is data else masked.decode("utf-8", "surrogatepass")


def _mask(data: bytes, shape: _Compiled) -> bytes:
    parts, kept = [], 0
    for match in shape.pattern.finditer(data):
        start, end = _secret_part(match)
        end = _MORE_OF_IT.match(data, end).end()  # type: ignore[union-attr]  # matches nothing too
        secret = data[start:end].decode("latin-1")
        if start >= kept and entropy(secret) >= shape.entropy and (not shape.made_up or _looks_made_up(match)):
            parts += [data[kept:start], shape.mask]
            kept = end
    return b"".join([*parts, data[kept:]]) if parts else data


def _secret_part(match: Any) -> tuple[int, int]:
    """The group that has most of the match, for around it are what a token begins and ends at; all of it where none has."""
    spans = [match.span(number) for number in range(1, len(match.groups()) + 1)]
    start, end = max(spans, key=lambda span: span[1] - span[0], default=(0, 0))
    whole_start, whole_end = match.span()
    return (start, end) if 2 * (end - start) > whole_end - whole_start else (whole_start, whole_end)


def _looks_made_up(match: Any) -> bool:
    return is_random(match.groups()[-1].decode("latin-1"))


@cache
def _engine() -> tuple[Needles, tuple[_Compiled, ...]]:
    shapes = (*(Shape(r.id, r.pattern, r.keywords, r.entropy * _SHARE_OF_ENTROPY) for r in rules()), *_MORE, _BEGUN)
    compiled = (
        _Compiled(mark(s.kind).encode(), re2.compile(s.pattern.encode(), bytewise()), s.entropy, s.made_up) for s in shapes
    )
    return Needles(shape.needles for shape in shapes), tuple(compiled)
