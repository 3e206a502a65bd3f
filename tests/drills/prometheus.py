"""What Prometheus says of alerts: the judge of whether a fault was seen and whether it is gone."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import httpx

Labels = dict[str, str]


@dataclass(frozen=True)
class Prometheus:
    http: httpx.AsyncClient

    async def firing(self, **labels: str) -> list[Labels]:
        """Labels of the alerts that fire and carry all of `labels`."""
        return [a["labels"] for a in await self._alerts() if a["state"] == "firing" and labels.items() <= a["labels"].items()]

    async def fired_since(self, alert: str, **labels: str) -> datetime | None:
        """When the first of the alerts that fire now became active (Prometheus' `activeAt`, before its `for`)."""
        wanted = {"alertname": alert, **labels}
        since = [
            datetime.fromisoformat(a["activeAt"]).astimezone(UTC)
            for a in await self._alerts()
            if a["state"] == "firing" and wanted.items() <= a["labels"].items()
        ]
        return min(since, default=None)

    async def value(self, expression: str) -> float | None:
        """Of the first series that `expression` yields."""
        answer = (await self.http.get("/api/v1/query", params={"query": expression})).raise_for_status().json()
        series = answer["data"]["result"]
        return float(series[0]["value"][1]) if series else None

    async def _alerts(self) -> list[Any]:
        answer = (await self.http.get("/api/v1/alerts")).raise_for_status().json()
        found: list[Any] = answer["data"]["alerts"]
        return found
