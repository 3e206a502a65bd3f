"""Label selectors (as text and as objects) and field selectors."""

import re
from collections.abc import Callable, Mapping
from typing import Final

from opsmend_cluster.objects.kinds import EVENTS, NODES, PODS, SECRETS, JsonObject, Resource
from opsmend_cluster.objects.status import ApiError, bad_request

Matcher = Callable[[JsonObject], bool]
_Requirement = Callable[[Mapping[str, str]], bool]

_SET: Final = re.compile(r"^(?P<key>[^\s!=,()]+)\s+(?P<op>in|notin)\s+\((?P<values>[^()]*)\)$")
_EQUAL: Final = re.compile(r"^(?P<key>[^\s!=,()]+)\s*(?P<op>==|=|!=)\s*(?P<value>[^\s!=,()]*)$")
_EXISTS: Final = re.compile(r"^(?P<op>!?)\s*(?P<key>[^\s!=,()]+)$")
_COMMA_OUTSIDE_PARENTHESES: Final = re.compile(r",(?![^(]*\))")

_FIELDS: Final[dict[Resource, frozenset[str]]] = {
    PODS: frozenset({
        "spec.nodeName", "spec.restartPolicy", "spec.schedulerName", "spec.serviceAccountName", "spec.hostNetwork",
        "status.phase", "status.podIP", "status.nominatedNodeName",
    }),
    EVENTS: frozenset({
        "involvedObject.kind", "involvedObject.namespace", "involvedObject.name", "involvedObject.uid",
        "involvedObject.apiVersion", "involvedObject.resourceVersion", "involvedObject.fieldPath",
        "reason", "reportingComponent", "source", "type",
    }),
    NODES: frozenset({"spec.unschedulable"}),
    SECRETS: frozenset({"type"}),
}  # fmt: skip
"""Field labels that the real server supports beside metadata.name and metadata.namespace."""


def label_matcher(selector: str) -> Matcher:
    """A matcher of objects for `app=web,tier in (a,b),!legacy`.

    Raises:
        ApiError: 400, the selector cannot be parsed.
    """
    parts = (part.strip() for part in _COMMA_OUTSIDE_PARENTHESES.split(selector))
    requirements = [_requirement(part) for part in parts if part]
    return lambda obj: all(holds(labels_of(obj)) for holds in requirements)


def _requirement(text: str) -> _Requirement:
    if match := _SET.match(text):
        key, values = match["key"], {value.strip() for value in match["values"].split(",")}
        if match["op"] == "in":
            return lambda labels: labels.get(key) in values
        return lambda labels: labels.get(key) not in values
    if match := _EQUAL.match(text):
        key, value = match["key"], match["value"]
        if match["op"] == "!=":
            return lambda labels: labels.get(key) != value
        return lambda labels: labels.get(key) == value
    if match := _EXISTS.match(text):
        key = match["key"]
        if match["op"]:
            return lambda labels: key not in labels
        return lambda labels: key in labels
    raise bad_request(f"unable to parse requirement: found {text!r}, expected: a label selector")


def labels_of(obj: JsonObject) -> dict[str, str]:
    return obj["metadata"].get("labels") or {}


def selects(selector: JsonObject | None, labels: Mapping[str, str]) -> bool:
    """Whether a LabelSelector object (matchLabels, matchExpressions) selects `labels`. None selects nothing."""
    if selector is None:
        return False
    if any(labels.get(key) != value for key, value in (selector.get("matchLabels") or {}).items()):
        return False
    return all(_expression_holds(e, labels) for e in selector.get("matchExpressions") or [])


def _expression_holds(expression: JsonObject, labels: Mapping[str, str]) -> bool:
    present = expression["key"] in labels
    match expression["operator"]:
        case "Exists":
            return present
        case "DoesNotExist":
            return not present
        case "In":
            return labels.get(expression["key"]) in expression["values"]
        case _:
            return labels.get(expression["key"]) not in expression["values"]


def selector_text(selector: JsonObject) -> str:
    """A LabelSelector as text, as the scale subresource and tables show it."""
    parts = [f"{key}={value}" for key, value in sorted((selector.get("matchLabels") or {}).items())]
    for e in selector.get("matchExpressions") or []:
        match e["operator"]:
            case "Exists":
                parts.append(e["key"])
            case "DoesNotExist":
                parts.append(f"!{e['key']}")
            case operator:
                parts.append(f"{e['key']} {operator.lower()} ({','.join(e['values'])})")
    return ",".join(parts)


def field_matcher(resource: Resource, selector: str) -> Matcher:
    """A matcher of objects for `metadata.name=web,status.phase!=Running`.

    Raises:
        ApiError: 400, a field that the real server does not index for this resource, or no selector at all.
    """
    requirements = [_field_requirement(resource, part) for part in selector.split(",") if part]
    return lambda obj: all(holds(obj) for holds in requirements)


def _field_requirement(resource: Resource, text: str) -> Matcher:
    match = _EQUAL.match(text.strip())
    if match is None:
        raise bad_request(f"invalid selector: {text!r}; can't understand it")
    field, value, equal = match["key"], match["value"], match["op"] != "!="
    if field not in ("metadata.name", "metadata.namespace") and field not in _FIELDS.get(resource, frozenset()):
        raise _unknown_field(field)
    return lambda obj: (_field(obj, field) == value) is equal


def _unknown_field(field: str) -> ApiError:
    return bad_request(f'Unable to find a field label "{field}": field label not supported: {field}')


def _field(obj: JsonObject, path: str) -> str:
    if path == "source":
        return str((obj.get("source") or {}).get("component", ""))
    value: object = obj
    for key in path.split("."):
        value = value.get(key) if isinstance(value, dict) else None
    if isinstance(value, bool):
        return str(value).lower()
    if value is None:
        return "false" if path == "spec.unschedulable" else ""
    return str(value)
