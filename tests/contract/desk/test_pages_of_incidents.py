"""Temporal's own pages, one after the other, have every incident once."""

import asyncio

from tests.builders import a_target, an_alert

from opsmend.adapters.temporal.desk import TemporalDesk
from opsmend.domain.incident import Outcome, Status


async def test_pages_lose_none_and_repeat_none(desk: TemporalDesk) -> None:
    targets = [a_target(name=f"app-{number}") for number in range(7)]
    for target in targets:
        await desk.submit(target, (an_alert(target=target),))
    await _until_listed(desk, len(targets))
    seen: list[str] = []
    begin: bytes | None = None
    for _ in range(4):
        page = await desk.page(begin=begin, limit=2)
        assert len(page.rows) <= 2
        seen += [row.id for row in page.rows]
        begin = page.next
        if begin is None:
            break
    assert begin is None
    assert sorted(seen) == sorted(target.incident_id for target in targets)


async def test_a_filter_holds_for_every_page(desk: TemporalDesk) -> None:
    target = a_target()
    await desk.submit(target, (an_alert(),))
    await _until_listed(desk, 1)
    assert (await desk.page(Status.CLOSED)).rows == ()
    assert (await desk.page(outcome=Outcome.ESCALATED)).next is None


async def _until_listed(desk: TemporalDesk, count: int) -> None:
    """Visibility follows a moment later."""
    async with asyncio.timeout(20):
        while len((await desk.page()).rows) < count:
            await asyncio.sleep(0.05)
