"""What stands under a secret's name and is none, and what looks like a credential under a name that leaves it open."""

import base64
import binascii
import math
import re
from collections import Counter
from typing import Final

from opsmend.policy.secrets.words import words

MARK: Final = "[redacted:"
"""How what stands where a secret was begins."""

_NOTHING: Final = words("nothing")
_SAYS: Final = words("says")
_ANSWERS: Final = frozenset({"true", "false", "none", "null", "yes", "no"})

_REFERENCES: Final = re.compile(
    r"""
      \$\(.* | \$\{[^}]*\} | \$\{\{.*\}\} | \$env:\w+ | (?-i:\$[A-Z_][A-Z0-9_]*|\$[a-z_]+|\$\d+) | \{\{.*\}\}
    | <.*> | <set\ to\ .* | %\(?\w+\)?[%s] | %env\(.*\)?%? | \#\{.*
    | \$__\w+\{.*\}                                                  # variables
    | \[redacted:[a-z0-9-]+\].* | [*•.xX·_?-]{3,} | [*•]{2,} | \((?:sensitive|known)\b.*
    | [\[(<]?(?:redacted|masked|filtered|hidden|secret|removed|sanitized|omitted)[\])>]
    | (?:your|insert|enter|put|replace)[_ -].*(?:here|key|token|secret|password)                # what a manual writes
    | (?:~|\.{1,2})?(?:/[\w.@+:-]+){2,}/? | [a-z]:\\[\w\\ .-]+ | file://.*                        # files
    | [\w./-]+\.(?:pem|key|crt|cer|p12|pfx|jks|json|ya?ml|txt|env|conf|cfg|ini|toml|properties)
    | (?:os\.environ|process\.env|system\.getenv|os\.getenv|env|config|cfg|settings|self|this|request|req|options|opts|args|ctx
        |params?|secrets?|vars?|local|data|module|values?)[.\[(].*                               # code
    | (?:\w+::)+\w+!?[(\[].*
    | [a-z]+_\w+(?:\.\w+)+ | [a-z_][a-z_.]*\([^()]*\)?;? | [a-z_][\w.]*\(\);? | [a-z_]\w*(?:\.\w+)+\(.*
    | (?:optional|list|dict|union|option|maybe)[\[<].*
    | (?:op|vault|ref\+\w+|awssm|gcpsm|azurekeyvault|secretsmanager|ssm|secretref|bao|doppler|akv|keyring)://?.+
    | vault:.+                                                                               # look-ups
    | arn:aws[\w-]*:.+ | projects/[\w-]+/secrets/.+ | @microsoft\.keyvault\(.* | ENC\[.* | (?-i:Ag[A-Z][\w+/=]{100,})
    | !(?:vault|secret|ref|sub|getatt|importvalue|env|include|encrypted)\b.*
    """,
    re.VERBOSE | re.IGNORECASE,
)
"""What only refers to a secret, or stands where one was: a variable, a template, a file, a look-up, a mark."""

_SAYS_SOMETHING: Final = re.compile(r"[^\W_]")
_NUMBER: Final = re.compile(r"[-+]?[0-9][0-9_,.]{0,8}(?:ms|s|m|h|d|[kKmMgG]i?[bB]?|%)?")
_PLAIN: Final = re.compile(
    r"""
      [-+]?[0-9][0-9_,.:]*(?:[a-zA-Z]{1,3}|%)?                                              # numbers, sizes, durations, times
    | \d{4}-\d\d-\d\d(?:[T ].*)?                                                            # moments
    | v?\d+(?:\.\d+)+[\w.+-]*                                                               # versions
    | [0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}                                  # UUIDs
    | (?:sha\d+[:-])?[0-9a-f]{7,128} | sha\d+[:-].* | md5[:-].*                               # digests
    | [a-zA-Z][\w+.-]*://.* | /.*                                                           # URLs, paths
    | [\w.+-]+@[\w-]+\.[\w.-]+                                                              # mail addresses
    | [\w-]+(?:\.[\w-]+)+(?::\d+)?(?:/[\w./-]*)?                                            # hosts, dotted names, images
    """,
    re.VERBOSE,
)
"""What is no credential unless its name says so."""
_MIXED: Final = re.compile(r"(?=\D*+\d)(?=[^A-Za-z]*+[A-Za-z])\S++")
_LETTER: Final = re.compile(r"[A-Za-z]")
_NO_LETTER: Final = re.compile(r"\d|[^\w\-.'/:]")
"""Letters of all alphabets are letters: `refusé` is a word."""
_HEX: Final = re.compile(r"[0-9a-f]{36,256}")
_DIGESTS: Final = frozenset({40, 56, 64, 96, 128})
"""Hexadecimal digits of the digests that are in use."""
_ASSIGNS: Final = re.compile(r"\w+=(?!=|\Z)")
_PARTS: Final = re.compile(r"[-_.:/@,;+ ]")
_WORDLIKE: Final = re.compile(r"[A-Za-z]+[0-9]{0,3}|[0-9]+[A-Za-z]?|[a-z0-9]{5,10}")
_TELLING: Final = 256
"""Characters from the start of a value that tell whether it is one."""
_BASE64: Final = re.compile(r"[A-Za-z0-9+/]{32,128}={0,2}")
_ENTROPY_OF_NO_PATH: Final = 4.5
"""Bits a character. Paths of as many characters in which no dot, dash or underscore stands have below 4.2."""
_SHORTEST: Final = 8
"""Characters of a credential under a name that leaves it open."""


