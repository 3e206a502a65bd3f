"""Private keys in PEM, PuTTY's files and JSON Web Keys: whole, cut at either end, on one line, in a diff, in base64."""

import base64
import binascii
import re
from typing import Final

_PRIVATE_KEY: Final = "PRIVATE KEY"
_BEGIN: Final = re.compile(r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----")
_END: Final = re.compile(r"-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----")
_ON_ONE_LINE: Final = re.compile(rf"(?P<begin>{_BEGIN.pattern})(?:(?!-----)[^\n])++(?={_END.pattern})")
_TAIL_ON_ONE_LINE: Final = re.compile(rf"(?<![A-Za-z0-9+/=\\])[A-Za-z0-9+/=\\]{{8,}}+(?={_END.pattern})")
_KEY_LINE: Final = re.compile(r"(?P<material>(?<![A-Za-z0-9+/=])[A-Za-z0-9+/]{24,}+={0,2})(?P<after>\\*[\"',]*\s*)$")
_LAST_LINE: Final = re.compile(r"(?P<material>(?<![A-Za-z0-9+/=])[A-Za-z0-9+/]+={0,2})(?P<after>\\*[\"',]*\s*)$")
_HEADER_LINE: Final = re.compile(r"^[+\- \t]*(?:Proc-Type: |DEK-Info: |Version: |Comment: |$)")
_PUTTY: Final = re.compile(r"(?P<head>\bPrivate-Lines: [0-9]{1,4}\r?\n)(?P<lines>(?:[A-Za-z0-9+/=]{1,80}\r?\n?)++)")
_MEMBER: Final = re.compile(r"(?P<head>\"(?:d|p|q|dp|dq|qi|k)\"[ \t]*+:[ \t]*+\")[\w-]{16,}+")
"""Of a JSON Web Key, RFC 7518."""
_ENCODED: Final = re.compile(r"LS0tLS1CRUdJTi[A-Za-z0-9+/]++={0,2}")
_MARK: Final = "[redacted:private-key]"


def mask_private_keys(text: str) -> str:
    """`text` with key material replaced line by line; certificates and public keys stay."""
    if "LS0tLS1CRUdJTi" in text:
        text = _ENCODED.sub(_mask_encoded, text)
    if '"kty"' in text:
        text = _MEMBER.sub(rf"\g<head>{_MARK}", text)
    if "Private-Lines" in text:
        text = _PUTTY.sub(lambda key: key["head"] + re.sub(r"[^\r\n]+", _MARK, key["lines"]), text)
    if f"{_PRIVATE_KEY}-----" not in text and f"{_PRIVATE_KEY} BLOCK-----" not in text:
        return text
    text = _TAIL_ON_ONE_LINE.sub(_MARK, _ON_ONE_LINE.sub(rf"\g<begin>{_MARK}", text))
    lines = text.split("\n")
    _mask_from_begin(lines)
    _mask_up_to_end(lines)
    return "\n".join(lines)


def _mask_encoded(match: re.Match[str]) -> str:
    head = match[0][:64]
    try:
        opening = base64.b64decode(head[: len(head) // 4 * 4])
    except binascii.Error:
        return _MARK
    cut = len(opening) < 40 and not opening.startswith((b"-----BEGIN CERT", b"-----BEGIN PUBLIC"))
    return _MARK if _PRIVATE_KEY.encode() in opening or cut else match[0]


def _mask_from_begin(lines: list[str]) -> None:
    inside = False
    for number, line in enumerate(lines):
        begins = list(_BEGIN.finditer(line))
        if begins:
            lines[number], inside = _mask_opening_line(line, begins[-1].end())
        elif inside:
            following = lines[number + 1] if number + 1 < len(lines) else ""
            lines[number], inside = _mask_inner_line(line, following)


def _mask_opening_line(line: str, start: int) -> tuple[str, bool]:
    """The line up to `start` is kept. With escaped line breaks the whole key is on this line, its end cut off."""
    if _END.search(line, start):
        return line, False
    cut = bool(re.match(r"\\+[nr]", line[start:]))
    return (line[:start] + _MARK, False) if cut else (line, True)


def _mask_inner_line(line: str, following: str) -> tuple[str, bool]:
    if _END.search(line):
        return line, False
    material = (_LAST_LINE if _END.search(following) else _KEY_LINE).search(line)
    if material:
        return line[: material.start()] + _MARK + material["after"], True
    return line, bool(_HEADER_LINE.match(line)) or _MARK in line


def _mask_up_to_end(lines: list[str]) -> None:
    """The tail of a key whose beginning was cut off: walk up from END while lines look like key material."""
    for number, line in enumerate(lines):
        if not _END.search(line) or _BEGIN.search(line):
            continue
        pattern = _LAST_LINE
        for above in range(number - 1, -1, -1):
            material = pattern.search(lines[above])
            if not material:
                break
            lines[above] = lines[above][: material.start()] + _MARK + material["after"]
            pattern = _KEY_LINE
