"""What the API server saw of opsmend, by its audit log alone.

One request is one audit id, whatever the stages that were logged of it: an answer that streams has two (ResponseStarted,
ResponseComplete), a request without valid credentials, or one during which the server died, may have the first alone.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qs, unquote, urlsplit

from opsmend.domain.call_ledger import ApiCall

_ACCOUNT: Final = re.compile(r"system:serviceaccount:(?P<namespace>[^:]+):(?P<name>opsmend-[^:]+)")
_OURS: Final = re.compile(r"opsmend/\S+ \((?P<agent>\w+); (?P<workflow>\S+)\)")
_AGENTS_RUN: Final = re.compile(r":(sre|architect|security|deployment):\d+$")


@dataclass(frozen=True)
class Seen:
    """`account` is namespace/name; empty where the server took no credential (401)."""

    account: str
    agent: str
    """As the User-Agent says, like `work`."""
    work: str
    """The incident, or another workflow; the User-Agent itself where it names none."""
    call: ApiCall


def seen_since(log: Path, since: datetime) -> list[Seen]:
    """Every request of an account of opsmend, or that claims to be of one. Rotated logs lie beside `log` and are read too."""
    found: dict[str, Seen] = {}
    for path in log.parent.glob(f"{log.stem}*{log.suffix}"):
        for entry in _entries(path):
            if datetime.fromisoformat(entry["requestReceivedTimestamp"]) >= since and (one := seen(entry)):
                found[entry["auditID"]] = one
    return list(found.values())


def _entries(path: Path) -> Iterator[dict[str, Any]]:
    with path.open("rb") as lines:
        for line in lines:
            # The last line may still be being written.
            if b"opsmend" in line and line.endswith(b"\n"):
                yield json.loads(line)


def seen(entry: dict[str, Any]) -> Seen | None:
    """An event of the log; None where it is not about opsmend."""
    username, user_agent = entry["user"].get("username", ""), entry.get("userAgent", "")
    account, ours = _ACCOUNT.fullmatch(username), _OURS.fullmatch(user_agent)
    if account is None and (username or ours is None):
        return None
    return Seen(
        account=f"{account['namespace']}/{account['name']}" if account else "",
        agent=ours["agent"] if ours else "",
        work=_AGENTS_RUN.sub("", unquote(ours["workflow"])) if ours else user_agent,
        call=_call(entry),
    )


def _call(entry: dict[str, Any]) -> ApiCall:
    address, about = urlsplit(entry["requestURI"]), entry.get("objectRef")
    if about is None:
        return ApiCall(verb=entry["verb"], resource=address.path)
    resource = ".".join(filter(None, (about["resource"], about.get("apiGroup"))))
    return ApiCall(
        verb=entry["verb"],
        resource="/".join(filter(None, (resource, about.get("subresource")))),
        # Of a Namespace the server says that it lies in itself.
        namespace="" if resource == "namespaces" else about.get("namespace", ""),
        name=about.get("name", ""),
        dry_run="dryRun" in parse_qs(address.query),
    )
