"""Passwords in directives of servers, in protocols, in what is piped to a command, and in a sentence."""

import re
from typing import Final, NamedTuple

from opsmend.policy.needles import Needles, as_bytes
from opsmend.policy.secrets.values import is_made_up, mark, may_be_secret
from opsmend.policy.secrets.words import words

_VALUE: Final = (
    r"(?:(?P<quote>\\*[\"'])(?P<quoted>[^\"'\n]{1,512}?)(?P=quote)|(?P<bare>[^\s\"'|;&<>\\=(-][^\s\"'|;&<>\\]{0,511}+))"
)
_REST: Final = r"(?P<bare>[^\s\"';|]{1,512}+)"


_NAMED: Final = "password|passphrase|passcode|passwd|pwd|kennwort|passwort|contraseña|senha|mot de passe|wachtwoord|lösenord"
_NAMES: Final = "password passphrase passcode passwd pwd kennwort passwort contrase senha passe wachtwoord senord"
"""What people call a password in a sentence, and parts of that in ASCII."""


class _Phrase(NamedTuple):
    needles: str
    """Words of which one is in a text with the phrase."""
    pattern: str
    clear: bool = True
    """False for one that also says other things: then what follows must be in quotes or look made up."""


_PHRASES: Final = (
    # Directives of servers and files of credentials.
    _Phrase(
        "requirepass masterauth primaryauth masterpass auth_pass auth-pass bindpw rootpw storepass keypass",
        r"\b(?:requirepass|masterauth|primaryauth|masterpass|auth[-_]pass(?:[ \t]+[\w-]+(?=[ \t]+[^\s{}]))?|bindpw|rootpw"
        rf"|(?:src|dest)?storepass|keypass)[\s\"',=]{{1,16}}+{_VALUE}",
    ),
    _Phrase(
        "login user account machine",
        r"\b(?:login|user|username|account|machine)[ \t]++\S{1,256}+[ \t]++(?:password|passwd|pass|pwd|secret)[ \t]++"
        rf"(?:\d[ \t]++)?{_VALUE}",
    ),
    _Phrase("user setuser", r"\b(?:acl[ \t]++setuser|user)[ \t]++\S{1,64}+[ \t][^\n]{0,200}?(?<=[ \t])>(?P<bare>\S{1,512}+)"),
    _Phrase("stats", r"\bstats[ \t]++auth[ \t]++[^\s:]{1,64}+:(?P<bare>\S{1,512}+)"),
    _Phrase(
        "password passwd insecure-password secret",
        rf"(?m:^)[ \t]*+(?:password|passwd|insecure-password|secret)[ \t]++{_VALUE}[ \t]*+(?=\n|\Z)",
    ),
    # Protocols: the login of FTP and POP3. What clients are called with.
    _Phrase("pass", rf"\b(?-i:USER)[ \t]++\S{{1,128}}+\r?\n(?:[^\n]{{0,200}}\n)?(?-i:PASS)[ \t]++{_VALUE}"),
    _Phrase(
        "auth( authenticate( login( basic_auth( basicauth( credentials(",
        r"(?:auth|authenticate|login|basic_?auth|set_?credentials)\(\s*+[\"'][^\"'\n]{1,128}+[\"'],\s*+"
        r"[\"'](?P<quoted>[^\"'\n]{1,512}+)",
    ),
    # Network devices: the key of a RADIUS server and the community of SNMP.
    _Phrase("key", rf"(?m:^)[ \t]*+(?:server-)?key[ \t]++[0-8][ \t]++{_VALUE}"),
    _Phrase(
        "community com2sec",
        rf"\b(?:snmp-server[ \t]++community|r[ow]community6?|com2sec6?[ \t]++\S{{1,64}}+[ \t]++\S{{1,64}}+)[ \t]++{_VALUE}",
    ),
    # A key in code.
    _Phrase("secretkeyspec", r"\bSecretKeySpec\(\s*+[\"'](?P<quoted>[^\"'\n]{1,512}+)"),
    # Users of cloud-init.
    _Phrase(
        "chpasswd",
        r"\bchpasswd:\s{0,64}+(?:expire:[^\n]{0,64}\n\s{0,64}+)?(?:list|users):[ \t]*+[|>]?[-+]?\s{0,64}+"
        r"(?:-?[ \t]*+[\w.-]{1,64}:\[redacted:password\]\s{0,64}+){0,16}-?[ \t]*+[\w.-]{1,64}:"
        r"(?P<bare>(?!\[redacted:)\S{1,512}+)",
    ),
    # Bundler's, for where gems come from.
    _Phrase(
        "bundle_",
        r"\b(?-i:BUNDLE_[A-Z0-9_]{1,64}__[A-Z0-9]{2,64}+)[\"']?[ \t]*+[:=][ \t]*+[\"']?"
        r"[\w.@+-]{1,64}+:(?P<bare>[^\s\"'/;][^\s\"';]{0,511}+)",
    ),
    # Given to a command by another.
    _Phrase(
        "chpasswd stdin sudo with-token passphrase-fd cryptsetup",
        rf"\b(?:echo|printf)[ \t]++(?:-\w{{1,3}}[ \t]++)?[\"']?(?:[\w.-]{{1,64}}:)?{_REST}[\"']?[ \t]*+\|[^\n|]{{0,120}}?"
        r"(?:chpasswd|--?\w{0,20}-?stdin|sudo[ \t]++(?:-\w{1,3}[ \t]++)*-S|--with-token|--passphrase-fd|cryptsetup)",
    ),
    _Phrase("<<<", rf"\b(?:chpasswd|--?\w{{0,20}}-?stdin|sudo[ \t]++-S)\b[^\n|]{{0,80}}?<<<[ \t]*+{_VALUE}"),
    _Phrase("securestring", rf"\bConvertTo-SecureString[ \t]++(?:-String[ \t]++)?{_VALUE}"),
    # Sentences.
    _Phrase(
        "password passphrase passcode",
        r"\b(?:with|using|and)[ \t]+(?:the[ \t]+|an?[ \t]+|this[ \t]+)?(?:[a-z]{2,12}[ \t]+){0,2}?"
        rf"(?:password|passphrase|passcode)(?:[ \t]+(?:is|was|of)(?=[ \t]))?[ \t]++{_VALUE}",
    ),
    _Phrase(
        "pass pwd secret token pin key credential",
        r"\b(?:password|passphrase|passcode|pass|pwd|secret|token|pin|api[ _-]?key|credentials?)(?:[ \t]+for[ \t]+\S{1,64}+)?"
        rf"[ \t]+(?:is|was|=|to|are)(?:[ \t]+(?:now|set[ \t]+to|changed[ \t]+to|reset[ \t]+to))?[ \t]*:?[ \t]++{_VALUE}",
        clear=False,
    ),
    _Phrase(_NAMES, rf"\b(?:{_NAMED})[ \t]++(?![/~])(?:(?:is|was|now)[ \t]++)?{_VALUE}", clear=False),
    _Phrase(
        _NAMES,
        rf"\b(?:{_NAMED})(?:[ \t]++[\w@.-]{{1,64}}+){{1,5}}?(?::|[ \t]++(?:to|para|auf|zu|vers|en))[ \t]++{_VALUE}",
        clear=False,
    ),
    _Phrase("token jeton", r"\b(?:token|jeton)[ \t]++(?P<bare>[0-9a-f]{32,128}+)\b"),
    _Phrase(
        "basic", r"\bbasic[ _-]?auth(?:entication)?[ \t]++(?:for[ \t]++|as[ \t]++)?[\w.@-]{1,64}+:(?P<bare>[^\s\"',;]{1,512}+)"
    ),
    _Phrase("auth", rf"\b(?-i:AUTH)[ \t\"]{{1,4}}+(?:[\w.-]{{1,64}}+[ \t\"]{{1,4}}+(?=\w))?{_VALUE}", clear=False),
)
_PATTERNS: Final = tuple(re.compile(phrase.pattern, re.IGNORECASE) for phrase in _PHRASES)
_NEEDLES: Final = Needles(phrase.needles.split() for phrase in _PHRASES)
_META: Final = re.compile(r"[A-Z]+(?:_[A-Z]+)*")
"""`secret CLIENT_SECRET`, as a manual writes it."""
_MAIL: Final = re.compile(r"[\w.+-]+@[\w-]+\.[\w.-]+")
_GOES_ON: Final = words("goes_on") | words("about")


