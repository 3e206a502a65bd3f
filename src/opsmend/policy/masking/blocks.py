"""Secrets that span lines in YAML: what a secret's name opens, and the data of Secret objects, also in diffs."""

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from opsmend.policy.secrets.keys import secret_in
from opsmend.policy.secrets.names import secret_name
from opsmend.policy.secrets.values import looks_like_credential, mark, may_be_secret

_SECRET_OBJECT: Final = re.compile(r"kind\\*[\"']?[ \t]*+:[ \t]*+\\*[\"']?Secret\b")
_OPENED: Final = re.compile(r":[ \t]*+(?:[|>][-+0-9]*+)?[ \t]*+$", re.MULTILINE)
_HEADER: Final = re.compile(
    r"^(?P<indent>[+\- \t]*+)[\"']?(?P<key>[\w./-]{1,253}+)[\"']?[ \t]*+:[ \t]*+(?P<rest>[|>][-+0-9]*+|)[ \t]*+$"
)
_ENTRY: Final = re.compile(r"^(?P<head>[+\- \t]*+[\"']?[\w./-]{1,253}+[\"']?[ \t]*+:[ \t]++)(?P<value>\S[^\n]*+)$")
_NAME: Final = re.compile(r"^[+\- \t]*+name[ \t]*+:[ \t]*+[\"']?(?P<name>[\w./-]{1,253}+)")
_INDENT: Final = re.compile(r"[+\- \t]*+")
_ITEM: Final = re.compile(
    r"^(?P<head>[+\- \t]*+(?:value[ \t]*+:[ \t]++)?[\"']?)(?P<value>[^\s\"':#{\[][^\n\"':]*+)(?P<tail>[\"']?)[ \t]*+$"
)
"""An item of a list, or a scalar that stands on a line of its own."""
_JSON_DATA: Final = re.compile(r"(?P<quote>\\*+\")(?:data|stringData)(?P=quote)\s*+:\s*+\{[^{}]*+\}")
_JSON_VALUE: Final = re.compile(r"(?P<head>:\s*+(?P<quote>\\*+\"))(?P<value>[^\"\\\n]*+)")


class _Block(NamedTuple):
    """Lines indented by more than `indent`, that `name` opened."""

    indent: int
    kind: str
    name: str = ""
    literal: bool = False
    """Whether all that is in it is one value."""


def mask_blocks(text: str) -> str:
    """`text` with each secret line of such a block masked; indentation, keys and the number of lines stay."""
    of_secret = bool(_SECRET_OBJECT.search(text))
    if of_secret:
        text = _JSON_DATA.sub(lambda data: _JSON_VALUE.sub(_masked_value, data[0]), text)
    if not of_secret and not _OPENED.search(text):
        return text
    return "\n".join(_masked_lines(text.split("\n"), of_secret))


def _masked_lines(lines: list[str], of_secret: bool) -> Iterator[str]:
    block: _Block | None = None
    previous = ""
    for line in lines:
        indent = len(_INDENT.match(line)[0])  # type: ignore[index]  # matches every line, the empty one too
        if block and line[indent:] and indent <= block.indent:
            block = None
        yield _masked_line(line, indent, block) if block and line[indent:] else line
        block = block or _block_opened_by(line, previous, of_secret)
        previous = line


def _block_opened_by(line: str, previous: str, of_secret: bool) -> _Block | None:
    """The block of secrets that follows `line`, None when none does."""
    header = _HEADER.match(line)
    if not header:
        return None
    indent, key, literal = len(header["indent"]), header["key"], bool(header["rest"])
    if of_secret and not literal and key in ("data", "stringData"):
        return _Block(indent, "secret-data")
    named = _NAME.match(previous) if key == "value" else None
    name = named["name"] if named else key
    declared = secret_name(name)
    return _Block(indent, declared.kind, name, literal) if declared and declared.sure else None


def _masked_line(line: str, indent: int, block: _Block) -> str:
    if block.literal:
        return line if line[indent:].startswith("[redacted:") else line[:indent] + mark(block.kind)
    return _masked_item(line, block) if block.name else _masked_entry(line, indent)


def _masked_item(line: str, block: _Block) -> str:
    item = _ITEM.match(line)
    # Secrets of Kubernetes and of Compose are listed by their names.
    if not item or (block.kind == "secret" and not looks_like_credential(item["value"])):
        return line
    kind = secret_in(block.name, item["value"])
    return item["head"] + mark(kind) + item["tail"] if kind else line


def _masked_entry(line: str, indent: int) -> str:
    """A line in the data of a Secret."""
    entry = _ENTRY.match(line)
    if entry:
        return entry["head"] + mark("secret-data") if may_be_secret(entry["value"]) else line
    if _HEADER.match(line) or line[indent:].startswith("[redacted:"):
        return line
    return line[:indent] + mark("secret-data")


def _masked_value(match: re.Match[str]) -> str:
    return match["head"] + mark("secret-data") if may_be_secret(match["value"]) else match[0]
