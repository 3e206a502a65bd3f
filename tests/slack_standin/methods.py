"""The Web API methods that opsmend calls, with Slack's checks. Arguments in, answer out; refusals are SlackErrors.

https://docs.slack.dev/reference/methods
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from tests.slack_standin.blocks import valid_message_blocks, valid_modal
from tests.slack_standin.faults import SlackError
from tests.slack_standin.notifying import whom_it_notifies
from tests.slack_standin.workspace import Channel, Ephemeral, Message, Notification, Workspace, stands_in_channel

Arguments = dict[str, Any]
Answer = dict[str, Any]

TEXT_LIMIT: Final = 40_000


@dataclass(frozen=True)
class Method:
    """`scopes`: any one of them will do; empty needs none. `arguments` are all that it knows."""

    call: Callable[[Workspace, Arguments], Answer]
    arguments: frozenset[str]
    scopes: frozenset[str] = frozenset()


def call_method(workspace: Workspace, name: str, token: str, arguments: Arguments) -> Answer:
    """Raises SlackError."""
    method = METHODS.get(name)
    if method is None:
        raise SlackError("unknown_method", req_method=name)
    _check_token(workspace, name, token)
    if method.scopes and not method.scopes & workspace.scopes:
        raise SlackError("missing_scope", needed=",".join(sorted(method.scopes)), provided=",".join(sorted(workspace.scopes)))
    unknown = set(arguments) - method.arguments - {"team_id"}
    if unknown:
        raise SlackError("invalid_arguments", response_metadata={"messages": [f"[ERROR] unknown: {sorted(unknown)}"]})
    return method.call(workspace, arguments)


def _check_token(workspace: Workspace, name: str, token: str) -> None:
    if not token:
        raise SlackError("not_authed")
    if token not in (workspace.bot_token, workspace.app_token):
        raise SlackError("invalid_auth")
    if (token == workspace.app_token) != name.startswith("apps."):
        raise SlackError("not_allowed_token_type")


def _auth_test(workspace: Workspace, _: Arguments) -> Answer:
    return {
        "url": "https://standin.slack.test/",
        "team": "standin",
        "user": "opsmend",
        "team_id": workspace.team_id,
        "user_id": workspace.bot_user,
        "bot_id": workspace.bot_id,
        "is_enterprise_install": False,
    }


def _post_message(workspace: Workspace, arguments: Arguments) -> Answer:
    channel = _writable(workspace, arguments)
    content = _content(arguments)
    root = _root(channel, arguments.get("thread_ts"))
    message: Message = {
        "type": "message",
        "ts": workspace.next_ts(),
        "user": workspace.bot_user,
        "bot_id": workspace.bot_id,
        "app_id": workspace.app_id,
        "team": workspace.team_id,
        **content,
    }
    if root is not None:
        _answer_in_thread(root, message, broadcast=_true(arguments.get("reply_broadcast")))
    channel.messages[message["ts"]] = message
    workspace.notifications += [
        Notification(user, channel.id, message["ts"]) for user in whom_it_notifies(workspace, channel, message)
    ]
    return {"channel": channel.id, "ts": message["ts"], "message": message}


def _root(channel: Channel, thread_ts: str | None) -> Message | None:
    """The message that is answered. Slack's reference says to avoid a reply's own ts; here that is refused."""
    if thread_ts is None:
        return None
    root = channel.messages.get(thread_ts)
    if root is None:
        raise SlackError("thread_not_found")
    if root.get("thread_ts", thread_ts) != thread_ts:
        raise SlackError("cannot_reply_to_message")
    return root


def _answer_in_thread(root: Message, reply: Message, *, broadcast: bool) -> None:
    """https://docs.slack.dev/messaging/#threading and /reference/events/message/thread_broadcast"""
    if broadcast and any(block["type"] == "actions" for block in reply["blocks"]):
        raise SlackError("invalid_blocks", errors=["what is shared with the channel cannot contain message buttons"])
    root |= {"thread_ts": root["ts"], "reply_count": root.get("reply_count", 0) + 1, "latest_reply": reply["ts"]}
    reply["thread_ts"] = root["ts"]
    if not broadcast:
        return
    reply["subtype"] = "thread_broadcast"
    reply["root"] = {key: value for key, value in root.items() if key != "root"}


