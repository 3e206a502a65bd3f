"""What a Slack client makes of a message: mentions, links and code blocks, so that a test sees what a person would."""

import re
from html import unescape
from typing import Any, Final

from tests.slack_standin.workspace import Message

_CONTROL: Final = re.compile(r"<([^<>\s][^<>]*)>")
_BARE_MENTION: Final = re.compile(r"@(channel|here|everyone)\b")
_BARE_URL: Final = re.compile(r"https?://[^\s<>|]+")
_FENCED: Final = re.compile(r"```\n?(.*?)```", re.DOTALL)


def mentions(message: Message) -> list[str]:
    """Whom the message would notify: `!channel`, `@U…`, `#C…`, and bare @channel where Slack parses names itself."""
    found = [hit for text, _ in _marked_up(message) for hit in _CONTROL.findall(text) if hit[0] in "!@#"]
    return found + [f"@{hit}" for text, parsed in _marked_up(message) if parsed for hit in _BARE_MENTION.findall(text)]


def links(message: Message) -> list[str]:
    """The addresses that the message makes clickable."""
    found = [hit.split("|")[0] for text, _ in _marked_up(message) for hit in _CONTROL.findall(text) if hit[0] not in "!@#"]
    bare = [hit for text, parsed in _marked_up(message) if parsed for hit in _BARE_URL.findall(_CONTROL.sub("", text))]
    return [unescape(url) for url in found + bare]


def code_blocks(message: Message) -> list[str]:
    """The contents of the code blocks, as read on screen."""
    return [unescape(code).rstrip("\n") for text, _ in _marked_up(message) for code in _FENCED.findall(text)]


def outside_code(message: Message) -> str:
    """Everything readable that stands in no code block."""
    plain = [obj["text"] for obj in _text_objects(message.get("blocks", [])) if obj["type"] == "plain_text"]
    return unescape("\n".join(plain + [_FENCED.sub("", text) for text, _ in _marked_up(message)]))


def _marked_up(message: Message) -> list[tuple[str, bool]]:
    """Every mrkdwn text, and whether Slack turns bare names and URLs of it into mentions and links."""
    blocks = [
        (obj["text"], not obj.get("verbatim", False)) for obj in _text_objects(message.get("blocks", [])) if _is_markdown(obj)
    ]
    return [(message["text"], message.get("parse") == "full" or bool(message.get("link_names"))), *blocks]


def _is_markdown(obj: dict[str, Any]) -> bool:
    return bool(obj["type"] == "mrkdwn")


def _text_objects(value: Any) -> list[dict[str, Any]]:
    if isinstance(value, list):
        return [obj for item in value for obj in _text_objects(item)]
    if not isinstance(value, dict):
        return []
    if value.get("type") in ("plain_text", "mrkdwn"):
        return [value]
    return [obj for item in value.values() for obj in _text_objects(item)]
