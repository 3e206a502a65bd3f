"""What the one message says that tells of many incidents in a storm. Pure."""

from typing import Final

from slack_sdk.models.blocks import MarkdownTextObject, SectionBlock

from opsmend.adapters.slack.message import Message
from opsmend.adapters.slack.mrkdwn import link, prose
from opsmend.domain.ports.chat import StormDigest
from opsmend.domain.untold import Untold

DIGEST_EVENT: Final = "opsmend_digest"


def render_digest(digest: StormDigest) -> Message:
    text = _headline(digest)
    lines = [f"*{text}*", *(_details(digest) if digest.waiting else [])]
    section = SectionBlock(text=MarkdownTextObject(text="\n".join(lines), verbatim=True))
    return Message(text, [section.to_dict()], {"event_type": DIGEST_EVENT, "event_payload": {"key": digest.key}})


def _headline(digest: StormDigest) -> str:
    if not digest.waiting:
        return f"The storm of {digest.since:%Y-%m-%d %H:%M} UTC is told: each of its incidents has a message of its own."
    incidents = "1 more incident" if digest.waiting == 1 else f"{digest.waiting} more incidents"
    return f"⛈️ {incidents}: {', '.join(f'{count} {severity}' for severity, count in digest.severities.items())}"


def _details(digest: StormDigest) -> list[str]:
    namespaces = ", ".join(f"{prose(name, 63) or 'no namespace'} {count}" for name, count in digest.namespaces.items())
    others = f" and {digest.more_namespaces} more" if digest.more_namespaces else ""
    return [
        f"By namespace: {namespaces}{others}",
        "The gravest:",
        *map(_entry, digest.gravest),
        "Each gets a message of its own when there is room for it, and at once when a person is needed.",
    ]


def _entry(incident: Untold) -> str:
    where = str(incident.target)
    shown = link(incident.temporal_ui, where) if incident.temporal_ui else prose(where, 200)
    return f"• {incident.severity.value} {shown}"
