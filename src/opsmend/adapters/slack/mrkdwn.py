"""Foreign text made safe to show in Slack: it can look like nothing but text.

Whoever writes an alert, a log line or a name must not be able to mention a channel, place a link, leave the code block that
it is shown in, pass for one of our own headings, or reorder what a person reads. All pure.
Slack has three control characters, & < > (https://docs.slack.dev/messaging/formatting-message-text#escaping).
"""

import unicodedata
from html import escape
from typing import Final
from urllib.parse import quote

SECTION_LIMIT: Final = 3000
"""Characters of one section's text (https://docs.slack.dev/reference/block-kit/blocks/section-block)."""

_LOOKALIKES: Final = str.maketrans({"*": "∗", "~": "∼", "`": "ˋ"})
"""Bold, strike and code marks in prose; `_` stays, names are full of it and italics pass for nothing of ours."""

_FENCE: Final = "```"
_FRAME: Final = 2 * len(_FENCE) + 2
"""What a code block takes beside its text: two fences, each on a line of its own."""
_WORTH_SHOWING: Final = 200
"""A cut line shorter than this tells nobody anything."""
_BROKEN_FENCE: Final = "`\u200b`\u200b`"
_URL_SAFE: Final = ":/?#[]@!$'()*+,;=%&"
"""What a URL may hold as it is: RFC 3986 reserved characters, and % for what is encoded already."""


def visible(text: str) -> str:
    """`text` with control and format characters (bidi overrides, zero-width…) spelled out; newlines and tabs stay."""
    return "".join(
        char if char in "\n\t" or unicodedata.category(char) not in ("Cc", "Cf") else _spelled(char) for char in text
    )


def _spelled(char: str) -> str:
    return "" if char == "\r" else f"\\u{ord(char):04x}"


def escaped(text: str, limit: int) -> str:
    """`text` escaped and cut to `limit` characters of the result, never inside an escape."""
    whole = escape(text[: limit + 1], quote=False)
    if len(whole) <= limit:
        return whole
    cut = whole[: limit - 1]
    last = cut.rfind("&")
    if last >= 0 and ";" not in cut[last:]:
        cut = cut[:last]
    return f"{cut}…"


def prose(text: str, limit: int) -> str:
    """`text` as one line of plain words."""
    return escaped(" ".join(visible(text).split()).translate(_LOOKALIKES), limit)


def code(text: str, limit: int) -> str:
    """`text` as inline code; empty text gives an empty string, for Slack shows two backticks as they are."""
    line = prose(text, limit - 2)
    return f"`{line}`" if line else ""


def code_block(text: str, limit: int) -> str:
    """`text` as a code block of at most `limit` characters."""
    return f"{_FENCE}\n{escaped(_fenceless(text), limit - _FRAME)}\n{_FENCE}"


def code_blocks(text: str, limit: int, size: int = SECTION_LIMIT) -> tuple[list[str], int]:
    """`text` as code blocks of up to `size` characters each and `limit` together, broken between lines.

    Also returns how many lines are cut or left out: a line that is too long for a block of its own is cut.
    """
    lines = _fenceless(text).rstrip("\n").split("\n")
    blocks: list[list[str]] = []
    room, left, cut = 0, limit, 0
    for number, line in enumerate(lines):
        shown = escape(line, quote=False)
        if len(shown) + 1 > room:
            room = min(size, left) - _FRAME
            if room < min(len(shown) + 1, _WORTH_SHOWING):
                return [_fenced(block) for block in blocks], cut + len(lines) - number
            blocks.append([])
            left -= _FRAME
        if len(shown) + 1 > room:
            shown = escaped(line, room - 1)
            cut += 1
        blocks[-1].append(shown)
        room -= len(shown) + 1
        left -= len(shown) + 1
    return [_fenced(block) for block in blocks], cut


def link(url: str, label: str) -> str:
    """A link of our own making, or the bare label when `url` is not http(s)."""
    if not url.startswith(("http://", "https://")):
        return prose(label, 200)
    return f"<{escape(quote(url, safe=_URL_SAFE), quote=False)}|{prose(label, 200)}>"


def _fenceless(text: str) -> str:
    return visible(text).replace(_FENCE, _BROKEN_FENCE)


def _fenced(lines: list[str]) -> str:
    return "\n".join((_FENCE, *lines, _FENCE))
