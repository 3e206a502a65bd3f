"""Which names are names of secrets: one grammar for text, JSON, YAML, properties and arguments.

A name is taken apart into words, whatever joins them: `dbPassword`, `DB_PASSWORD`, `db.password`, `--db-pass`, `DBPASSWORD`.
Its last word that means anything decides. `API_KEYS` and `password.old` are names of secrets, `password_file` and `max_tokens`
are not. Some names leave it open, as `redis key` does: then the value must look like a credential.
"""

import re
import unicodedata
from functools import lru_cache
from typing import Final, NamedTuple

from opsmend.policy.needles import Needles, as_bytes
from opsmend.policy.secrets.gitleaks_rules import vendors
from opsmend.policy.secrets.words import words


class SecretName(NamedTuple):
    """`sure`: whatever stands under the name is a secret. Otherwise only what looks like a credential is.

    `goes_on`: it may be about how long or how many: `password_ablauf_tage`, `longueur_mot_de_passe`.
    """

    kind: str
    sure: bool
    goes_on: bool = False


_USUAL_NAME: Final = 64
"""Characters of a name that is worth remembering: keys of an object are shorter, and a hostile one must not fill memory."""
_LONGEST_NAME: Final = 1024

_WORD: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")

_WORDS: Final = {
    **dict.fromkeys(words("passwords"), SecretName("password", True)),
    "secret": SecretName("secret", True),
    "token": SecretName("token", True),
    "apikey": SecretName("api-key", True),
    "credential": SecretName("credentials", True),
    "cred": SecretName("credentials", True),
    "cookie": SecretName("cookie", True),
    "authorization": SecretName("authorization", True),
    "dsn": SecretName("dsn", True),
    "sessid": SecretName("session-id", True),
    "masterauth": SecretName("password", True),
    "primaryauth": SecretName("password", True),
    "mnemonic": SecretName("mnemonic", True),
    "auth": SecretName("auth", False),
    "bearer": SecretName("token", False),
    "jwt": SecretName("token", False),
    "tok": SecretName("token", False),
    "otp": SecretName("password", False),
    "session": SecretName("session-id", False),
    "sid": SecretName("session-id", False),
    "sas": SecretName("signature", False),
    "sig": SecretName("signature", False),
    "signature": SecretName("signature", False),
    "hmac": SecretName("signature", False),
    "salt": SecretName("salt", False),
    "pepper": SecretName("salt", False),
    "licence": SecretName("license-key", False),
    "license": SecretName("license-key", False),
    "key": SecretName("key", False),
}
"""What a word alone declares."""

_PAIRS: Final = {
    ("session", "id"): SecretName("session-id", True),
    ("secret", "id"): SecretName("secret-id", False),
    ("conn", "str"): SecretName("connection-string", True),
    ("connection", "str"): SecretName("connection-string", True),
    ("conn", "string"): SecretName("connection-string", True),
    ("connection", "string"): SecretName("connection-string", True),
    ("key", "data"): SecretName("client-key-data", True),
    ("certificate", "data"): SecretName("client-certificate-data", True),
    ("amz", "signature"): SecretName("signature", True),
    ("amz", "credential"): SecretName("credentials", True),
    ("goog", "signature"): SecretName("signature", True),
    ("sonar", "login"): SecretName("token", False),
    ("routing", "key"): SecretName("routing-key", False),
    ("snmp", "community"): SecretName("password", True),
    ("de", "passe"): SecretName("password", True),
    ("key", "api"): SecretName("api-key", True),
    ("seed", "phrase"): SecretName("mnemonic", True),
    ("recovery", "phrase"): SecretName("mnemonic", True),
    ("recovery", "code"): SecretName("code", False),
    ("backup", "code"): SecretName("code", False),
    ("auth", "code"): SecretName("code", False),
    ("authorization", "code"): SecretName("code", False),
}
"""What two words declare together; the first is only asked for where the name has it. kubeconfig has the two kinds of data.

`mot de passe` is French for a password, and Romance languages name a key first and what it opens after it.
"""

_TRANSLATED: Final = {
    **dict.fromkeys(("schluessel", "schlussel", "chave", "clave", "sleutel"), "key"),
    **dict.fromkeys(("jeton",), "token"),
    **dict.fromkeys(("geheimnis", "segredo", "secreto"), "secret"),
    **dict.fromkeys(("zugang", "zugangs", "zugriff", "zugriffs", "acceso", "acesso", "acces"), "access"),
}
"""Words of other languages, without their accents, that mean one of ours. Those for a password alone are in words.toml."""

