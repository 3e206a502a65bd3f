"""The models that all of ours derive from, and the JSON that they are hashed as.

Two versions of opsmend run side by side during an upgrade. What only tells (alerts, evidence, views) is read as far as it is
known; what something is done by (actions, plans, decisions, policies) is read whole or not at all.
"""

import hashlib
from typing import Any, Final, TypeVar

import rfc8785
from pydantic import BaseModel, ConfigDict, ValidationError

from opsmend.errors import NewerVersionError, bounded

JsonObject = dict[str, Any]
"""A JSON object as an API speaks it."""

Model = TypeVar("Model", bound=BaseModel)


class Record(BaseModel):
    """Immutable. Fields that a newer version wrote and this one does not know are ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class StrictRecord(Record):
    """Something is done by it, so a field that this version does not know is an error: it may be the one that matters."""

    model_config = ConfigDict(extra="forbid")


class View(Record):
    """Only looked at, never acted upon: unknown fields are ignored in all of it, in the plan that it shows too."""


class Handed(Record):
    """What a workflow hands to an activity: where it is large, history has it by reference (docs/decisions/0009)."""


_BY_A_NEWER_VERSION: Final = frozenset({"extra_forbidden", "union_tag_invalid", "enum", "literal_error"})
"""Types of pydantic's errors for a field, a kind of action or a word that a model does not have."""


def newer_version(error: ValidationError) -> NewerVersionError | None:
    """What to raise instead if `error` is about what a newer version may have added; it takes nothing away."""
    found = error.errors(include_url=False, include_context=False, include_input=False)
    unknown = [e for e in found if e["type"] in _BY_A_NEWER_VERSION]
    if not unknown or any(e["type"] == "missing" for e in found):
        return None
    places = ", ".join(".".join(map(str, e["loc"])) for e in unknown)
    return NewerVersionError(f"{error.title} has what this version does not know ({bounded(places)}): a newer worker is needed")


def understood(model: type[Model], value: Any) -> Model:
    """`value` as a `model` that something is done by.

    Raises:
        NewerVersionError: it has what only a newer version knows.
    """
    try:
        return model.model_validate(value)
    except ValidationError as e:
        if newer := newer_version(e):
            raise newer from e
        raise


def digest(value: Any) -> str:
    """sha256 (hex) over the canonical JSON (RFC 8785) of a JSON-serialisable value."""
    return hashlib.sha256(rfc8785.dumps(value)).hexdigest()