def mark(kind: str) -> str:
    """What stands where a secret was."""
    return f"[redacted:{kind}]"


def may_be_secret(value: str) -> bool:
    """False for what only refers to a secret or is none: `$(DB_PASSWORD)`, `null`, `***`, a path, `must not be empty`."""
    stripped = value.strip()
    if not _SAYS_SOMETHING.search(stripped) or stripped.rstrip(";,.!?").lower() in _NOTHING or stripped.startswith(MARK):
        return False
    return (not _REFERENCES.fullmatch(stripped) or _is_random_path(stripped)) and not _is_said(stripped)


def _is_random_path(value: str) -> bool:
    """Base64 has slashes too: `/HaQt9mvI1us/4J6tP194L6FUXmRCLrVtYQ3TzjY` is an access key of S3, and no file."""
    return bool(_BASE64.fullmatch(value)) and bool(_MIXED.fullmatch(value)) and entropy(value) > _ENTROPY_OF_NO_PATH


def mark_lines(value: str, kind: str) -> str:
    """`mark` in the place of each line of `value` that holds something."""
    return "\n".join(
        f"{line[: len(line) - len(line.lstrip())]}{mark(kind)}" if line.strip() else line for line in value.split("\n")
    )


def is_number(value: str) -> bool:
    """A count, a size or a duration; what has ten digits or more may be a credential."""
    return bool(_NUMBER.fullmatch(value.strip()))


def is_plain(value: str) -> bool:
    """A number, a moment, a version, a digest, an id, a path, an address."""
    return bool(_PLAIN.fullmatch(value))


def looks_like_credential(value: str) -> bool:
    """Whether it has what made-up and random credentials have, and none of what names, numbers and addresses have."""
    stripped = value[:_TELLING].strip()
    if _HEX.fullmatch(stripped):
        return len(stripped) not in _DIGESTS
    return len(stripped) >= _SHORTEST and not is_plain(stripped) and is_random(stripped)


def is_random(value: str) -> bool:
    """Of letters and digits, and not of words and numbers with something between them."""
    parts = [part for part in _PARTS.split(value) if part]
    return bool(_MIXED.fullmatch(value)) and not (len(parts) > 1 and all(_WORDLIKE.fullmatch(part) for part in parts))


def is_made_up(value: str) -> bool:
    """Of letters and something else, as no word is."""
    return len(value) > 5 and bool(_LETTER.search(value) and _NO_LETTER.search(value)) and not _ASSIGNS.match(value)


def is_user_and_password(value: str) -> bool:
    """Whether it is base64 of `user:password`, as `Authorization: Basic` and Docker's configuration have it."""
    try:
        decoded = base64.b64decode(value + "=" * (-len(value) % 4), validate=True)
    except (binascii.Error, ValueError):
        return False
    return b":" in decoded and decoded.isascii() and decoded.decode("ascii").isprintable()


def entropy(text: str) -> float:
    """Shannon's, in bits a character."""
    return -sum(n / len(text) * math.log2(n / len(text)) for n in Counter(text).values())


def _is_said(value: str) -> bool:
    first, _, rest = value.partition(" ")
    word = first.strip(".,;:!\"'()").lower()
    if rest and word in _ANSWERS:
        return True
    return word in _SAYS and (bool(rest) or len(word) > 3 or word in ("no", "ok", "set"))