_MEAN_A_SECRET: Final = {word for word, meaning in _TRANSLATED.items() if meaning != "access"} | {"passe"}
_STEMS: Final = Needles([{*_WORDS, *_MEAN_A_SECRET, *(first for first, _ in _PAIRS if first != "de")}])
"""Each name of a secret has one of these in it."""

_OPENING_KEYS: Final = words("opening_keys") | vendors()
_FINDING_KEYS: Final = words("finding_keys")
_AUTH_OF: Final = words("auth_of")
_ABOUT: Final = words("about")
_MEASURES: Final = words("measures")
_SKIPPED: Final = words("skipped")
_NEVER: Final = {"token": words("no_token"), "secret": words("no_secret"), "pass": words("no_pass")}
"""What a word before takes its meaning away."""

_GLUED: Final = re.compile(
    r"(?P<before>\w*?)(?P<word>password|passwd|passphrase|passwort|kennwort|motdepasse|wachtwoord|credentials?|secret|geheimnis|token"
    r"|pass|pwd|apikey|sessid)s?\Z"
)
_GLUED_KEY: Final = re.compile(r"(?P<before>\w{2,}?)(?:keys?|schlue?ssel)\Z")
_NOT_GLUED: Final = words("not_glued")


def may_name_secrets(text: str) -> bool:
    """Whether the name of a secret can stand in `text`: most texts have none, and letters of other alphabets may spell one."""
    return not text.isascii() or bool(_STEMS.may_match(as_bytes(text)))


def secret_name(name: str) -> SecretName | None:
    """What `name` declares (`DB_PASSWORD` → a password, surely), None when it declares no secret."""
    return _by_name(name) if len(name) <= _USUAL_NAME else _read(name[-_LONGEST_NAME:])


def words_of(name: str) -> list[str]:
    """The words that `name` is written in, in lower case."""
    return [word.lower() for word in _WORD.findall(name)]


def _read(name: str) -> SecretName | None:
    if name.startswith("."):
        return None  # a file, as .pgpass: what stands in it has names of its own
    parts = [_TRANSLATED.get(word, word) for part in words_of(_plain_letters(name)) for word in _unglued(part)]
    unknown_after = False
    for position in range(len(parts) - 1, -1, -1):
        word, before = parts[position], parts[position - 1] if position else ""
        found = _declared(word, before, upper=name.isupper())
        if word == "key" and before in _FINDING_KEYS:
            return None
        if found is not None:
            measured = unknown_after or not _MEASURES.isdisjoint(parts[:position])
            sure = found.sure and (not unknown_after or found.kind == "password")
            return found._replace(sure=sure, goes_on=measured)
        if word in _ABOUT or word.removesuffix("s") in _ABOUT or before in _NEVER.get(word, ()):
            return None
        unknown_after = unknown_after or not (word in _SKIPPED or word.isdigit())
    return None


_by_name: Final = lru_cache(maxsize=4096)(_read)
"""The same few names stand in every object, and reading them anew took two thirds of redacting one."""


def _plain_letters(name: str) -> str:
    """Other alphabets have letters that look like ours, and programs that fold them: paſſword, ｐａｓｓｗｏｒｄ, contraseña."""
    if name.isascii():
        return name
    folded = unicodedata.normalize("NFKD", name)
    return "".join(letter for letter in folded if not unicodedata.combining(letter))


def _unglued(word: str) -> list[str]:
    """`dbpassword` → db password; `tokens` → token."""
    if word in _NOT_GLUED:
        return [word]
    glued = _GLUED.match(word)
    if glued:
        before, stem = glued["before"], glued["word"]
        return [part for part in (before, stem if stem == "pass" else stem.removesuffix("s")) if part]
    key = _GLUED_KEY.match(word)
    if key and _TRANSLATED.get(key["before"], key["before"]) in _OPENING_KEYS:
        return [key["before"], "key"]
    singular = word.removesuffix("s")
    return [singular] if singular in _WORDS and word != "pass" else [word]


def _declared(word: str, before: str, *, upper: bool) -> SecretName | None:
    if (before, word) in _PAIRS:
        return _PAIRS[before, word]
    if before in _NEVER.get(word, ()):
        return None
    if word == "key":
        return _key(before, upper=upper)
    if word == "auth" and before in _AUTH_OF:
        return SecretName("auth", True)
    return _WORDS.get(word)


def _key(before: str, *, upper: bool) -> SecretName | None:
    """Whether it opens something, or something is found by it. `SOME_KEY` is taken for one that opens."""
    if before in _OPENING_KEYS:
        return SecretName(f"{before}-key", True)
    if not before or before in _FINDING_KEYS:
        return None
    return SecretName("key", upper)
