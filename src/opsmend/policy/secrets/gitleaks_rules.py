"""The rules of gitleaks that know a credential by its own look, read from its own file (see gitleaks/README.md).

Left out are rules that take any 32 characters near a vendor's name for a secret: in a log those are commits, digests and ids.
Where such a rule names something of the secret itself (`NRAK-…`), that part is taken without the vendor's name before it.
"""

import re
import tomllib
from functools import cache
from importlib.resources import files
from typing import Any, Final, NamedTuple

from opsmend.policy.secrets.words import words

_NAME_BEFORE: Final = r"""(?:=|>|:{1,3}=|\|\||:|=>|\?=|,)[\x60'"\s=]{0,5}"""
"""What joins a vendor's name to a value in the rules that ask for both."""
_END: Final = re.compile(r"\(\?:\[\\x60'\"\\s;\]\|\\\\\[nr\]\|\$(?:\|\\b)?\)$")
"""What gitleaks wants after a token; a log goes on with other characters than source code does."""
_AFTER: Final = r"(?:[^0-9A-Za-z_-]|$)"
_VARIABLE: Final = re.compile(r"\[[^\]]*\]|\\[wdsSbB]|\{[^}]*\}|\(\?[^)]*\)|[()?*+|\\]")
"""Parts of a pattern that stand for more than one text."""
_TELLING: Final = re.compile(r"[A-Za-z0-9_-]{3,}")

_OURS: Final = frozenset(
    {
        "generic-api-key",
        "jwt",
        "private-key",
        "curl-auth-header",
        "curl-auth-user",
        "kubernetes-secret-yaml",
        "sourcegraph-access-token",
        "facebook-access-token",
        "vault-service-token",
        "sidekiq-sensitive-url",
        "atlassian-api-token",
        "slack-webhook-url",
        "microsoft-teams-webhook",
    }
)
"""Rules for which opsmend has others: they read names or whole files, take a commit for a secret, or the host with it."""


class Rule(NamedTuple):
    """`pattern` is RE2; its first group, where it has one that matched, is the secret. Text without a keyword cannot match.

    Keywords are lower case. `entropy` is what gitleaks asks for, in bits a character.
    """

    id: str
    pattern: str
    keywords: tuple[str, ...]
    entropy: float


@cache
def rules() -> tuple[Rule, ...]:
    """Those that know a secret by its look."""
    return tuple(rule for entry in entries() if (rule := _rule(entry)))


@cache
def vendors() -> frozenset[str]:
    """Names of the services that gitleaks has rules for, as they begin the names of its rules: stripe, twilio, …"""
    return frozenset(entry["id"].partition("-")[0] for entry in entries()) - words("no_vendors")


@cache
def entries() -> tuple[dict[str, Any], ...]:
    text = files("opsmend.policy.secrets").joinpath("gitleaks/gitleaks.toml").read_text(encoding="utf-8")
    return tuple(tomllib.loads(text)["rules"])


def _rule(entry: dict[str, Any]) -> Rule | None:
    if "regex" not in entry or "path" in entry or entry["id"] in _OURS:
        return None
    before, named, secret = entry["regex"].rpartition(_NAME_BEFORE)
    pattern, keywords = _END.sub(_AFTER, secret), tuple(entry["keywords"])
    if named:
        telling = _TELLING.search(_VARIABLE.sub(" ", _END.sub("", secret)))
        if telling is None:
            return None
        pattern = ("(?i)" if before.startswith("(?i)") else "") + r"\b" + pattern
        keywords = tuple(k for k in keywords if k in secret.lower()) or (telling[0].lower(),)
    return Rule(entry["id"], pattern, keywords, entry.get("entropy", 0.0))
