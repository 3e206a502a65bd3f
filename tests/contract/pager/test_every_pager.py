"""What any pager owes, whatever is behind it."""

from contextlib import AsyncExitStack
from datetime import timedelta

import pytest
from tests.contract.pager.conftest import OtherSide, a_page, an_end

from opsmend.adapters.pager.pagers import pager_of
from opsmend.domain.call import CallReason
from opsmend.domain.ports.pager import Pager
from opsmend.errors import PagerRejectedError, PagerUnavailableError


@pytest.mark.parametrize("reason", CallReason)
async def test_a_page_reaches_somebody_with_all_that_is_needed(pager: Pager, other_side: OtherSide, reason: CallReason) -> None:
    paged = await pager.trigger(a_page(reason=reason))
    assert (len(paged.by), paged.refused) == (1, ())
    assert other_side.rings == 1
    shown = other_side.shown()
    for needed in (
        "shop/web",
        "demo",
        "The fix did not help and was undone.",
        "On-call has to take over: the problem is still there.",
        "revision 2 crashes",
        "KubePodCrashLooping",
        "Roll Deployment shop/web back to revision 1",
        "incident:demo:shop:deployment:web",
        "http://127.0.0.1:8233/namespaces/default/workflows/x/run-1/history",
    ):
        assert needed in shown


async def test_the_same_page_again_rings_once(pager: Pager, other_side: OtherSide) -> None:
    for _ in range(3):
        await pager.trigger(a_page())
    assert other_side.rings == 1


async def test_it_is_taken_back_once(pager: Pager, other_side: OtherSide) -> None:
    await pager.trigger(a_page())
    for _ in range(2):
        await pager.resolve(an_end())
    assert (other_side.rings, other_side.over) == (1, 1)


async def test_the_next_run_of_an_incident_rings_again(pager: Pager, other_side: OtherSide) -> None:
    await pager.trigger(a_page())
    await pager.resolve(an_end())
    await pager.trigger(a_page(run_id="run-2"))
    assert (other_side.rings, other_side.over) == (2, 1)


async def test_another_incident_rings_for_itself(pager: Pager, other_side: OtherSide) -> None:
    await pager.trigger(a_page())
    await pager.trigger(a_page(incident_id="incident:demo:shop:deployment:pay"))
    assert other_side.rings == 2


async def test_a_lost_answer_is_tried_again_and_rings_once(pager: Pager, other_side: OtherSide) -> None:
    other_side.loses_the_next_answer()
    with pytest.raises(PagerUnavailableError):
        await pager.trigger(a_page())
    await pager.trigger(a_page())
    assert other_side.rings == 1


async def test_an_outage_is_unavailable_and_afterwards_somebody_is_paged(pager: Pager, other_side: OtherSide) -> None:
    await other_side.go_down()
    with pytest.raises(PagerUnavailableError):
        await pager.trigger(a_page())
    await other_side.come_back()
    await pager.trigger(a_page())
    assert other_side.rings == 1


async def test_one_that_is_busy_is_unavailable(pager: Pager, other_side: OtherSide) -> None:
    other_side.is_busy()
    with pytest.raises(PagerUnavailableError):
        await pager.trigger(a_page())
    assert other_side.rings == 0


async def test_one_that_does_not_answer_in_time_is_unavailable(pager: Pager, other_side: OtherSide) -> None:
    other_side.dawdles()
    with pytest.raises(PagerUnavailableError):
        await pager.trigger(a_page())


async def test_one_that_refuses_has_rejected_and_says_why(pager: Pager, other_side: OtherSide) -> None:
    other_side.refuses()
    with pytest.raises(PagerRejectedError, match="not for you"):
        await pager.trigger(a_page())
    assert other_side.rings == 0


async def test_a_wrong_credential_is_rejected_and_never_shown(other_side: OtherSide, stack: AsyncExitStack) -> None:
    settings = other_side.wrong_credential.model_copy(update={"timeout": timedelta(seconds=2)})
    with pytest.raises(PagerRejectedError) as refused:
        await pager_of(settings, stack).trigger(a_page())
    for secret in ("f" * 32, "A" * 43, "hunter2", "/hooks/"):
        assert secret not in str(refused.value)
    assert other_side.rings == 0


# --- asking without paging ---------------------------------------------------------------------------------------------------


async def test_asking_whether_it_works_pages_nobody(pager: Pager, other_side: OtherSide) -> None:
    assert (await pager.check()).endswith(".")
    assert (other_side.rings, other_side.over) == (0, 0)


async def test_asking_while_it_is_away_says_so(pager: Pager, other_side: OtherSide) -> None:
    await other_side.go_down()
    with pytest.raises(PagerUnavailableError):
        await pager.check()
    await other_side.come_back()


# --- hostile text ------------------------------------------------------------------------------------------------------------

HOSTILE = {
    "another header": "web\r\nBcc: everybody@example.com\r\n\r\nhello",
    "bare newline": "a\nSubject: all is well",
    "bare return": "a\rTo: b@example.com",
    "dots": "\r\n.\r\nMAIL FROM:<x@example.com>\r\n",
    "json": '","event":"resolve","x":"',
    "encoded word": "=?utf-8?q?all_is_well?=",
    "encoded header": "=?utf-8?q?a=0D=0ABcc:_everybody@example.com=0D=0A?=",
    "line separators": "a\u2028b\u2029c\x85d\x0be",
    "reversed": "safe \u202e lluf ksid",
    "four bytes a character": "🚨" * 600,
    "as long as it may be": "x" * 600,
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
async def test_text_from_outside_stays_text(pager: Pager, other_side: OtherSide, text: str) -> None:
    target = a_page().target.model_copy(update={"name": text})
    page = a_page(target=target, summary=text, text=text, alerts=(text,), plan=text, cluster=text)
    await pager.trigger(page)
    await pager.resolve(an_end(target=target, summary=text, cluster=text))
    assert (other_side.rings, other_side.over) == (1, 1)
