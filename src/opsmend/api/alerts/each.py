"""A list of alerts of which some may be none: what is wrong with one keeps no other from being taken."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeVar

from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails, from_json

from opsmend.api.alerts.intake import Refused, shown_name
from opsmend.api.request_body import described

MOST_ALERTS: Final = 10_000
"""Alerts of one payload. Those of real senders have 200 bytes and more, so a body never has as many; empty ones may not cost
seconds of complaints."""

Payload = TypeVar("Payload")


def whole_or_each(body: bytes, payload: TypeAdapter[Payload], field: str = "") -> tuple[Payload, tuple[Refused, ...]]:
    """The payload without those of its alerts that are none, and why they are not. `field` holds the alerts; empty where the
    payload is the list of them.

    Raises:
        pydantic.ValidationError: not even one alert can be read, or it is another part of the payload that is wrong.
    """
    try:
        return payload.validate_json(body), ()
    except ValidationError as invalid:
        faults = _by_alert(invalid.errors(include_input=False, include_url=False, include_context=False), field)
        if faults is None:
            raise
        content = from_json(body)
        alerts = content[field] if field else content
        sound = [alert for number, alert in enumerate(alerts) if number not in faults]
        if not sound:
            raise
        refused = tuple(Refused(_named(alerts[number], number), why) for number, why in faults.items())
        return payload.validate_python(content | {field: sound} if field else sound), refused


def _by_alert(errors: Sequence[ErrorDetails], field: str) -> dict[int, str] | None:
    """Number of the alert -> what is wrong with it; None where anything else is wrong too."""
    depth = 1 if field else 0
    found: dict[int, list[tuple[tuple[int | str, ...], str]]] = {}
    for error in errors:
        where = error["loc"]
        number = where[depth] if len(where) > depth and (not field or where[0] == field) else None
        if not isinstance(number, int):
            return None
        found.setdefault(number, []).append((where[depth + 1 :] or ("alert",), error["msg"]))
    return {number: described(faults) for number, faults in found.items()}


def _named(alert: Any, number: int) -> str:
    """Its own name as far as it has one; the place in the payload in any case."""
    fields = alert if isinstance(alert, Mapping) else {}
    labels = fields.get("labels")
    name = fields.get("name") or (labels.get("alertname") if isinstance(labels, Mapping) else None)
    return f"{shown_name(name)} (alert {number})" if isinstance(name, str) else f"alert {number}"
