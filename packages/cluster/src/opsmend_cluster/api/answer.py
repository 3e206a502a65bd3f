"""What a handler hands to the HTTP layer."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from opsmend_cluster.objects.kinds import JsonObject


@dataclass
class Answer:
    """Exactly one of `body`, `text`, `stream` is sent, with 204 none; a stream is chunked JSON (or log) lines."""

    body: JsonObject | None = None
    code: int = 200
    text: str | None = None
    stream: AsyncIterator[bytes] | None = None
    headers: dict[str, str] = field(default_factory=dict)
