"""Passwords in SQL: of users that a statement makes or changes, and of rows that it writes."""

import re
from typing import Final

from opsmend.policy.needles import Needles, as_bytes
from opsmend.policy.secrets.keys import secret_in
from opsmend.policy.secrets.values import mark, may_be_secret

_OF_USER: Final = re.compile(
    r"\b(?:password(?:[ \t]*+[=(][ \t]*+|[ \t]++)\(?|identified[ \t]++(?:with[ \t]++\S{1,64}+[ \t]++)?(?:by|as)[ \t]++"
    r"(?:password[ \t]++)?)(?:N|E|U&)?(?:'(?P<single>[^'\n]++)|\"(?P<double>[^\"\n]++))"
    r"|\buser[ \t]++\S{1,128}+[ \t]++identified[ \t]++by[ \t]++(?P<bare>[^\s\"';]{1,512}+)",
    re.IGNORECASE,
)
_CIPHERS: Final = re.compile(
    r"(?P<head>\b(?:pgp_sym_(?:en|de)crypt(?:_bytea)?|aes_(?:en|de)crypt)\([^()',\n]{1,256}+,\s{0,16}+"
    r"|\b(?:en|de)cryptbypassphrase\(\s{0,16}+)N?'(?!\[redacted:)[^'\n]{1,512}+",
    re.IGNORECASE,
)
"""Functions that take the key of a cipher as an argument."""
_ROWS: Final = re.compile(
    r"\((?P<columns>[\w\s,.`\"\[\]]{1,1024}+)\)\s{0,16}+values\s{0,16}+(?P<rows>\((?:[^()'\n]|'[^'\n]*+'){1,2048}+\)"
    r"(?:\s{0,16}+,\s{0,16}+\((?:[^()'\n]|'[^'\n]*+'){1,2048}+\)){0,64})",
    re.IGNORECASE,
)
_ROW: Final = re.compile(r"\((?P<cells>(?:[^()'\n]|'[^'\n]*+')++)\)")
_CELL: Final = re.compile(r"(?:[^,']|'[^'\n]*+')++")
_STATEMENTS: Final = Needles([("password", "identified", "values", "pgp_sym_", "aes_", "cryptbypassphrase")])


def mask_sql(text: str) -> str:
    """`text` with such passwords masked."""
    if not _STATEMENTS.may_match(as_bytes(text)):
        return text
    text = _CIPHERS.sub(rf"\g<head>'{mark('password')}", text)
    return _ROWS.sub(_mask_rows, _OF_USER.sub(_mask_user, text))


def _mask_user(found: re.Match[str]) -> str:
    group = found.lastgroup or "bare"
    if not may_be_secret(found[group]):
        return found[0]
    return found[0][: found.start(group) - found.start()] + mark("password")


def _mask_rows(found: re.Match[str]) -> str:
    columns = [column.strip(' `"[]\n\t') for column in found["columns"].split(",")]
    head = found[0][: found.start("rows") - found.start()]
    return head + _ROW.sub(lambda row: f"({','.join(_masked_cells(columns, row['cells']))})", found["rows"])


def _masked_cells(columns: list[str], cells: str) -> list[str]:
    """The cells of one row, those under the name of a secret masked."""
    values = _CELL.findall(cells)
    if len(values) != len(columns):
        return [cells]
    return [_masked_cell(column, value) for column, value in zip(columns, values, strict=True)]


def _masked_cell(column: str, value: str) -> str:
    content = value.strip()
    quoted = content.startswith("'") and content.endswith("'") and len(content) > 2
    kind = secret_in(column, content[1:-1]) if quoted else None
    return value.replace(content, f"'{mark(kind)}'") if kind else value