def mask_phrases(text: str) -> str:
    """`text` with such passwords masked."""
    for position in _NEEDLES.may_match(as_bytes(text)):
        text = _PATTERNS[position].sub(_masked if _PHRASES[position].clear else _masked_if_it_stands_out, text)
    return text


def _masked_if_it_stands_out(found: re.Match[str]) -> str:
    return _masked(found) if _stands_out(found) else found[0]


def _stands_out(found: re.Match[str]) -> bool:
    """In quotes, or of letters and something else, as no word is. A token in quotes is rather one of a grammar."""
    value = _value(found)
    if _MAIL.fullmatch(value):
        return False  # "password reset email sent to …"
    return is_made_up(value) or (found["quoted"] is not None and "token" not in found[0].lower())


def _group(found: re.Match[str]) -> str:
    return "quoted" if "quoted" in found.re.groupindex and found["quoted"] is not None else "bare"


def _value(found: re.Match[str]) -> str:
    return found[_group(found)].rstrip(".,;:!?)]}>")


def _masked(found: re.Match[str]) -> str:
    """The whole match with its value replaced, or as it was when that is no secret or a word that a sentence goes on with."""
    value, start = _value(found), found.start(_group(found)) - found.start()
    if (
        _META.fullmatch(value)
        or not may_be_secret(found[_group(found)])
        or not may_be_secret(value)
        or value.lower() in _GOES_ON
    ):
        return found[0]
    return found[0][:start] + mark("password") + found[0][start + len(value) :]
