"""Whose phone buzzes for a message that is posted: members of the channel with Slack's default, *direct messages and mentions*.

Nobody for a message that mentions nobody; nobody for an edit. People follow a thread that they wrote in or were mentioned in,
and hear of each reply there. Slack promises nowhere that `@here` and `@channel` reach the channel from inside a thread, not
even with a reply that is shared with the channel, so here they reach only who follows it.
"""

import re
from collections.abc import Iterable
from typing import Final

from tests.slack_standin.rendering import mentions
from tests.slack_standin.workspace import Channel, Message, Workspace

_USER: Final = re.compile(r"@([UW]\w+)")
_GROUP: Final = re.compile(r"!subteam\^(S\w+)")


def whom_it_notifies(workspace: Workspace, channel: Channel, message: Message) -> list[str]:
    """Ids, sorted. Whoever wrote it is not among them, nor who is not in the channel."""
    reached = _named(workspace, channel, message)
    root = message.get("thread_ts")
    if root is None:
        reached |= _everybody(workspace, channel, message)
    else:
        reached |= _followers(workspace, channel, root)
    return sorted((reached & channel.members) - {message["user"]})


def _named(workspace: Workspace, channel: Channel, message: Message) -> set[str]:
    named: set[str] = set()
    for mention in map(_without_label, mentions(message)):
        if user := _USER.fullmatch(mention):
            named.add(user[1])
        elif (group := _GROUP.fullmatch(mention)) and group[1] in workspace.usergroups:
            found = workspace.usergroups[group[1]]
            named |= set() if found.date_delete else found.users
    return named


def _everybody(workspace: Workspace, channel: Channel, message: Message) -> set[str]:
    found = set(map(_without_label, mentions(message)))
    if found & {"!channel", "!everyone", "@channel", "@everyone"}:
        return set(channel.members)
    if found & {"!here", "@here"}:
        return {user for user in channel.members if workspace.users[user].active}
    return set()


def _followers(workspace: Workspace, channel: Channel, root: str) -> set[str]:
    thread: Iterable[Message] = [m for m in channel.messages.values() if m.get("thread_ts", m["ts"]) == root]
    wrote = {message["user"] for message in thread}
    return wrote.union(*(_named(workspace, channel, message) for message in thread))


def _without_label(mention: str) -> str:
    """`!subteam^S1|@sre` is the group S1."""
    return mention.partition("|")[0]
