"""What an incident may use and what it has used."""

from typing import Self

from opsmend.domain.call_ledger import CallLedger
from opsmend.domain.record import Record


class Usage(Record):
    """Counted across all agents of one incident run. `cost_usd` is money paid to model providers."""

    input_tokens: int = 0
    output_tokens: int = 0
    cost_usd: float = 0.0
    tool_calls: int = 0
    """Calls to the cluster, to Prometheus, to memory, made while investigating, acting and verifying."""
    api_calls: int = 0
    """Those of them that went to the Kubernetes API; which ones, the call ledger says."""
    api_bytes: int = 0
    """What the Kubernetes API answered to them."""

    @classmethod
    def of_calls(cls, asked: CallLedger, elsewhere: int = 0) -> Self:
        """The bill for what the Kubernetes API was asked, and for as many calls `elsewhere`."""
        return cls(tool_calls=asked.calls + elsewhere, api_calls=asked.calls, api_bytes=asked.bytes)

    def __add__(self, other: "Usage") -> "Usage":
        return Usage(
            input_tokens=self.input_tokens + other.input_tokens,
            output_tokens=self.output_tokens + other.output_tokens,
            cost_usd=self.cost_usd + other.cost_usd,
            tool_calls=self.tool_calls + other.tool_calls,
            api_calls=self.api_calls + other.api_calls,
            api_bytes=self.api_bytes + other.api_bytes,
        )


class Budget(Record):
    """Hard limits of one incident run; at a limit it stops and a person decides."""

    tool_calls: int = 2000
    tokens: int = 200_000
    cost_usd: float = 2.0

    def exceeded_by(self, usage: Usage) -> str | None:
        """The limit that `usage` is over, as a sentence, or None."""
        if usage.tool_calls > self.tool_calls:
            return f"{usage.tool_calls} tool calls used of {self.tool_calls}"
        if usage.input_tokens + usage.output_tokens > self.tokens:
            return f"{usage.input_tokens + usage.output_tokens} tokens used of {self.tokens}"
        if usage.cost_usd > self.cost_usd:
            return f"${usage.cost_usd:.2f} used of ${self.cost_usd:.2f}"
        return None