def _update(workspace: Workspace, arguments: Arguments) -> Answer:
    channel = _readable(workspace, arguments)
    message = channel.messages.get(_required(arguments, "ts"))
    if message is None:
        raise SlackError("message_not_found")
    if message.get("bot_id") != workspace.bot_id:
        raise SlackError("cant_update_message")
    message.update(_content(arguments), edited={"user": workspace.bot_user, "ts": workspace.next_ts()})
    return {"channel": channel.id, "ts": message["ts"], "text": message["text"], "message": message}


def _post_ephemeral(workspace: Workspace, arguments: Arguments) -> Answer:
    channel = _writable(workspace, arguments)
    user = _required(arguments, "user")
    if user not in channel.members:
        raise SlackError("user_not_in_channel")
    workspace.ephemerals.append(Ephemeral(channel.id, user, _content(arguments)["text"]))
    return {"message_ts": workspace.next_ts()}


def _permalink(workspace: Workspace, arguments: Arguments) -> Answer:
    channel = _readable(workspace, arguments)
    ts = _required(arguments, "message_ts")
    if ts not in channel.messages:
        raise SlackError("message_not_found")
    return {"channel": channel.id, "permalink": f"https://standin.slack.test/archives/{channel.id}/p{ts.replace('.', '')}"}


def _history(workspace: Workspace, arguments: Arguments) -> Answer:
    channel = _readable(workspace, arguments)
    if workspace.bot_user not in channel.members:
        raise SlackError("not_in_channel")
    found = [m for m in channel.messages.values() if stands_in_channel(m)]
    return _page(list(reversed(found)), arguments)


def _replies(workspace: Workspace, arguments: Arguments) -> Answer:
    channel = _readable(workspace, arguments)
    root = _required(arguments, "ts")
    if root not in channel.messages:
        raise SlackError("thread_not_found")
    return _page([m for m in channel.messages.values() if m.get("thread_ts", m["ts"]) == root], arguments)


def _page(messages: list[Message], arguments: Arguments) -> Answer:
    """Between `oldest` and `latest` (exclusive unless inclusive), `limit` at a time, metadata only when asked for."""
    oldest, latest = float(arguments.get("oldest", 0)), float(arguments.get("latest", "inf"))
    limit = int(arguments.get("limit", 100))
    if not 0 < limit < 1000:
        raise SlackError("invalid_limit")
    inclusive = _true(arguments.get("inclusive"))
    within = [m for m in messages if oldest < float(m["ts"]) < latest or (inclusive and float(m["ts"]) in (oldest, latest))]
    start = int(arguments.get("cursor") or 0)
    page = within[start : start + limit]
    if not _true(arguments.get("include_all_metadata")):
        page = [{key: value for key, value in m.items() if key != "metadata"} for m in page]
    more = start + limit < len(within)
    return {"messages": page, "has_more": more, "response_metadata": {"next_cursor": str(start + limit) if more else ""}}


def _open_view(workspace: Workspace, arguments: Arguments) -> Answer:
    view = valid_modal(_json(_required(arguments, "view")))
    user = workspace.use_trigger(_required(arguments, "trigger_id"))
    opened = workspace.open_view(user, view)
    return {"view": {"id": opened.id, "team_id": workspace.team_id, "app_id": workspace.app_id, **view}}


def _list_usergroups(workspace: Workspace, arguments: Arguments) -> Answer:
    groups = []
    for group in workspace.usergroups.values():
        if group.date_delete and not _true(arguments.get("include_disabled")):
            continue
        shown: dict[str, Any] = {"id": group.id, "team_id": workspace.team_id, "is_usergroup": True, "name": group.handle}
        shown |= {"handle": group.handle, "date_delete": group.date_delete, "user_count": len(group.users)}
        if _true(arguments.get("include_users")):
            shown["users"] = sorted(group.users)
        groups.append(shown)
    return {"usergroups": groups}


def _list_usergroup_users(workspace: Workspace, arguments: Arguments) -> Answer:
    group = workspace.usergroups.get(_required(arguments, "usergroup"))
    if group is None or (group.date_delete and not _true(arguments.get("include_disabled"))):
        raise SlackError("no_such_subteam")
    return {"users": sorted(group.users)}


