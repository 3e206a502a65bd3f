"""How values of ours become payloads of Temporal: JSON, read and written by pydantic."""

from dataclasses import dataclass
from functools import cache
from typing import Any, Final, Self

from pydantic import TypeAdapter, ValidationError
from temporalio.api.common.v1 import Payload
from temporalio.contrib.pydantic import PydanticJSONPlainPayloadConverter
from temporalio.converter import (
    CompositePayloadConverter,
    DataConverter,
    DefaultPayloadConverter,
    EncodingPayloadConverter,
    JSONPlainPayloadConverter,
    SerializationContext,
)

from opsmend.domain.record import Handed, View, newer_version

HANDED: Final = "opsmend-handed"
"""Metadata of the payload of a Handed."""


class _Json(PydanticJSONPlainPayloadConverter):
    def to_payload(self, value: Any) -> Payload | None:
        payload = super().to_payload(value)
        if payload is not None and isinstance(value, Handed):
            payload.metadata[HANDED] = b"true"
        return payload

    def from_payload(self, payload: Payload, type_hint: type | None = None) -> Any:
        """Raises NewerVersionError where a newer version wrote what must be read whole: a workflow's task fails by it, and is
        tried again until a worker of that version takes it."""
        try:
            if isinstance(type_hint, type) and issubclass(type_hint, View):
                return _adapter(type_hint).validate_json(payload.data, extra="ignore")
            return super().from_payload(payload, type_hint)
        except ValidationError as e:
            if newer := newer_version(e):
                raise newer from e
            raise


@cache
def _adapter(view: type[View]) -> TypeAdapter[View]:
    return TypeAdapter(view)


_JSON: Final = _Json()
_BY_ENCODING: Final[dict[bytes, EncodingPayloadConverter]] = {
    one.encoding.encode(): _JSON if isinstance(one, JSONPlainPayloadConverter) else one
    for one in DefaultPayloadConverter.default_encoding_payload_converters
}


class PayloadConverter(CompositePayloadConverter):
    """As temporalio.contrib.pydantic.PydanticPayloadConverter, but all instances share what was learnt of our types.

    The SDK makes several for each task, so one that is new must cost next to nothing: it would compile the schema of every
    type that it meets.
    """

    def __init__(self) -> None:
        self.converters = _BY_ENCODING

    def with_context(self, context: SerializationContext) -> Self:
        """None of ours depends on which workflow or activity a value belongs to."""
        return self


@dataclass(frozen=True)
class _SameEverywhere(DataConverter):
    """Asked some three hundred times an incident for one of a workflow's or an activity's own, where the SDK would make one."""

    def with_context(self, context: SerializationContext) -> Self:
        """As PayloadConverter."""
        return self


DATA_CONVERTER: Final = _SameEverywhere(payload_converter_class=PayloadConverter)
