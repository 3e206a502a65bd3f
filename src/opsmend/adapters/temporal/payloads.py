"""How values of ours become payloads of Temporal: JSON, read and written by pydantic."""

from typing import Final

from temporalio.contrib.pydantic import PydanticJSONPlainPayloadConverter
from temporalio.converter import (
    CompositePayloadConverter,
    DataConverter,
    DefaultPayloadConverter,
    JSONPlainPayloadConverter,
)

_JSON: Final = PydanticJSONPlainPayloadConverter()


class PayloadConverter(CompositePayloadConverter):
    """As temporalio.contrib.pydantic.PydanticPayloadConverter, but all instances share what was learnt of our types.

    The SDK makes one for each task and call, and one that is new compiles the schema of every type that it meets.
    """

    def __init__(self) -> None:
        usual = DefaultPayloadConverter.default_encoding_payload_converters
        super().__init__(*(_JSON if isinstance(one, JSONPlainPayloadConverter) else one for one in usual))


DATA_CONVERTER: Final = DataConverter(payload_converter_class=PayloadConverter)
