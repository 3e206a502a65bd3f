"""Names of secrets in text with what stands beside them: logs, JSON, YAML, properties, query strings, headers, code.

A name is read wherever something follows that joins a name and a value; `secret_in` decides, as it does for JSON. The patterns
take time that grows with the text alone: what repeats in them is possessive or has a bound.
"""

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from opsmend.policy.needles import Needles
from opsmend.policy.secret_keys import secret_in
from opsmend.policy.secret_names import STEMS, secret_name
from opsmend.policy.secret_values import looks_like_credential, mark

_STEMS: Final = Needles((*STEMS, "value"))
"""A text without any of these assigns nothing to the name of a secret, unless letters of other alphabets spell it."""

_JOINED: Final = re.compile(
    r"(?<![\w$])(?P<name>[\w$][\w.$-]{0,127}+)(?P<closed>(?:\\*[\"'`]|%22)?\]?)[ \t]*+"
    r"(?P<joint>:[ \t]*+(?:str|string|String|bytes|SecretStr)[ \t]*+=(?!=)|:=|[=?]?=>?|:(?!:|//)|%3[AaDd](?:%22)?)"
)
_BEFORE: Final = re.compile(
    r"[ \t]*+(?:\*{1,2}[ \t]++|!unsafe[ \t]++|!!\w+[ \t]++)?"
    r"(?:[bfru]{1,2}(?=[\"'])|(?:Some|Ok|Just|Optional(?:\.of)?|String|StringValue|Secret)\((?=\\*[\"']))?",
    re.IGNORECASE,
)
"""What may stand between the joint and a value: tags of YAML, stars of Markdown, what a language wraps a string in."""
_SECOND_WORDS: Final = frozenset({"key", "keys", "string", "phrase", "code", "codes", "id", "str"})
_FIRST_WORD: Final = re.compile(r"\b(?P<first>[A-Za-z]{2,20})[ \t]$")
"""`Access key: …`: names of two words, as people write them."""

_POINTER: Final = re.compile(r"(?P<name>[\w.$-]{1,64})/$")
"""`env/DB_PASSWORD/value: …`: the path of a value in an object."""

_OPENING: Final = re.compile(
    r"\n[+\-># \t]*+(?:(?:export|set|setx|ENV|ARG|env|declare -x|local|const|let|var|final|-e|--env)[ \t]++)?[\"']?\Z"
)
"""What may stand before a name that opens its line."""
_WINDOW: Final = 64
"""Characters before a name that tell whether it opens its line, or has a first word."""

_JUDGED: Final = 1024
"""Characters of a value that tell what it is. Values may lie within each other: to read each whole takes quadratic time."""

_ESCAPED: Final = re.compile(r"(?P<quote>\\+[\"'])(?P<value>[^\n]{0,4096}?)(?=(?P=quote)|\n|\Z)")
_DOUBLE: Final = re.compile(r"\"(?P<value>(?:\\.|[^\"\\\n])*+)")
_SINGLE: Final = re.compile(r"'(?P<value>(?:\\.|[^'\\\n])*+)")
_BACKTICK: Final = re.compile(r"`(?P<value>[^`\n]*+)")
_BRACED: Final = re.compile(r"\{(?P<value>[^{}\n:=\"']{1,512}+)(?=\})")
_QUOTED: Final = (_ESCAPED, _DOUBLE, _SINGLE, _BACKTICK, _BRACED)
"""The last is ODBC's."""
_REST: Final = re.compile(r"(?P<value>[^\s\"'`{\[|>&*][^\n]*+)")
_HEADER: Final = re.compile(
    r"(?P<value>(?:(?:bearer|basic|token|digest|negotiate|ntlm|apikey|api-key|key|oauth|geniekey|splunk|aws4-hmac-sha256"
    r"|sharedaccesssignature|sharedkey|ghost|hawk|bot|client-id)[ ]|[\w.-]{1,64}=)[^\"'\\\n]{0,4096}+)",
    re.IGNORECASE,
)
"""What a header of this kind holds up to the end of its line: a scheme and what it takes, or cookies."""
_HEADERS: Final = ("authorization", "cookie")
_BARE: Final = re.compile(
    r"(?P<value>\$[({][^)}\n]{0,128}[)}]|\{\{[^}\n]{0,128}\}\}|<[^<>\n]{0,128}>"
    r"|[^\s\"'`,;&{\[<>|)}\]\\](?:[^\s\"'`,;&<>|)}\]\\]|[<>|)}\]](?=\w)|[,;&](?=[^\s,;&=:\"'\\]{1,64}+(?:[\s,;&\"'\\)}\]]|\Z))"
    r"|\\(?![nrt\"'\\u])){0,2048}+)"
)
"""Up to where what goes on with another name, a bracket that closes, or an escaped line break."""
_MORE_LOGFMT: Final = re.compile(r"[ \t][\w.-]{1,64}+=")
_LIST: Final = re.compile(r"\[(?P<items>[^\[\]{}\n]{1,4096})\]")
_ITEM: Final = re.compile(r"\"(?P<double>[^\"\n]*+)\"|'(?P<single>[^'\n]*+)'|(?P<bare>[^\s,\"']++)")
_PROSE: Final = re.compile(r"[A-Z]?[a-z']{1,14}[.,]?(?= [a-z(])")
_PLAIN_WORD: Final = re.compile(r"[A-Z]?[a-z]+")


