"""A secret's name and its value that stand apart: fields of a variable, flags, elements of XML, cells of a table, forms."""

import re
from typing import Final

from opsmend.policy.secrets.keys import secret_in
from opsmend.policy.secrets.names import secret_name
from opsmend.policy.secrets.values import is_made_up, looks_like_credential, mark

_NAME: Final = r"(?P<name>[\w$/][\w.$/-]{0,127}+)"
_QUOTED: Final = (
    r"(?P<quote>\\+[\"'])(?P<escaped>[^\n]{0,4096}?)(?P=quote)|\"(?P<double>(?:\\.|[^\"\\\n])*+)\"?|'(?P<single>[^'\n]*+)'?"
)

_VALUE_FIELD: Final = r"(?<![\w-])(?:value|val|content|default|defaultvalue|plaintext)\\*[\"']?[ \t]*+[:=][ \t]*+"
_FIELDS: Final = re.compile(
    r"(?<![\w-])(?:type(?=\\*[\"']?[ \t]*+[:=][ \t]*+\\*[\"']?passw)"
    r"|name|key|field|variable|parameter|header|param|parametername|envvar)\\*[\"']?[ \t]*+[:=][ \t]*+\\*[\"']?"
    rf"{_NAME}\\*[\"']?[ \t]*+,?"
    rf"(?P<values>(?:[ \t]*+(?:\r?\n)?[+\- \t]*+\\*[\"']?{_VALUE_FIELD}"
    r"(?:\\+[\"'][^\n]{0,4096}?\\+[\"']|\"(?:\\.|[^\"\\\n])*+\"?|'[^'\n]*+'?|[^\s\"'\\{\[][^\n]*+)){1,3})",
    re.IGNORECASE,
)
_VALUE: Final = re.compile(rf"{_VALUE_FIELD}(?:{_QUOTED}|(?P<bare>[^\s\"'{{\[<|>\\][^\n]*+))", re.IGNORECASE)
"""`- name: DB_PASSWORD` and `value: …` of a pod's variable, also both old and new in a diff."""

_FLAG: Final = re.compile(
    rf"(?<![\w-])--?{_NAME}[\"']?(?:[ \t]++|,[ \t]*+\n?[+\- \t]{{0,40}}+|\n[+ \t]{{0,40}}+(?:-[ \t]*+){{1,2}})"
    rf"(?!-)(?:{_QUOTED}|(?P<bare>[^\s\"',\-\[{{\\][^\s\"',]*+))"
)
"""`--password x` in a shell, `"--password", "x"` in JSON, `- --password` and `- x` in YAML."""

_ELEMENT: Final = re.compile(
    rf"(?:<|&lt;)(?:\w{{1,40}}:)?{_NAME}(?: [^<>\n]{{0,200}})?(?:>|&gt;)(?:<!\[CDATA\[)?"
    r"\s{0,64}+(?P<bare>(?:(?!&lt;)[^<\n\]])++)\s{0,64}+(?=\]\]>|<|&lt;)"
)
_SIBLINGS: Final = re.compile(
    rf"<(?P<element>name|key|string|id)>{_NAME}</(?P=element)>\s{{0,64}}+<(?P<other>value|string|data)>(?P<bare>[^<\n]++)(?=</(?P=other)>)"
)
_ATTRIBUTES: Final = re.compile(
    rf"<\w{{1,40}}[^<>\n]{{0,200}}?\b(?:name|key|id)=[\"']{_NAME}[\"'](?:[^<>\n]{{0,200}}?\b(?:value|default)=[\"'](?P<single>[^\"'\n]++)|"
    r"[^<>\n]{0,200}+>(?P<bare>[^<\n]++)(?=</))",
    re.IGNORECASE,
)
_CELLS: Final = re.compile(rf"[|│][ \t]*+{_NAME}[ \t]*+[|│][ \t]*+(?P<bare>[^\s|│][^|│\n]{{0,512}}+)(?=[|│])")
_PART_OF_FORM: Final = re.compile(rf"\bname=\"{_NAME}\"(?:\r?\n|\\r\\n|\\n){{2}}(?P<bare>[^\s\\][^\r\n\\]*+)")
_LABELLED: Final = re.compile(
    r"(?P<name>[A-Za-z][\w -]{0,40}):?</(?:b|strong|td|th|dt|label|span|li|p)>[ \t]*+(?:<\w[^<>\n]{0,100}>[ \t]*+)?"
    r"(?P<bare>[^<\s][^<\n]*+)"
)
"""`<td>Password</td><td>…</td>`"""
_SET: Final = re.compile(
    r"\b(?:(?:set|add|proxy_set|more_set)[-_]headers?|RequestHeader[ \t]++set|ENV|SetEnv|setenv|(?:fastcgi|uwsgi|scgi)_param)"
    rf"[ \t]++[\"']?{_NAME}[\"']?[ \t:]++(?:{_QUOTED}|(?P<bare>[^\s;\"']++))"
)
"""Headers, parameters and variables, as nginx, HAProxy, Apache and a Dockerfile set them."""
_LISTED: Final = re.compile(rf"[\"']{_NAME}[\"'],[ \t]*+[\"'](?P<bare>[^\"'\n]++)[\"']")
"""`("authorization", "Bearer …")`. Lists of names look the same, so what follows must look like a credential."""
_CALL: Final = re.compile(
    rf"(?:set|get|put|default|env|header|property|param|config)\w{{0,40}}+\(\s{{0,16}}+[\"']{_NAME}[\"'],\s{{0,16}}+"
    r"[\"'](?P<bare>(?:(?:bearer|basic|token)[ ])?[^\s\"']++)[\"']",
    re.IGNORECASE,
)
"""`setProperty("db.password", "…")`, `getenv("DB_PASSWORD", "…")`"""

