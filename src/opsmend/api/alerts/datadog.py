"""Datadog monitors, through the payload template in deploy/datadog/webhook-payload.json.

Datadog has no schema of its own: what it posts is our template with its `$VARIABLES` filled in, all of them strings.
https://docs.datadoghq.com/integrations/webhooks/#variables
"""

import re
from typing import Final

from pydantic import BaseModel, Field

from opsmend.api.alerts.intake import (
    Parsed,
    fingerprint,
    kept_texts,
    shown_name,
    url_or_none,
)
from opsmend.api.alerts.severity import severity_of
from opsmend.api.alerts.target import target_of
from opsmend.domain.alert import Alert, AlertStatus
from opsmend.domain.record import digest

_RECOVERED: Final = "Recovered"
"""The only $ALERT_TRANSITION that is good news; Triggered, Warn, No Data, their Re- forms and Renotify are not."""

_TRANSITION_PREFIX: Final = re.compile(r"^\[[^\]]*\] ")
"""`[Triggered on {host:a}] ` before the monitor's name."""


class DatadogPayload(BaseModel):
    """The template. `cycle_key` links a trigger to its renotifications and its recovery."""

    cycle_key: str
    monitor_id: str = ""
    transition: str = Field(min_length=1)
    title: str = Field(min_length=1)
    type: str = ""
    priority: str = ""
    tags: str = ""
    scope: str = ""
    query: str = ""
    status: str = ""
    message: str = ""
    link: str = ""


def read_datadog(body: bytes, cluster: str) -> Parsed:
    event = DatadogPayload.model_validate_json(body)
    labels = labels_of(event.tags, event.scope)
    group = {**_tags(event.scope), "monitor_id": event.monitor_id}
    # A variable that Datadog has no value for arrives empty or as written in the template.
    cycle = "" if event.cycle_key.startswith("$") else event.cycle_key
    texts = kept_texts({**labels, "monitor_id": event.monitor_id}, _annotations(event))
    alert = Alert(
        source="datadog",
        name=shown_name(_TRANSITION_PREFIX.sub("", event.title)),
        status=AlertStatus.RESOLVED if event.transition == _RECOVERED else AlertStatus.FIRING,
        severity=severity_of(event.priority if event.priority.startswith("P") else event.type),
        fingerprint=fingerprint(cycle, group),
        # No variable tells when the cycle began ($DATE is that of each notification); the cycle key itself tells firings apart.
        starts_at=None,
        target=target_of(labels, default_cluster=cluster, group_key=digest(["datadog", group])),
        labels=texts.labels,
        annotations=texts.annotations,
        expression_url=url_or_none(event.link),
    )
    return Parsed(alerts=(alert,))


def labels_of(tags: str, scope: str) -> dict[str, str]:
    """`key:value` tags as labels; the scope, which names the group that triggered, wins over the monitor's own tags.

    A key that occurs with several values keeps them all, joined by a comma. That is no valid name, so no target is guessed
    from it: the alert does not tell which of them is meant.
    """
    return {**_tags(tags), **_tags(scope)}


def _tags(text: str) -> dict[str, str]:
    labels: dict[str, str] = {}
    for tag in text.split(","):
        key, colon, value = tag.strip().partition(":")
        if key and colon and value and value != labels.get(key):
            labels[key] = f"{labels[key]},{value}" if key in labels else value
    return labels


def _annotations(event: DatadogPayload) -> dict[str, str]:
    given = {"summary": event.status or event.title, "description": event.message, "query": event.query}
    return {key: value for key, value in given.items() if value}