class _Span(NamedTuple):
    start: int
    end: int


def mask_assigned(text: str) -> str:
    """`text` with the value masked wherever a name of a secret is joined with one."""
    if text.isascii() and not _STEMS.any_in(text):
        return text
    parts, kept = [], 0
    for start, end, kind in _secrets(text):
        if start >= kept:
            parts += [text[kept:start], mark(kind)]
            kept = end
    return "".join([*parts, text[kept:]]) if parts else text


def _secrets(text: str) -> Iterator[tuple[int, int, str]]:
    """Where each begins and ends, and its kind."""
    done = 0
    for match in _JOINED.finditer(text):
        if match.start() < done:
            continue
        name = _full_name(text, match)
        if name is None:
            continue
        at = _BEFORE.match(text, match.end()).end()  # type: ignore[union-attr]  # matches the empty text too
        for span in _values_at(text, at, match, name):
            kind = secret_in(name, text[span.start : min(span.end, span.start + _JUDGED)])
            if kind:
                done = span.end
                yield span.start, span.end, kind


def _full_name(text: str, match: re.Match[str]) -> str | None:
    """The name with a word before it where it needs one; None when it is not that of a secret, or a part of an ARN."""
    name, at = match["name"], match.start()
    if match["joint"] == ":" and text[at - 1 : at] == ":" and not text[match.end() : match.end() + 1].isspace():
        return None
    if name.lower() == "value":
        pointer = _POINTER.search(text, max(0, at - _WINDOW), at)
        name = pointer["name"] if pointer else name
    if name.lower() in _SECOND_WORDS:
        first = _FIRST_WORD.search(text, max(0, at - _WINDOW), at)
        name = f"{first['first']} {name}" if first else name
    return name if secret_name(name) else None


def _values_at(text: str, at: int, match: re.Match[str], name: str) -> Iterator[_Span]:
    """The value that begins at `at`, or each item of a list."""
    for pattern in _QUOTED:
        if quoted := pattern.match(text, at):
            yield _Span(*quoted.span("value"))
            return
    if items := _LIST.match(text, at):
        yield from _items(items)
        return
    if name.lower().endswith(_HEADERS) and (header := _HEADER.match(text, at)):
        yield _Span(*header.span("value"))
        return
    if _owns_its_line(text, at, match) and (rest := _REST.match(text, at)):
        yield _Span(rest.start("value"), rest.start("value") + len(rest["value"].rstrip().rstrip(",;")))
        return
    bare = _BARE.match(text, at)
    if bare and not _is_prose(text, at, match):
        yield _Span(*bare.span("value"))


def _items(items: re.Match[str]) -> Iterator[_Span]:
    for item in _ITEM.finditer(items.string, *items.span("items")):
        group = item.lastgroup or "bare"
        if group != "bare" or looks_like_credential(item[group]):
            yield _Span(*item.span(group))


def _owns_its_line(text: str, at: int, match: re.Match[str]) -> bool:
    """Whether the name opens its line, so that all that follows is its value: passwords may hold spaces and punctuation."""
    window = max(0, match.start() - _WINDOW)
    if match["closed"] or not _OPENING.search(text[window : match.start()] if window else "\n" + text[: match.start()]):
        return False
    if match["joint"] == ":":
        return text[at - 1 : at] in (" ", "\t")
    return match["joint"] == "=" and (match["name"].isupper() or not _MORE_LOGFMT.search(text, at, _end_of_line(text, at)))


def _end_of_line(text: str, at: int) -> int:
    end = text.find("\n", at)
    return len(text) if end < 0 else end


def _is_prose(text: str, at: int, match: re.Match[str]) -> bool:
    """`invalid token: unexpected end of input`: a plain word, a colon, and a sentence that goes on."""
    return match["joint"] == ":" and bool(_PLAIN_WORD.fullmatch(match["name"])) and bool(_PROSE.match(text, at))
