"""Which Services a pod template calls, by the host names in its variables, arguments and configuration.

A name that stands somewhere is no proof of a call. Whoever concludes from it looks for a second sign.
"""

import re
from collections.abc import Collection, Iterator
from typing import Any, Final

from opsmend.domain.record import JsonObject, Record
from opsmend.domain.snapshot import ConfigReference
from opsmend.domain.target import Kind, ObjectRef

_FIRST: Final = r"[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?"
_NEXT: Final = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_HOST: Final = rf"{_FIRST}(?:\.{_NEXT})*"
"""A name of cluster DNS. It starts with a letter, as names of Services do, so that no address is taken for one."""

_FORMS: Final = (
    re.compile(rf"\b[a-zA-Z][a-zA-Z0-9+.-]*://(?:[^\s/@'\"]*@)?({_HOST})(?::(\d{{1,5}}))?(?![\w.-])"),
    re.compile(rf"(?<![\w./-])({_HOST}):(\d{{2,5}})(?![\w.])"),
    re.compile(rf"(?<![\w.-])({_FIRST}(?:\.{_NEXT}){{1,2}}\.svc(?:\.{_NEXT})*)()(?![\w-])"),
    re.compile(
        rf"(?i:\b\w*(?:host(?:name)?|server|addr(?:ess)?|endpoint|upstream|backend|broker|url|uri|dsn|peer)s?)[\"']?\s*[:=]\s*"
        rf"[\"']?({_HOST})()(?=[\s\"',;/]|$)"
    ),
    re.compile(rf"(?m)^\s*server\s+({_HOST})()(?=[\s;])"),
)
"""Where only a host stands: URLs, `name:port`, `name.namespace.svc`, values of keys that hold hosts, nginx' `server name;`."""
_WORD: Final = re.compile(rf"(?<![\w./-])({_HOST})(?![\w-]|\.\w)")
_NAMES_A_HOST: Final = re.compile(r"(?i)host|server|addr|endpoint|upstream|backend|broker|url|uri|dsn|peer")
_COMMENT: Final = re.compile(r"(?ms)^\s*(?:#|//|;|--\s|!).*?$|\s#.*?$|\s//\s.*?$|/\*.*?\*/|<!--.*?-->")
_TEXT_LIMIT: Final = 8192
_MENTIONS_LIMIT: Final = 200
_NOT_A_SERVICE: Final = frozenset({"localhost", "kubernetes"})


class HostMention(Record):
    """`strong` where a host must stand there; else it is a word that may be one."""

    host: str
    port: int | None = None
    place: str
    strong: bool


def host_mentions(template: JsonObject, config: tuple[ConfigReference, ...]) -> tuple[HostMention, ...]:
    """In the order of the template. Comments mention nothing."""
    found: dict[tuple[str, int | None], HostMention] = {}
    for mention in _mentions(template.get("spec") or {}, {reference.ref.name: reference for reference in config}):
        known = found.get((mention.host, mention.port))
        if known is None or (mention.strong and not known.strong):
            found[mention.host, mention.port] = mention
        if len(found) >= _MENTIONS_LIMIT:
            break
    return tuple(found.values())


def service_names(mentions: Collection[HostMention]) -> set[str]:
    """Every name that a Service of the own namespace would need to have to be meant by one of them."""
    parts = [mention.host.split(".") for mention in mentions]
    return {name for labels in parts for name in labels[:2]}


def service_of(mention: HostMention, namespace: str, known: Collection[str]) -> ObjectRef | None:
    """The Service that a pod in `namespace`, which has the Services `known`, would reach by this name; None for no Service.

    `name`, `name.namespace` and `name.namespace.svc…`, each also with the name of a pod before it, as headless Services have.
    """
    labels = mention.host.split(".")
    if "svc" in labels[2:4]:
        at = labels.index("svc", 2)
        return _service(labels[at - 2], labels[at - 1])
    if len(labels) == 1:
        wanted = labels[0] in known or (mention.strong and labels[0] not in _NOT_A_SERVICE)
        return _service(labels[0], namespace) if wanted else None
    if len(labels) > 3:
        return None
    if labels[-1] == namespace:
        return _service(labels[-2], namespace)
    if len(labels) == 2 and labels[1] in known:
        return _service(labels[1], namespace)
    return _service(*labels) if len(labels) == 2 and mention.strong else None


def _service(name: str, namespace: str) -> ObjectRef:
    return ObjectRef(kind=Kind.SERVICE, namespace=namespace, name=name)


def _mentions(spec: JsonObject, config: dict[str, ConfigReference]) -> Iterator[HostMention]:
    for container in [*(spec.get("initContainers") or []), *(spec.get("containers") or [])]:
        yield from _of_container(container, config)
    for reference in config.values():
        if "volume" in reference.used_by:
            for key, value in reference.data.items():
                yield from _hosts(value, f"key {key} of {reference.ref}")


def _of_container(container: dict[str, Any], config: dict[str, ConfigReference]) -> Iterator[HostMention]:
    where = f"of container {container.get('name')}"
    for variable in container.get("env") or []:
        yield from _of_variable(str(variable.get("name")), str(_value(variable, config) or ""), where)
    for source in container.get("envFrom") or []:
        reference = config.get((source.get("configMapRef") or {}).get("name", ""))
        for name, value in (reference.data if reference else {}).items():
            yield from _of_variable(name, value, where)
    words = "\n".join(map(str, [*(container.get("command") or []), *(container.get("args") or [])]))
    yield from _hosts(words, f"arguments {where}")
    yield from _words(words, f"arguments {where}")


def _value(variable: dict[str, Any], config: dict[str, ConfigReference]) -> Any:
    source = (variable.get("valueFrom") or {}).get("configMapKeyRef")
    if source is None:
        return variable.get("value")
    reference = config.get(source.get("name", ""))
    return reference.data.get(source.get("key", "")) if reference else None


def _of_variable(name: str, value: str, where: str) -> Iterator[HostMention]:
    place = f"env {name} {where}"
    yield from _hosts(value, place)
    for part in re.split(r"[,\s]+", value[:_TEXT_LIMIT]):
        if re.fullmatch(_HOST, part):
            yield HostMention(host=part, place=place, strong=bool(_NAMES_A_HOST.search(name)))


def _hosts(text: str, place: str) -> Iterator[HostMention]:
    plain = _COMMENT.sub(" ", text[:_TEXT_LIMIT])
    for form in _FORMS:
        for host, port in form.findall(plain):
            yield HostMention(host=host, port=int(port) if port else None, place=place, strong=True)


def _words(text: str, place: str) -> Iterator[HostMention]:
    for host in _WORD.findall(_COMMENT.sub(" ", text[:_TEXT_LIMIT])):
        yield HostMention(host=host, place=place, strong=False)
