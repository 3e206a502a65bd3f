"""Credentials that are known by their own look, wherever they stand: gitleaks' rules, and some that it lacks.

The engine is RE2, as gitleaks' own: it takes linear time whatever the text is.
"""

from functools import cache
from typing import Any, Final, NamedTuple

import re2

from opsmend.policy.gitleaks_rules import rules
from opsmend.policy.needles import Needles, as_bytes, bytewise
from opsmend.policy.secret_values import entropy, looks_like_credential, mark


class Shape(NamedTuple):
    """`pattern` over bytes, whose first group that matched is the secret, else all of it. It cannot match without a needle."""

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
    Shape("vault-token", r"\b(s\.[A-Za-z0-9]{24})\b", (), 3.5),
    Shape("age-key", r"(?i)\b(AGE-SECRET-KEY-1[0-9a-z]{20,})", ("age-secret-key-1",)),
    # What the API takes for an Azure client secret, and the keys of its storage, service bus and event hubs.
    Shape("azure-key", r"(?i)(?:AccountKey|SharedAccessKey)=([\w+/=-]{20,})", ("accesskey=", "accountkey=")),
    # Hashes of passwords, as crypt(3), bcrypt, Argon2 and PBKDF2 write them: they can be tried out.
    Shape("password-hash", r"(\$(?:2[abxy]?|5|6|y|1|apr1|argon2(?:id?|d)|scrypt|pbkdf2-sha\d+)\$[\w$./+,=-]{16,})", ("$",)),
    Shape("password-hash", r"\b(pbkdf2_sha\d+\$\d+\$[\w./+=-]+\$[\w./+=-]{16,})", ("pbkdf2_",)),
    Shape("password-hash", r"(\{S?SHA(?:256|512)?\}[A-Za-z0-9+/]{20,}={0,2})", ("sha}", "sha256}", "sha512}")),
)
"""What gitleaks lacks or wants longer, cut or not."""

_PREFIXES: Final = (
    *("ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_", "glpat-", "glsa_", "glc_", "npm_", "pypi-", "hf_", "dop_v1_"),
    *("doo_v1_", "dor_v1_", "sk-ant-", "sk-proj-", "sk-", "sk_live_", "sk_test_", "rk_live_", "rk_test_", "whsec_", "xoxb-"),
    *(
        "xoxp-",
        "xoxa-",
        "xoxr-",
        "xoxs-",
        "xoxe-",
        "xoxe.",
        "xapp-",
        "NRAK-",
        "NRII-",
        "NRJS-",
        "SG.",
        "shpat_",
        "shpss_",
        "shpca_",
    ),
    *("shppa_", "dckr_pat_", "dckr_sat_", "hvs.", "hvb.", "hvr.", "sha256~", "dapi", "PMAK-", "lin_api_", "pscale_tkn_"),
    *(
        "pscale_pw_",
        "pscale_oauth_",
        "pul-",
        "rubygems_",
        "sntrys_",
        "sntryu_",
        "xkeysib-",
        "dp.pt.",
        "dt0c01.",
        "AKIA",
        "ASIA",
    ),
    *(
        "ABIA",
        "ACCA",
        "AIza",
        "EZAK",
        "sq0csp-",
        "sq0atp-",
        "rdme_",
        "pplx-",
        "gsk_",
        "r8_",
        "ntn_",
        "secret_",
        "figd_",
        "tskey-",
    ),
    *("tfp_", "AQVN", "LTAI", "key-", "nvapi-", "xai-", "phc_", "phx_", "sbp_", "cfut_", "flyv1_", "fo1_", "ATBB", "ATCTT"),
)
"""Beginnings of vendors' tokens. Their lengths change over the years, and a log cuts them; what follows must look random."""
_BEGUN: Final = Shape(
    "token",
    rf"\b((?:{'|'.join(map(re2.escape, _PREFIXES))})([\w.=~+/-]{{14,}}))",
    tuple(p.lower() for p in _PREFIXES),
    made_up=True,
)


class _Compiled(NamedTuple):
    mask: bytes
    pattern: Any
    entropy: float
    made_up: bool


class _Engine(NamedTuple):
    """`shapes_of` has the shapes to look for where a text holds the needle of that position; `always` those without needles."""

    needles: Needles
    shapes_of: tuple[tuple[int, ...], ...]
    always: tuple[int, ...]
    shapes: tuple[_Compiled, ...]


def mask_known_shapes(text: str) -> str:
    """`text` with each credential that is known by its look replaced by `[redacted:<kind>]`."""
    data = masked = as_bytes(text)
    engine = _engine()
    found = {number for needle in engine.needles.found_in(data) for number in engine.shapes_of[needle]}
    for number in sorted(found | set(engine.always)):
        masked = _mask(masked, engine.shapes[number])
    return text if masked is data else masked.decode("utf-8", "surrogatepass")


def _mask(data: bytes, shape: _Compiled) -> bytes:
    parts, kept = [], 0
    for match in shape.pattern.finditer(data):
        start, end = next((span for n in range(1, shape.pattern.groups + 1) if (span := match.span(n))[0] >= 0), match.span())
        secret = data[start:end].decode("latin-1")
        if start >= kept and entropy(secret) >= shape.entropy and (not shape.made_up or _looks_made_up(match)):
            parts += [data[kept:start], shape.mask]
            kept = end
    return b"".join([*parts, data[kept:]]) if parts else data


def _looks_made_up(match: Any) -> bool:
    return looks_like_credential(match.groups()[-1].decode("latin-1"))


@cache
def _engine() -> _Engine:
    shapes = (*(Shape(r.id, r.pattern, r.keywords, r.entropy * _SHARE_OF_ENTROPY) for r in rules()), *_MORE, _BEGUN)
    shapes_of: dict[str, list[int]] = {}
    for number, shape in enumerate(shapes):
        for needle in shape.needles:
            shapes_of.setdefault(needle, []).append(number)
    return _Engine(
        needles=Needles(shapes_of),
        shapes_of=tuple(map(tuple, shapes_of.values())),
        always=tuple(number for number, shape in enumerate(shapes) if not shape.needles),
        shapes=tuple(
            _Compiled(mark(s.kind).encode(), re2.compile(s.pattern.encode(), bytewise()), s.entropy, s.made_up) for s in shapes
        ),
    )
