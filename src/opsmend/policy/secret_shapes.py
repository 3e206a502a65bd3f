"""Credentials that are known by their own look, wherever they stand. The patterns come from detect-secrets where it has one
that matches in the middle of a line in linear time; the rest follow the vendors' documented prefixes.
"""

import re
from typing import Any, Final, NamedTuple

from detect_secrets.plugins.aws import AWSKeyDetector
from detect_secrets.plugins.azure_storage_key import AzureStorageKeyDetector
from detect_secrets.plugins.base import RegexBasedDetector
from detect_secrets.plugins.github_token import GitHubTokenDetector
from detect_secrets.plugins.gitlab_token import GitLabTokenDetector
from detect_secrets.plugins.pypi_token import PypiTokenDetector
from detect_secrets.plugins.sendgrid import SendGridDetector
from detect_secrets.plugins.slack import SlackDetector
from detect_secrets.plugins.square_oauth import SquareOAuthDetector
from detect_secrets.plugins.stripe import StripeDetector
from detect_secrets.plugins.twilio import TwilioKeyDetector


class Shape(NamedTuple):
    """One pattern whose whole match is a secret of `kind`. Text that holds none of `needles` cannot match."""

    kind: str
    needles: tuple[str, ...]
    pattern: re.Pattern[str]


def _detected(kind: str, needles: tuple[str, ...], detector: type[RegexBasedDetector]) -> tuple[Shape, ...]:
    # The base class declares a property, each plugin sets a plain class attribute.
    patterns: Any = detector.denylist
    return tuple(Shape(kind, needles, pattern) for pattern in patterns)


SHAPES: Final[tuple[Shape, ...]] = (
    *_detected("aws-key", ("A3T", "ABIA", "ACCA", "AKIA", "ASIA", "aws", "AWS", "Aws"), AWSKeyDetector),
    *_detected("azure-key", ("AccountKey=",), AzureStorageKeyDetector),
    *_detected("github-token", ("ghp_", "gho_", "ghu_", "ghs_", "ghr_"), GitHubTokenDetector),
    *_detected(
        "gitlab-token",
        ("glpat-", "gld", "glf", "gls", "glr", "glc", "gli", "glp", "gla", "glo", "GR1348941"),
        GitLabTokenDetector,
    ),
    *_detected("pypi-token", ("pypi-",), PypiTokenDetector),
    *_detected("sendgrid-key", ("SG.",), SendGridDetector),
    *_detected("slack-token", ("xox", "XOX", "hooks.slack.com"), SlackDetector),
    *_detected("square-secret", ("sq0csp-",), SquareOAuthDetector),
    *_detected("stripe-key", ("k_live_",), StripeDetector),
    *_detected("twilio-key", ("AC", "SK"), TwilioKeyDetector),
    # detect-secrets ends a JWT before its signature and drops cut ones, as log tails have them.
    Shape("jwt", ("eyJ",), re.compile(r"\beyJ[\w-]{8,}+\.[\w-]{4,}+(?:\.[\w-]*+)?")),
    Shape("github-token", ("github_pat_",), re.compile(r"\bgithub_pat_\w{22,}+")),
    Shape("slack-token", ("xapp-", "xoxe"), re.compile(r"\bx(?:app|oxe(?:\.xox[bp])?)-\d-[\w-]{10,}+")),
    Shape("npm-token", ("npm_",), re.compile(r"\bnpm_[A-Za-z0-9]{36}\b")),
    Shape("google-key", ("AIza",), re.compile(r"\bAIza[\w-]{35}(?![\w-])")),
    Shape("google-token", ("ya29.",), re.compile(r"\bya29\.[\w-]{20,}+")),
    Shape("vault-token", ("hvs.", "hvb.", "hvr."), re.compile(r"\bhv[sbr]\.[\w-]{20,}+")),
    Shape("docker-token", ("dckr_",), re.compile(r"\bdckr_[ps]at_[\w-]{20,}+")),
    Shape("openshift-token", ("sha256~",), re.compile(r"\bsha256~[\w-]{43}(?![\w-])")),
    # OpenAI, Anthropic and those who copied them. The detect-secrets pattern is quadratic on hostile text.
    Shape("llm-key", ("sk-",), re.compile(r"(?<![\w-])sk-(?=[\w-]*\d)[\w-]{20,}+")),
)


_ANY_NEEDLE: Final = re.compile("|".join(sorted({re.escape(needle) for shape in SHAPES for needle in shape.needles})))


def mask_known_shapes(text: str) -> str:
    """`text` with each credential that is known by its look replaced by `[redacted:<kind>]`."""
    # Most strings hold no needle. Looking for those first takes the 30 patterns from 30 µs to 1 µs for a short string.
    if not _ANY_NEEDLE.search(text):
        return text
    for shape in SHAPES:
        if any(needle in text for needle in shape.needles):
            text = shape.pattern.sub(f"[redacted:{shape.kind}]", text)
    return text
