"""What Slack sends when somebody clicks or types a command: payloads and signatures. It waits three seconds for the answer."""

import hashlib
import hmac
import json
from typing import Any, Final
from urllib.parse import urlencode

from tests.slack_standin.workspace import Channel, Message, OpenView, User, Workspace

ACK_SECONDS: Final = 3


def signed(secret: str, timestamp: float, body: str) -> dict[str, str]:
    """The headers of a genuine request. https://docs.slack.dev/authentication/verifying-requests-from-slack"""
    moment = str(int(timestamp))
    signature = hmac.new(secret.encode(), f"v0:{moment}:{body}".encode(), hashlib.sha256).hexdigest()
    return {
        "Content-Type": "application/x-www-form-urlencoded",
        "X-Slack-Request-Timestamp": moment,
        "X-Slack-Signature": f"v0={signature}",
    }


def form(payload: dict[str, Any]) -> str:
    return urlencode({"payload": json.dumps(payload)})


def slash_command(workspace: Workspace, user: User, channel: Channel, text: str, response_url: str) -> dict[str, str]:
    """The fields of `/opsmend TEXT`. https://docs.slack.dev/interactivity/implementing-slash-commands"""
    return {
        "token": "deprecated",
        "team_id": user.team_id,
        "team_domain": "standin",
        "channel_id": channel.id,
        "channel_name": channel.name,
        "user_id": user.id,
        "user_name": user.name,
        "command": "/opsmend",
        "text": text,
        "api_app_id": workspace.app_id,
        "is_enterprise_install": "false",
        "response_url": response_url,
        "trigger_id": workspace.new_trigger(user.id),
    }


def button_of(message: Message, action_id: str) -> tuple[str, dict[str, Any]]:
    """The block id and the button. Raises LookupError when the message shows no such button."""
    for block in message["blocks"]:
        for element in block.get("elements", []):
            if block["type"] == "actions" and element["action_id"] == action_id:
                return block["block_id"], element
    raise LookupError(f"the message shows no button {action_id}")


def block_actions(
    workspace: Workspace, user: User, channel: Channel, message: Message, action_id: str, response_url: str
) -> dict[str, Any]:
    """A click on a button of `message` as `user` sees it (perhaps no longer as it stands)."""
    block_id, button = button_of(message, action_id)
    action = {key: button[key] for key in ("type", "action_id", "text", "value", "style") if key in button}
    return {
        "type": "block_actions",
        **_whence(workspace, user),
        "container": {"type": "message", "message_ts": message["ts"], "channel_id": channel.id, "is_ephemeral": False},
        "trigger_id": workspace.new_trigger(user.id),
        "channel": {"id": channel.id, "name": channel.name},
        "message": message,
        "state": {"values": {}},
        "response_url": response_url,
        "actions": [action | {"block_id": block_id, "action_ts": workspace.next_ts()}],
    }


def view_submission(workspace: Workspace, user: User, opened: OpenView, values: dict[str, dict[str, str]]) -> dict[str, Any]:
    """The form sent with `values` by block id and action id. Raises LookupError for a field that it does not have."""
    state: dict[str, dict[str, Any]] = {}
    for block in opened.view["blocks"]:
        if block["type"] == "input":
            state[block["block_id"]] = _typed(block, values.get(block["block_id"], {}))
    if unknown := set(values) - set(state):
        raise LookupError(f"the form has no field {sorted(unknown)}")
    view = {"id": opened.id, "team_id": workspace.team_id, "app_installed_team_id": workspace.team_id, **opened.view}
    return {
        "type": "view_submission",
        **_whence(workspace, user),
        "trigger_id": workspace.new_trigger(user.id),
        "view": view | {"state": {"values": state}},
        "response_urls": [],
    }


def _typed(block: dict[str, Any], values: dict[str, str]) -> dict[str, Any]:
    """Raises ValueError when Slack's own client would not send it."""
    element = block["element"]
    text = values.get(element["action_id"])
    if not text and not block["optional"]:
        raise ValueError("Please complete this required field.")
    if text and not element["min_length"] <= len(text) <= element["max_length"]:
        raise ValueError(f"between {element['min_length']} and {element['max_length']} characters")
    return {element["action_id"]: {"type": element["type"], "value": text or None}}


def _whence(workspace: Workspace, user: User) -> dict[str, Any]:
    return {
        "user": {"id": user.id, "username": user.name, "name": user.name, "team_id": user.team_id},
        "api_app_id": workspace.app_id,
        "token": "deprecated",
        "team": {"id": workspace.team_id, "domain": "standin"},
        "enterprise": None,
        "is_enterprise_install": False,
    }
