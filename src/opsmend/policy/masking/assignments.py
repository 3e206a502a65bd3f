"""Names of secrets in text with what stands beside them: logs, JSON, YAML, properties, query strings, headers, code.

A name is read wherever something follows that joins a name and a value; `secret_in` decides, as it does for JSON. The patterns
take time that grows with the text alone: what repeats in them is possessive or has a bound.
"""

import re
from collections.abc import Iterator
from typing import Final

from opsmend.policy.masking import extents
from opsmend.policy.masking.cookies import mask_cookies
from opsmend.policy.masking.extents import Span
from opsmend.policy.secrets.keys import may_hold_spaces, secret_in
from opsmend.policy.secrets.names import SecretName, secret_name
from opsmend.policy.secrets.values import MARK, is_made_up, looks_like_credential, mark_lines

_JOINED: Final = re.compile(
    r"(?<![\w$])(?P<name>[\w$][\w.$-]{0,127}+)(?P<closed>(?:\\*[\"'`]|%22)?\]?(?:\x1b\[[\d;]{0,12}m)?)"
    r"(?:[ \t]++(?:\*?string|\[\]byte)(?=[ \t]++=))?[ \t]*+"
    r"(?P<joint>:[ \t]*+(?:str|string|String|bytes|SecretStr)[ \t]*+=(?!=)|→|!={1,2}|={3}|:{1,3}="
    r"|[=?.+]?=>?|:(?!:|//)|%3[AaDd](?:%22)?)"
)
_BEFORE: Final = re.compile(
    r"[ \t]*+(?:\*{1,2}[ \t]++|!unsafe[ \t]++|!!\w+[ \t]++)?"
    r"(?:(?:[bfrune]{1,2}|u&)(?=[\"'])|(?:Some|Ok|Just|Optional(?:\.of)?|(?:new )?String|StringValue"
    r"|Secret(?:Str)?|\[\]byte|bytes|Buffer\.from)"
    r"\((?=\\*[\"'])|(?:\[[\w.]{1,60}\]::[\w.]{1,60}\(){1,3}(?=[\"']))?",
    re.IGNORECASE,
)
"""What may stand between the joint and a value: tags of YAML, stars of Markdown, what a language wraps a string in."""
_SECOND_WORDS: Final = frozenset({"key", "keys", "string", "phrase", "code", "codes", "id", "str"})
_FIRST_WORD: Final = re.compile(r"\b(?P<first>[A-Za-z]{2,20})[ \t]$")
"""`Access key: …`: names of two words, as people write them."""
_IN_PATH: Final = re.compile(r"(?P<before>[\w.$-]{1,64})/$")
"""`env/DB_PASSWORD/value: …`: the path of a value in an object. `checksum/secret: …`"""

_OPENING: Final = re.compile(
    r"\n[+\-># \t]*+(?:(?:export|set|setx|ENV|ARG|env|declare -x|local|const|let|var|final|-e|--env)[ \t]++)?[\"']?\Z"
)
"""What may stand before a name that opens its line."""
_WINDOW: Final = 64
"""Characters before a name that tell whether it opens its line, or has a first word."""
_GOES_ON: Final = re.compile(r"[ \t](?:[\w.-]{1,64}+=|--?[A-Za-z])")
"""Another assignment or a flag on the same line: then a value ends at a space."""
_JUDGED: Final = 1024
"""Characters of a value that tell what it is. Values may lie within each other: to read each whole takes quadratic time."""

_HEADER: Final = re.compile(
    r"(?P<value>(?:bearer|basic|token|negotiate|ntlm|apikey|api-key|key|geniekey|splunk|ghost|bot|client-id)[ ]++"
    r"(?!\w{1,20}=\S)[^\s\"'\\]{1,4096}+"
    r"|(?:token|apikey|digest|oauth|sharedaccesssignature|sharedkey|hawk)[ ][^\"'\\\n]{0,4096}+"
    r"|[a-z][\w-]{1,30}+[ ](?=\S{0,64}?\d)(?=\S{0,64}?[a-z])[^\s\"'\\=]{16,4096}+)",
    re.IGNORECASE,
)
"""What an Authorization header holds: a scheme and what it takes."""
_COOKIES: Final = re.compile(r"(?P<value>[\w.-]{1,64}=[^\"'\\\n]{0,4096}+)")
_PROSE: Final = re.compile(r"[A-Z]?[a-z']{1,20}[.,]?(?= [a-z(\"'])")
_HOW_MANY: Final = re.compile(r"\d{1,6}[ \t]++[A-Za-z]")
"""`secrets: 27 configmaps: 61`"""
_PLAIN_WORD: Final = re.compile(r"[A-Z]?[a-z]+")