_SAID: Final = re.compile(
    r"(?<![\w$./-])(?P<name>[A-Za-z][A-Za-z0-9]{0,40}+(?:[_-][A-Za-z0-9]{1,40}+){1,6}"
    r"|[a-z]{2,40}+[A-Z][A-Za-z0-9]{1,40}+)[ \t]++"
    r"(?:(?:is|was|now)[ \t]++)?(?:\"(?P<double>[^\"\n]{4,512}+)\"|'(?P<single>[^'\n]{4,512}+)'"
    r"|(?P<bare>[^\s\"'`,;&(){}\[\]<>|]{8,512}+))"
)
"""`auth_token 3b10…`, `could not parse REDIS_PASSWORD '…'`: what follows must look like a credential."""
_FOR: Final = re.compile(
    r"[\"'](?P<bare>[^\"'\s]{4,512}+)[\"'][ \t]++(?:for|of|in|as)[ \t]++(?:the[ \t]++)?"
    r"(?:(?:property|key|variable|field|option|parameter|setting|flag|env|environment)[ \t]++){0,2}[\"']?"
    rf"{_NAME}"
)
"""`invalid value '…' for property spring.rabbitmq.password`"""
_DECODED: Final = re.compile(
    r"\b(?:echo|printf)[ \t]++[\"']?(?P<bare>[A-Za-z0-9+/]{8,4096}+={0,2})[\"']?"
    r"[ \t]*+\|[ \t]*+base64[ \t]++--?[dD]\w{0,8}[ \t]*+>{1,2}[ \t]*+"
    r"(?:[\w./~-]{0,128}/)?(?P<name>[\w.-]{1,64}+)"
)
"""`echo … | base64 -d > /run/admin_password`"""
_OF_SECRET: Final = re.compile(
    r"\bget[ \t]++secrets?\b[^\n]{0,256}?jsonpath=[^\n]{0,8}?\{\.data[^\n}]{1,128}\}[\"']?\s{0,8}(?:→|[-=]?>|[:=])?\s{0,8}"
    r"(?P<bare>[A-Za-z0-9+/]{8,4096}+={0,2})(?![\w.-])"
)
"""What kubectl prints of a Secret."""
_HEX: Final = re.compile(r"[0-9a-f]{24,128}")
_METAVARIABLE: Final = re.compile(r"[A-Z_]{2,}|(?:string|str|text|file|path|name|value|int|stringArray|strings)")
"""`--token TOKEN` and `--token string` in the help of a command."""


def mask_pairs(text: str) -> str:
    """`text` with the value masked that stands apart from the name of a secret."""
    text = _FIELDS.sub(_mask_fields, text)
    text = _FLAG.sub(_mask_flag, text)
    if "<" in text:
        text = _SIBLINGS.sub(_mask_named, _LABELLED.sub(_mask_named, _ATTRIBUTES.sub(_mask_named, text)))
    if "<" in text or "&lt;" in text:
        text = _ELEMENT.sub(_mask_named, text)
    text = _DECODED.sub(_mask_named, _SET.sub(_mask_named, text))
    text = _FOR.sub(_mask_made_up, _SAID.sub(_mask_said, text))
    if "jsonpath" in text:
        text = _OF_SECRET.sub(_mask_printed, text)
    if "|" in text or "│" in text:
        text = _CELLS.sub(_mask_named, text)
    if 'name="' in text:
        text = _PART_OF_FORM.sub(_mask_named, text)
    text = _CALL.sub(_mask_named, text)
    return _LISTED.sub(_mask_listed, text)


def _mask_fields(found: re.Match[str]) -> str:
    head = found[0][: found.start("values") - found.start()]
    return head + _VALUE.sub(lambda value: _masked(value, found["name"]), found["values"])


def _mask_flag(found: re.Match[str]) -> str:
    return found[0] if _METAVARIABLE.fullmatch((found["bare"] or "").rstrip("])>")) else _masked(found, found["name"])


def _mask_named(found: re.Match[str]) -> str:
    return _masked(found, found["name"])


def _mask_said(found: re.Match[str]) -> str:
    if found["bare"] is None:
        return _mask_made_up(found)
    named, value = secret_name(found["name"]), found["bare"]
    hexadecimal = named is not None and named.kind in ("token", "secret") and bool(_HEX.fullmatch(value))
    form = named is not None and named.kind == "routing-key"
    return _mask_named(found) if looks_like_credential(value) or hexadecimal or form else found[0]


def _mask_made_up(found: re.Match[str]) -> str:
    return _mask_named(found) if is_made_up(found[_group(found)]) else found[0]


def _mask_printed(found: re.Match[str]) -> str:
    start = found.start("bare") - found.start()
    return found[0][:start] + mark("secret-data")


def _mask_listed(found: re.Match[str]) -> str:
    _scheme, _, credential = found["bare"].strip().rpartition(" ")
    return _mask_named(found) if looks_like_credential(credential) else found[0]


def _group(found: re.Match[str]) -> str:
    """The group that holds the value, by the quotes around it."""
    return next(g for g in ("escaped", "double", "single", "bare") if found.re.groupindex.get(g) and found[g] is not None)


def _masked(found: re.Match[str], name: str) -> str:
    """The whole match with its value replaced, or as it was when that is no secret."""
    group = _group(found)
    kind = secret_in(name, found[group])
    if kind is None:
        return found[0]
    start, end = found.start(group) - found.start(), found.end(group) - found.start()
    return found[0][:start] + mark(kind) + found[0][end:]
