"""Whom a call mentions: rules by namespace and severity, and how people write them into one variable.

    *=here; critical=S0123456789; shop=U0123456789,U0123456790; shop/critical=channel; dev=none

The most specific rule wins: namespace and severity, then namespace, then severity, then `*`.
"""

import re
from collections.abc import Sequence
from typing import Final

from opsmend.domain.alert import Severity
from opsmend.domain.record import Record

HERE: Final = "here"
CHANNEL: Final = "channel"
_NOBODY: Final = "none"
_ANY: Final = "*"

_ID: Final = re.compile(r"[UWS][A-Z0-9]{6,20}")
"""Of a person (U…, W…) or of a user group (S…), as Slack makes them."""
_SEVERITIES: Final = tuple(severity.value for severity in Severity)
_NAMESPACE: Final = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
_FORM: Final = "expected NAMESPACE/SEVERITY=WHO, such as `shop/critical=S0123456789,U0123456789`"


class MentionRule(Record):
    """None stands for any; an empty `who` for nobody."""

    namespace: str | None = None
    severity: Severity | None = None
    who: tuple[str, ...] = ()
    """Ids of people (U…, W…) and of user groups (S…), `here` or `channel`."""

    def fits(self, namespace: str, severity: Severity) -> bool:
        return self.namespace in (None, namespace) and self.severity in (None, severity)

    def __str__(self) -> str:
        return f"{self.namespace or _ANY}/{self.severity or _ANY}={','.join(self.who) or _NOBODY}"

    @property
    def weight(self) -> tuple[bool, bool]:
        """The more specific of two rules has the greater one."""
        return self.namespace is not None, self.severity is not None


def mentioned(rules: Sequence[MentionRule], namespace: str, severity: Severity) -> tuple[str, ...]:
    """Whom the most specific rule names that fits; nobody where none fits. `namespace` is empty for a node."""
    fitting = [rule for rule in rules if rule.fits(namespace, severity)]
    return max(fitting, key=lambda rule: rule.weight).who if fitting else ()


def read_mentions(text: str) -> tuple[MentionRule, ...]:
    """Raises ValueError: a sentence that names the entry, what was expected and what came."""
    rules: dict[tuple[str | None, Severity | None], MentionRule] = {}
    for entry in filter(None, map(str.strip, text.split(";"))):
        rule = _rule(entry)
        if (rule.namespace, rule.severity) in rules:
            raise ValueError(f"`{entry}` is the second rule for the same namespace and severity: put all ids into one")
        rules[rule.namespace, rule.severity] = rule
    return tuple(rules.values())


def _rule(entry: str) -> MentionRule:
    key, equals, value = entry.partition("=")
    if not equals:
        raise ValueError(f"`{entry}` says nobody: {_FORM}")
    namespace, severity = _key(key.strip(), entry)
    names = tuple(dict.fromkeys(filter(None, map(str.strip, value.split(",")))))
    if names == (_NOBODY,):
        return MentionRule(namespace=namespace, severity=severity)
    for name in names or ("",):
        if name not in (HERE, CHANNEL) and not _ID.fullmatch(name):
            raise ValueError(
                f"`{entry}` mentions `{name}`: expected ids as Slack shows them (U… or W… for a person, S… for a user group), "
                "`here`, `channel`, or `none` alone"
            )
    return MentionRule(namespace=namespace, severity=severity, who=names)


def _key(key: str, entry: str) -> tuple[str | None, Severity | None]:
    """`critical` alone is a severity; a namespace of that name is written `critical/*`."""
    first, slash, second = key.partition("/")
    if not slash:
        first, second = (_ANY, first) if first in _SEVERITIES else (first, _ANY)
    if first != _ANY and not _NAMESPACE.fullmatch(first):
        raise ValueError(f"`{entry}` is for `{first}`, which is no namespace: {_FORM}")
    if second != _ANY and second not in _SEVERITIES:
        raise ValueError(f"`{entry}` is for severity `{second}`: expected {', '.join(_SEVERITIES)} or `*`")
    return (None if first == _ANY else first), (None if second == _ANY else Severity(second))
