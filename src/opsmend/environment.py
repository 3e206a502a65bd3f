"""The environment, read as settings once, at an entry point. Whatever is wrong with it is said at once, a sentence each.

A name that nobody knows is refused like a wrong value: a misspelt setting would be a default that somebody believes to have
changed.
"""

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from importlib.metadata import version
from typing import Any, Final, get_args

from pydantic import BaseModel, SecretStr, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails
from pydantic_settings import SettingsError as UnreadableGroupError

from opsmend.errors import SettingsError, bounded
from opsmend.policy.redaction import redact
from opsmend.setting_types import SAYS_WHY, Expected, written
from opsmend.settings import Settings

PREFIX: Final = "OPSMEND_"

ELSEWHERE: Final = frozenset(
    {
        "OPSMEND_API_URL",  # of the commands that talk to a running opsmend
        "OPSMEND_VERSION",  # of docker-compose.yml, as the next one
        "OPSMEND_PORT",
        "OPSMEND_TEST_KUBECONFIG",  # of `make lab-contract`
        "OPSMEND_BENCH_QUESTIONS",  # of `make bench`
    }
)
"""Names with our prefix that are no settings."""

_BY_KUBERNETES: Final = re.compile(r".*_(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)")
"""What Kubernetes puts into each pod of a namespace that has a Service called `opsmend…`
(https://kubernetes.io/docs/concepts/services-networking/service/#environment-variables)."""

_ALIKE: Final = 0.7
"""difflib's ratio from which a known name is offered instead of a wrong one: `OPSMEND_REMIND_AFTER` has 0.8 of the real one."""

_SURELY_MEANT: Final = 0.93
"""The same for names of Temporal, which knows many more than the two that we read: only one slip of the finger."""


@dataclass(frozen=True)
class Variable:
    """One setting: its name in the environment, and where it is in Settings."""

    name: str
    path: tuple[str, ...]
    field: FieldInfo

    @property
    def secret(self) -> bool:
        return SecretStr in _parts(self.field.annotation)

    @property
    def expected(self) -> Expected:
        known = [part for part in (*_parts(self.field.annotation), *self.field.metadata) if isinstance(part, Expected)]
        return known[-1] if known else Expected("text", "")

    def value_in(self, settings: Settings) -> Any:
        found: Any = settings
        for name in self.path:
            found = getattr(found, name)
        return found


def _variables(model: type[BaseModel] = Settings, above: tuple[str, ...] = ()) -> Iterator[Variable]:
    for name, field in model.model_fields.items():
        path = (*above, name)
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from _variables(field.annotation, path)
        else:
            yield Variable(str(field.validation_alias or PREFIX + "__".join(path).upper()), path, field)


def _parts(annotation: Any) -> Iterator[Any]:
    """A type, what it is made of, and the metadata of all that."""
    yield annotation
    yield from getattr(annotation, "__metadata__", ())
    for part in get_args(annotation):
        yield from _parts(part)


VARIABLES: Final = tuple(_variables())
_KNOWN: Final = tuple(variable.name for variable in VARIABLES)
_GROUPS: Final = frozenset(PREFIX + variable.path[0].upper() for variable in VARIABLES if len(variable.path) > 1)


def read_settings(environment: Mapping[str, str] = os.environ) -> Settings:
    """The environment of this process as settings.

    Raises:
        SettingsError: something in it cannot be meant so; a line for each such variable.
    """
    wrong = list(_unknown_names(environment))
    try:
        settings = Settings()
        wrong += _contradictions(settings)
    except UnreadableGroupError:
        pass  # a whole group in one variable, which is among the unknown names
    except ValidationError as invalid:
        wrong += [_sentence(error) for error in invalid.errors()]
    if wrong:
        raise SettingsError("\n".join(dict.fromkeys(wrong)))
    return settings


def _unknown_names(environment: Mapping[str, str]) -> Iterator[str]:
    for given in sorted(name for name, value in environment.items() if value and not _by_kubernetes(name, value)):
        name = given.upper()
        if name.startswith("TEMPORAL_") and name not in _KNOWN:
            if meant := get_close_matches(name, _KNOWN, 1, _SURELY_MEANT):
                yield f"{given}: did you mean {meant[0]}?"
        elif name.startswith(PREFIX) and not (name in _KNOWN or name in ELSEWHERE):
            yield f"{given}: opsmend {version('opsmend')} has no such setting. {_hint(name)}"


def _by_kubernetes(name: str, value: str) -> bool:
    return bool(_BY_KUBERNETES.fullmatch(name)) or (name.endswith("_PORT") and "://" in value)


def _hint(name: str) -> str:
    if name in _GROUPS:
        return f"Set what is in it one by one, such as {next(known for known in _KNOWN if known.startswith(f'{name}__'))}."
    if meant := get_close_matches(name, (*_KNOWN, "OPSMEND_API_URL", "KUBECONFIG"), 1, _ALIKE):
        return f"Did you mean {meant[0]}?"
    return "`opsmend config` lists all."


def _sentence(error: ErrorDetails) -> str:
    variable = next(known for known in VARIABLES if _is_of(known, error["loc"]))
    if error["type"] == SAYS_WHY:
        return f"{variable.name}: {error['msg']}."
    expected, default = variable.expected, variable.field.default
    example = written(default) if default not in (None, ()) else expected.example
    such_as = f", such as {example}" if example else ""
    given = "what is set is not shown here" if variable.secret else f"got {bounded(repr(redact(str(error['input']))), 120)}"
    return f"{variable.name}: expected {expected.what}{such_as}; {given}."


def _is_of(variable: Variable, place: tuple[int | str, ...]) -> bool:
    """Whether the error at `place` is about `variable`: by its path, by its alias, or in an item of its value."""
    return place[:1] == (variable.name,) or place[: len(variable.path)] == variable.path


def _contradictions(settings: Settings) -> Iterator[str]:
    """What each setting alone would allow."""
    if settings.api_token and settings.api_token == settings.operator_token:
        yield "OPSMEND_API_TOKEN and OPSMEND_OPERATOR_TOKEN are equal: whoever sends alerts could approve. Make them differ."
    slack, approval, incident = settings.slack, settings.approval, settings.incident
    if slack.bot_token and not slack.channel:
        yield "OPSMEND_SLACK__BOT_TOKEN is set and OPSMEND_SLACK__CHANNEL is not: nobody would be asked. Set both or neither."
    if not slack.bot_token and (slack.channel or slack.app_token or slack.signing_secret or slack.escalation_channel):
        yield "OPSMEND_SLACK__… is set without OPSMEND_SLACK__BOT_TOKEN: Slack would not be used. Set it, or unset the others."
    terms = (approval.remind_after, approval.escalate_after, approval.expire_after)
    if list(terms) != sorted(terms):
        yield (
            "OPSMEND_APPROVAL__REMIND_AFTER, OPSMEND_APPROVAL__ESCALATE_AFTER and OPSMEND_APPROVAL__EXPIRE_AFTER must come "
            f"in this order; they are {', '.join(map(written, terms))}."
        )
    if incident.verify_interval > incident.verify_deadline:
        yield (
            f"OPSMEND_INCIDENT__VERIFY_INTERVAL ({written(incident.verify_interval)}) is longer than "
            f"OPSMEND_INCIDENT__VERIFY_DEADLINE ({written(incident.verify_deadline)}): no fix could be seen to help."
        )