def _user_info(workspace: Workspace, arguments: Arguments) -> Answer:
    user = workspace.users.get(_required(arguments, "user"))
    if user is None:
        raise SlackError("user_not_found")
    return {"user": {"id": user.id, "team_id": user.team_id, "name": user.name, "deleted": False, "is_bot": False}}


def _readable(workspace: Workspace, arguments: Arguments) -> Channel:
    """By id alone, as all methods but chat.postMessage want it."""
    return workspace.channel(_required(arguments, "channel"))


def _writable(workspace: Workspace, arguments: Arguments) -> Channel:
    wanted = _required(arguments, "channel")
    named = next((c.id for c in workspace.channels.values() if wanted in (c.name, f"#{c.name}")), wanted)
    channel = workspace.channel(named)
    if workspace.bot_user not in channel.members:
        raise SlackError("not_in_channel")
    return channel


def _content(arguments: Arguments) -> Message:
    """Text, blocks and metadata of a message, checked."""
    text = str(arguments.get("text") or "")
    blocks = valid_message_blocks(_json(arguments["blocks"])) if arguments.get("blocks") else []
    if not text and not blocks:
        raise SlackError("no_text")
    if len(text) > TEXT_LIMIT:
        raise SlackError("msg_too_long")
    content: Message = {"text": text, "blocks": blocks, "parse": arguments.get("parse", "none")}
    content["link_names"] = _true(arguments.get("link_names"))
    if arguments.get("metadata"):
        content["metadata"] = _metadata(_json(arguments["metadata"]))
    return content


def _metadata(metadata: Any) -> Any:
    fits = isinstance(metadata, dict) and set(metadata) == {"event_type", "event_payload"}
    if not fits or not isinstance(metadata["event_type"], str) or not isinstance(metadata["event_payload"], dict):
        raise SlackError("invalid_metadata_format")
    return metadata


def _json(value: Any) -> Any:
    """Forms carry JSON as text."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except json.JSONDecodeError as e:
        raise SlackError("invalid_arguments") from e


def _required(arguments: Arguments, name: str) -> str:
    if not arguments.get(name):
        raise SlackError("invalid_arguments", response_metadata={"messages": [f"[ERROR] missing required field: {name}"]})
    value = arguments[name]
    return value if isinstance(value, str) else json.dumps(value)


def _true(value: Any) -> bool:
    return value in (True, 1, "1", "true", "True")


def _only(*names: str) -> frozenset[str]:
    return frozenset(names)


_CONTENT: Final = _only(
    "channel", "text", "blocks", "metadata", "parse", "link_names", "unfurl_links", "unfurl_media", "mrkdwn"
)
_PAGING: Final = _only("channel", "cursor", "inclusive", "include_all_metadata", "latest", "oldest", "limit")
_HISTORY_SCOPES: Final = _only("channels:history", "groups:history")

METHODS: Final[dict[str, Method]] = {
    "auth.test": Method(_auth_test, _only()),
    "chat.postMessage": Method(_post_message, _CONTENT | _only("thread_ts", "reply_broadcast"), _only("chat:write")),
    "chat.update": Method(_update, _CONTENT | _only("ts"), _only("chat:write")),
    "chat.postEphemeral": Method(_post_ephemeral, _CONTENT | _only("user", "thread_ts"), _only("chat:write")),
    "chat.getPermalink": Method(_permalink, _only("channel", "message_ts")),
    "conversations.history": Method(_history, _PAGING, _HISTORY_SCOPES),
    "conversations.replies": Method(_replies, _PAGING | _only("ts"), _HISTORY_SCOPES),
    "views.open": Method(_open_view, _only("trigger_id", "view")),
    "usergroups.list": Method(
        _list_usergroups, _only("include_users", "include_disabled", "include_count"), _only("usergroups:read")
    ),
    "usergroups.users.list": Method(_list_usergroup_users, _only("usergroup", "include_disabled"), _only("usergroups:read")),
    "users.info": Method(_user_info, _only("user"), _only("users:read")),
}
"""All but apps.connections.open, which needs the server's own address (see server.py)."""