def mask_assigned(text: str) -> str:
    """`text` with the value masked wherever a name of a secret is joined with one."""
    parts, kept = [], 0
    for span, masked in _secrets(text):
        if span.start >= kept:
            parts += [text[kept : span.start], masked]
            kept = span.end
    return "".join([*parts, text[kept:]]) if parts else text


def _secrets(text: str) -> Iterator[tuple[Span, str]]:
    """Where each is, and what takes its place."""
    done = 0
    for match in _JOINED.finditer(text):
        name = _name(text, match) if match.start() >= done else ""
        named = secret_name(name) if name else None
        if named is None:
            continue
        at = _BEFORE.match(text, match.end()).end()  # type: ignore[union-attr]  # matches the empty text too
        for span in _values(text, at, match, named):
            kind = secret_in(name, text[span.start : min(span.end, span.start + _JUDGED)])
            if kind:
                done = span.end
                value = text[span.start : span.end]
                yield span, mask_cookies(value) if kind == "cookie" else mark_lines(value, kind)


def _name(text: str, match: re.Match[str]) -> str:
    """The name, with a word before it where that counts; empty where what looks like a name is none."""
    name, at, after = match["name"], match.start(), match.end()
    if match["joint"] == ":" and text[at - 1 : at] == ":" and not text[after : after + 1].isspace():
        return ""  # a part of an ARN
    if text[max(0, at - len(MARK)) : at] == MARK:
        return ""
    if text[max(0, at - 2) : at] == "${" and text[after : after + 1] in ("?", "+"):
        return ""  # what a shell says, or takes, where a variable is missing or there
    if text[at - 1 : at] in ('"', "'") and not match["closed"] and text[after:].lstrip(" ")[:1] == text[at - 1]:
        return ""  # a prompt: "Password: "
    if text[at - 1 : at] == "/" and match["joint"] == ":" and (path := _IN_PATH.search(text, max(0, at - _WINDOW), at)):
        return path["before"] if name.lower() == "value" else f"{path['before']}/{name}"
    if name.lower() in _SECOND_WORDS and (first := _FIRST_WORD.search(text, max(0, at - _WINDOW), at)):
        return f"{first['first']} {name}"
    return name


def _values(text: str, at: int, match: re.Match[str], named: SecretName) -> Iterator[Span]:
    """The value that begins at `at`, or each item of a list."""
    opens = not match["closed"] and _opens_its_line(text, match.start())
    if opens and match["joint"] == "=" and (over_lines := extents.quoted_over_lines(text, at)):
        yield over_lines
    elif quoted := extents.quoted(text, at):
        yield quoted
    elif text[at : at + 1] == "[":
        yield from (
            item for item in extents.items(text, at) if not item.bare or looks_like_credential(text[item.start : item.end])
        )
    elif header := _header(text, at, named):
        yield header
    elif opens and may_hold_spaces(named) and _takes_its_line(text, at, match) and (line := extents.line(text, at)):
        yield line
    elif (word := extents.word(text, at)) and not _is_said(text, at, match, word):
        yield word


def _header(text: str, at: int, named: SecretName) -> Span | None:
    pattern = {"authorization": _HEADER, "cookie": _COOKIES}.get(named.kind)
    found = pattern.match(text, at) if pattern else None
    return Span(*found.span("value")) if found else None


def _opens_its_line(text: str, at: int) -> bool:
    window = max(0, at - _WINDOW)
    return bool(_OPENING.search(text[window:at] if window else "\n" + text[:at]))


def _takes_its_line(text: str, at: int, match: re.Match[str]) -> bool:
    """Whether all that follows a name that opens its line is its value: passwords may hold spaces and punctuation."""
    if match["joint"] == ":":
        if _HOW_MANY.match(text, at):
            return False
        return text[at - 1 : at] in (" ", "\t") and not _is_count(text, match)
    end = text.find("\n", at)
    return match["joint"] == "=" and not _GOES_ON.search(text, at, end if end >= 0 else len(text))


def _is_said(text: str, at: int, match: re.Match[str], word: Span) -> bool:
    """`invalid token: unexpected end of input`: a plain word, a colon, and a sentence that goes on. `PASS: TestLogin`

    And `string password = 2;`, the number of a field.
    """
    if match["joint"] != ":":
        return text[word.end : word.end + 1] == ";" and text[word.start : word.end].isdigit() and word.end - word.start < 4
    if _is_count(text, match):
        return not is_made_up(text[word.start : word.end])
    return bool(_PLAIN_WORD.fullmatch(match["name"])) and bool(_PROSE.match(text, at))


def _is_count(text: str, match: re.Match[str]) -> bool:
    return match["name"].lower() == "pass"
