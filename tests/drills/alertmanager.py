"""What another Prometheus, or whatever else sends alerts, tells Alertmanager."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import httpx

_ALERTS: Final = "/api/v2/alerts"
"""https://github.com/prometheus/alertmanager/blob/main/api/v2/openapi.yaml"""


@dataclass(frozen=True)
class Alertmanager:
    http: httpx.AsyncClient

    async def fire(self, *alerts: dict[str, str], since: datetime | None = None) -> None:
        """Alerts with these labels, active since now by our clock or `since` by theirs; it posts them as any others."""
        starts = (since or datetime.now(UTC)).isoformat()
        summary = {"summary": "Told by another."}
        await self._post([{"labels": labels, "startsAt": starts, "annotations": summary} for labels in alerts])

    async def resolve(self, *alerts: dict[str, str]) -> None:
        await self._post([{"labels": labels, "endsAt": datetime.now(UTC).isoformat()} for labels in alerts])

    async def firing(self, namespace: str) -> list[dict[str, str]]:
        """The labels of what it still takes for firing there."""
        answer = await self.http.get(_ALERTS, params={"filter": f'namespace="{namespace}"'})
        answer.raise_for_status()
        return [alert["labels"] for alert in answer.json()]

    async def _post(self, alerts: list[dict[str, object]]) -> None:
        (await self.http.post(_ALERTS, json=alerts)).raise_for_status()
