"""What stands under a name: is it a secret, and of which kind. One question for text, JSON, labels and arguments."""

import re
from typing import Final

from opsmend.policy.secrets.names import SecretName, secret_name, words_of
from opsmend.policy.secrets.values import is_number, is_plain, is_user_and_password, looks_like_credential, may_be_secret

_COUNTED: Final = re.compile(r"\d+(?:[\s,;/].*)?")
"""`pass: 12, fail: 0` counts tests."""
_MEASURE: Final = re.compile(r"\d{1,4}[a-z]{0,2}")
_STRUCTURED: Final = re.compile(r"\w://|\b\w{2,40}=")
_WITH_SPACES: Final = frozenset({"password", "secret", "mnemonic", "credentials", "connection-string", "dsn"})
_SENTENCE: Final = re.compile(r"[A-Za-z][a-z']* [a-z']+ [a-z'(]")
_ROUTING_KEY: Final = re.compile(r"[0-9a-zA-Z]{32}")
_OBJECT_NAME: Final = re.compile(r"(?:[a-z][a-z0-9]*/)?[a-z]+(?:[-_.][a-z0-9]{1,5}|[-_.][a-z]+)+")
"""What Kubernetes and those who extend it call objects and their keys by."""
_VARIABLE: Final = re.compile(r"[A-Za-z_]\w{0,63}")


def secret_in(name: str, value: str) -> str | None:
    """The kind of secret that `value` is by its `name` (`DB_PASSWORD` → `password`), None when it need not be one."""
    named = secret_name(name)
    if named is None or not may_be_secret(value):
        return None
    if named.sure:
        return None if _is_something_else(named, name, value.strip()) else named.kind
    return named.kind if looks_like_credential(value) or _has_its_form(named, value.strip()) else None


def may_hold_spaces(named: SecretName) -> bool:
    """Whether what it holds may be more than one word: tokens and keys never are."""
    return named.kind in _WITH_SPACES


def _is_variable_of_that_name(name: str, value: str) -> bool:
    """`this.apiKey = apiKey;` passes a variable on. One word is a bad password as often: `password=password`."""
    variable = value.removesuffix(";")
    if not _VARIABLE.fullmatch(variable) or not name.endswith(variable):
        return False
    words = words_of(variable)
    return len(words) > 1 and words_of(name)[-len(words) :] == words


def _has_its_form(named: SecretName, value: str) -> bool:
    """Docker keeps a user and a password under `auth`; PagerDuty calls a key for routing what a queue calls something else."""
    return (named.kind == "auth" and len(value) > 7 and is_user_and_password(value)) or (
        named.kind == "routing-key" and bool(_ROUTING_KEY.fullmatch(value))
    )


def _is_something_else(named: SecretName, name: str, value: str) -> bool:
    if not may_hold_spaces(named) and _SENTENCE.match(value):
        return True
    if _is_variable_of_that_name(name, value):
        return True
    match named.kind:
        case "password":
            working_directory = value.startswith("/") and name.lower().endswith("pwd")
            counts = _COUNTED if name.lower() == "pass" else _MEASURE if named.goes_on else None
            return working_directory or bool(counts and counts.fullmatch(value))
        case "dsn" | "connection-string":
            # What is secret in it, other rules find: the rest says which server was not reached.
            return bool(_STRUCTURED.search(value))
        case "secret":
            of_kubernetes = "-" in name or name.lower() in ("secret", "secrets")
            return is_number(value) or (of_kubernetes and bool(_OBJECT_NAME.fullmatch(value)))
        case "secret-key":
            return is_number(value) or bool(_OBJECT_NAME.fullmatch(value))
        case "authorization":
            scheme, _, credential = value.partition(" ")
            return is_number(value) or (bool(credential) and scheme.isalpha() and not may_be_secret(credential))
        case "auth":
            return is_number(value) or is_plain(value)
        case _:
            return is_number(value)
