"""Secrets that span lines in YAML: block scalars under a secret key, and the data of Secret objects, also in diffs."""

import re
from collections.abc import Iterator
from typing import Final

from opsmend.policy.secret_keys import mark, may_be_secret, secret_kind

_SECRET_OBJECT: Final = re.compile(r"kind\\*[\"']?[ \t]*+:[ \t]*+\\*[\"']?Secret\b")
_BLOCK_SCALAR: Final = re.compile(r":[ \t]*+[|>][-+0-9]*+[ \t]*+$", re.MULTILINE)
_HEADER: Final = re.compile(
    r"^(?P<indent>[+\- \t]*+)[\"']?(?P<key>[\w./-]{1,253}+)[\"']?[ \t]*+:[ \t]*+(?P<rest>[|>][-+0-9]*+|)[ \t]*+$"
)
_ENTRY: Final = re.compile(r"^(?P<head>[+\- \t]*+[\"']?[\w./-]{1,253}+[\"']?[ \t]*+:[ \t]++)(?P<value>\S[^\n]*+)$")
_NAME: Final = re.compile(r"^[+\- \t]*+name[ \t]*+:[ \t]*+[\"']?(?P<name>[\w./-]{1,253}+)")
_INDENT: Final = re.compile(r"[+\- \t]*+")
_JSON_DATA: Final = re.compile(r"(?P<quote>\\*+\")(?:data|stringData)(?P=quote)\s*+:\s*+\{[^{}]*+\}")
_JSON_VALUE: Final = re.compile(r"(?P<head>:\s*+(?P<quote>\\*+\"))(?P<value>[^\"\\\n]*+)")


def mask_blocks(text: str) -> str:
    """`text` with each line of such a block masked; indentation, keys and the number of lines stay."""
    of_secret = bool(_SECRET_OBJECT.search(text))
    if of_secret:
        text = _JSON_DATA.sub(lambda data: _JSON_VALUE.sub(_masked_value, data[0]), text)
    if not of_secret and not _BLOCK_SCALAR.search(text):
        return text
    return "\n".join(_masked_lines(text.split("\n"), of_secret))


def _masked_lines(lines: list[str], of_secret: bool) -> Iterator[str]:
    block: tuple[int, str] | None = None
    previous = ""
    for line in lines:
        indent = len(_INDENT.match(line)[0])  # type: ignore[index]  # matches every line, the empty one too
        if block and line[indent:] and indent <= block[0]:
            block = None
        yield _masked_line(line, indent, block[1]) if block and line[indent:] else line
        block = block or _block_opened_by(line, previous, of_secret)
        previous = line


def _block_opened_by(line: str, previous: str, of_secret: bool) -> tuple[int, str] | None:
    """Indentation and kind of the secret lines that follow `line`, None when none do."""
    header = _HEADER.match(line)
    if not header:
        return None
    if not header["rest"]:
        return (len(header["indent"]), "secret-data") if of_secret and header["key"] in ("data", "stringData") else None
    named = _NAME.match(previous) if header["key"] == "value" else None
    kind = secret_kind(named["name"] if named else header["key"])
    return (len(header["indent"]), kind) if kind else None


def _masked_line(line: str, indent: int, kind: str) -> str:
    entry = _ENTRY.match(line) if kind == "secret-data" else None
    if entry:
        return entry["head"] + mark(kind) if may_be_secret(entry["value"]) else line
    if kind == "secret-data" and _HEADER.match(line):
        return line
    return line if line[indent:].startswith("[redacted:") else line[:indent] + mark(kind)


def _masked_value(match: re.Match[str]) -> str:
    return match["head"] + mark("secret-data") if may_be_secret(match["value"]) else match[0]
