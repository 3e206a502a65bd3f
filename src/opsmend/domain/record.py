"""The model that all of ours derive from, and the JSON that they are hashed as."""

import hashlib
from typing import Any

import rfc8785
from pydantic import BaseModel, ConfigDict

JsonObject = dict[str, Any]
"""A JSON object as an API speaks it."""


class Record(BaseModel):
    """Immutable and strict about unknown fields: a typo in a payload is an error, not a silent default."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Handed(Record):
    """What a workflow hands to an activity: where it is large, history has it by reference (docs/decisions/0009)."""


def digest(value: Any) -> str:
    """sha256 (hex) over the canonical JSON (RFC 8785) of a JSON-serialisable value."""
    return hashlib.sha256(rfc8785.dumps(value)).hexdigest()
