"""Passwords in SQL, in directives of servers, in what is piped to a command, and in a sentence."""

import re
from typing import Final

from opsmend.policy.needles import Needles
from opsmend.policy.secret_values import mark, may_be_secret
from opsmend.policy.secret_words import words

_VALUE: Final = (
    r"(?:(?P<quote>\\*[\"'])(?P<quoted>[^\"'\n]{1,512}?)(?P=quote)|(?P<bare>[^\s\"'|;&<>\\-][^\s\"'|;&<>\\]{0,511}+))"
)
_REST: Final = r"(?P<bare>[^\s\"';|]{1,512}+)"

_PHRASES: Final = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        # SQL.
        r"\bpassword(?:[ \t]*+[=(][ \t]*+|[ \t]++)\(?'(?P<quoted>[^'\n]++)'",
        rf"\bidentified[ \t]++(?:with[ \t]++\S{{1,64}}+[ \t]++)?(?:by|as)[ \t]++(?:password[ \t]++)?[\"']?{_REST}",
        # Directives of servers and files of credentials.
        r"\b(?:requirepass|masterauth|primaryauth|masterpass|auth[-_]pass(?:[ \t]+[\w-]+)?|bindpw|rootpw|(?:src|dest)?storepass"
        rf"|keypass)[\s\"',=]{{1,16}}+{_VALUE}",
        r"\b(?:login|user|username|account|machine)[ \t]++\S{1,256}+[ \t]++(?:password|passwd|pass|pwd|secret)[ \t]++"
        rf"(?:\d[ \t]++)?{_VALUE}",
        r"\b(?:acl[ \t]++setuser|user)[ \t]++\S{1,64}+[ \t][^\n]{0,200}?(?<=[ \t])>(?P<bare>\S{1,512}+)",
        r"\bstats[ \t]++auth[ \t]++[^\s:]{1,64}+:(?P<bare>\S{1,512}+)",
        rf"(?<=\n)[ \t]*+(?:password|passwd|insecure-password|secret)[ \t]++{_VALUE}[ \t]*+(?=\n|\Z)",
        # Given to a command by another.
        rf"\b(?:echo|printf)[ \t]++(?:-\w{{1,3}}[ \t]++)?[\"']?(?:[\w.-]{{1,64}}:)?{_REST}[\"']?[ \t]*+\|[^\n|]{{0,120}}?"
        r"(?:chpasswd|--?\w{0,20}-?stdin|sudo[ \t]++(?:-\w{1,3}[ \t]++)*-S|--with-token|--passphrase-fd|cryptsetup)",
        rf"<<<[ \t]*+{_VALUE}",
        rf"\bConvertTo-SecureString[ \t]++(?:-String[ \t]++)?{_VALUE}",
        # A sentence that says so.
        r"\b(?:with|using|and)[ \t]+(?:the[ \t]+|an?[ \t]+|this[ \t]+)?(?:[a-z]{2,12}[ \t]+){0,2}?"
        rf"(?:password|passphrase|passcode)(?:[ \t]+(?:is|was|of)(?=[ \t]))?[ \t]++{_VALUE}",
    )
)
_SENTENCES: Final = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        r"\b(?:password|passphrase|passcode|pass|pwd|secret|token|pin|api[ _-]?key|credentials?)(?:[ \t]+for[ \t]+\S{1,64}+)?"
        rf"[ \t]+(?:is|was|=|to|are)(?:[ \t]+(?:now|set[ \t]+to|changed[ \t]+to|reset[ \t]+to))?[ \t]*:?[ \t]++{_VALUE}",
        rf"\b(?:password|passphrase|passcode|passwd)[ \t]++{_VALUE}",
        rf"\b(?-i:AUTH)[\s\"]{{1,4}}+(?:[\w.-]{{1,64}}+[\s\"]{{1,4}}+)?{_VALUE}",
    )
)
"""Sentences that also say other things: what follows must be in quotes or look made up."""
_STEMS: Final = Needles(words("phrases"))
_GOES_ON: Final = words("goes_on") | words("about")


def mask_phrases(text: str) -> str:
    """`text` with such passwords masked."""
    if not _STEMS.any_in(text):
        return text
    for phrase in _PHRASES:
        text = phrase.sub(_masked, text)
    for sentence in _SENTENCES:
        text = sentence.sub(lambda found: _masked(found) if _stands_out(found) else found[0], text)
    return text


def _stands_out(found: re.Match[str]) -> bool:
    """In quotes, or of letters and something else, as no word is. A token in quotes is rather one of a grammar."""
    value = _value(found)
    if found["quoted"] is not None and "token" not in found[0].lower():
        return True
    return len(value) > 5 and bool(re.search(r"[A-Za-z]", value) and re.search(r"[^A-Za-z\-_.'/:]", value))


def _group(found: re.Match[str]) -> str:
    return "quoted" if "quoted" in found.re.groupindex and found["quoted"] is not None else "bare"


def _value(found: re.Match[str]) -> str:
    return found[_group(found)].rstrip(".,;:!?)")


def _masked(found: re.Match[str]) -> str:
    """The whole match with its value replaced, or as it was when that is no secret or a word that a sentence goes on with."""
    value, start = _value(found), found.start(_group(found)) - found.start()
    if not may_be_secret(value) or value.lower() in _GOES_ON:
        return found[0]
    return found[0][:start] + mark("password") + found[0][start + len(value) :]
