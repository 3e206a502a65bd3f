"""After the drills: the audit log against the ledgers, and against the rights that are granted."""

import asyncio
import time
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Final

from rich.console import Console

from tests.drills.audit.claimed import claims
from tests.drills.audit.compared import Difference, differences, table
from tests.drills.audit.rights_used import granted, record, unlike, used
from tests.drills.audit.seen import Seen, seen_since
from tests.drills.drill import Drill
from tests.drills.opsmend import Opsmend

EVEN_WITHIN: Final = 60.0
"""Seconds until incidents that are still at work have told what they asked."""


async def hear(
    log: Path, since: datetime, opsmend: Opsmend, played: Sequence[Drill], console: Console, *, all_rights: bool
) -> bool:
    """Whether the log bears out what opsmend claims. `all_rights`: all were played, so each right must have been used."""
    if any(drill.watched for drill in played):
        await opsmend.stop_looking()
    cut = frozenset(drill.name for drill in played if drill.kills_api_server)
    entries, found = await _once_even(log, since, opsmend, cut)
    accounts = {one.account for one in entries if one.account}
    console.print(f"audit log: {len(entries)} calls of {len(accounts)} accounts, {len(found)} differences to the ledgers")
    if found:
        console.print(table(found))
    wrong: list[str] = []
    if all_rights:
        rights = used(entries)
        record(rights)
        wrong = unlike(rights, granted())
        console.print("\n".join(wrong) or "every right was used, and nothing beside them")
    return not found and not wrong


async def _once_even(log: Path, since: datetime, opsmend: Opsmend, cut: frozenset[str]) -> tuple[list[Seen], list[Difference]]:
    deadline = time.monotonic() + EVEN_WITHIN
    while True:
        told = await claims(opsmend)
        entries = await asyncio.to_thread(seen_since, log, since)
        found = differences(told, entries, cut)
        if not found or time.monotonic() > deadline:
            return entries, found
        await asyncio.sleep(2)
