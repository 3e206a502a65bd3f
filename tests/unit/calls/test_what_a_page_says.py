"""What the paging activities hand to a pager."""

import dataclasses
from datetime import timedelta

import pytest
from temporalio.testing import ActivityEnvironment
from tests.builders import NOW, a_call, a_diagnosis, a_plan, a_target, an_alert, an_approval, an_incident_awaiting_approval
from tests.desk_in_memory import DeskInMemory

from opsmend.activities.paging import PageRequest, PagingActivities, ResolveRequest
from opsmend.domain.call import Call, CallReason
from opsmend.domain.incident import IncidentState
from opsmend.domain.ports.pager import Page, Paged, PageOver

ASKED = an_incident_awaiting_approval()
BLOB = "Zm9vYmFyYmF6"
KEY = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj"
TOKEN = "ghp_" + "x7Kq2mV9sLw4RtY8bNc3ZpQ6jHd1FgA5uE0o"


class Collecting:
    """A pager that takes everything."""

    def __init__(self) -> None:
        self.pages: list[Page] = []
        self.over: list[PageOver] = []

    async def trigger(self, page: Page) -> Paged:
        self.pages.append(page)
        return Paged(by=("collecting",))

    async def resolve(self, over: PageOver) -> Paged:
        self.over.append(over)
        return Paged(by=("collecting",))

    async def check(self) -> str:
        raise NotImplementedError


def environment(waited: timedelta = timedelta()) -> ActivityEnvironment:
    env = ActivityEnvironment()
    env.info = dataclasses.replace(env.info, scheduled_time=NOW, started_time=NOW + waited)
    return env


async def paged(call: Call, now: IncidentState, *, asked: IncidentState = ASKED, waited: timedelta = timedelta()) -> list[Page]:
    pager = Collecting()
    request = PageRequest(incident_id=now.id, run_id=now.run_id, state=asked, call=call)
    result = await environment(waited).run(PagingActivities(DeskInMemory(now), pager).trigger, request)
    assert bool(result.by) == bool(pager.pages)
    return pager.pages


async def test_a_page_says_what_happened_what_is_needed_and_where_to_read_on() -> None:
    call = a_call("escalation", text="Nobody has answered.", until=NOW)
    (page,) = await paged(call, ASKED)
    assert ASKED.diagnosis
    assert ASKED.plan
    assert page == Page(
        incident_id=ASKED.id,
        run_id=ASKED.run_id,
        key="escalation-1",
        reason=CallReason.ESCALATION,
        severity=ASKED.severity,
        cluster="demo",
        target=a_target().ref,
        summary=ASKED.diagnosis.summary,
        text="Nobody has answered.",
        needed="Somebody who may decide still has to answer by 2026-03-14 15:00 UTC.",
        alerts=("KubePodCrashLooping",),
        plan=ASKED.plan.summary,
        at=NOW,
        temporal_ui=page.temporal_ui,
    )
    assert page.temporal_ui.startswith("http")


@pytest.mark.parametrize("reason", CallReason)
async def test_nobody_is_paged_late_to_a_question_that_was_answered(reason: CallReason) -> None:
    answered = ASKED.model_copy(update={"status": "executing", "approval": an_approval(ASKED.plan)})
    pages = await paged(a_call(reason), answered, waited=timedelta(minutes=20))
    assert len(pages) == (0 if reason in ("question", "reminder", "escalation") else 1)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("x" * 100_000, id="long"),
        pytest.param("two\r\nlines\twith \x1b[31mcolour", id="control characters"),
        pytest.param(f"password=hunter2hunter2 and {TOKEN} here", id="secrets"),
        pytest.param(f"-----BEGIN PRIVATE KEY-----\n{KEY}\n{KEY}\n-----END PRIVATE KEY-----\n", id="a key of several lines"),
        pytest.param(f"kind: Secret\ndata:\n  blob: {BLOB}\n", id="a secret known by its lines"),
        pytest.param("password\x00=\x00hunter2hunter2", id="a secret behind a control character"),
        pytest.param("\u202eesrever\u2028", id="turned around"),
    ],
)
async def test_every_text_leaves_redacted_bounded_and_on_one_line(text: str) -> None:
    state = ASKED.model_copy(
        update={
            "diagnosis": a_diagnosis(summary=text),
            "plan": a_plan(summary=text),
            "alerts": tuple(an_alert(name=text[:256]) for _ in range(20)),
        }
    )
    (page,) = await paged(a_call(text=text), state, asked=state)
    closed = state.model_copy(update={"closing": text, "outcome": "escalated", "status": "closed"})
    pager = Collecting()
    over = ResolveRequest(incident_id=closed.id, run_id=closed.run_id, state=closed)
    await environment().run(PagingActivities(DeskInMemory(closed), pager).resolve, over)
    texts = (page.summary, page.text, page.plan, *page.alerts, pager.over[0].summary)
    assert len(page.alerts) == 5
    for shown in texts:
        assert shown.isprintable()
        assert len(shown) <= 600
        assert "hunter2" not in shown
        assert TOKEN not in shown
        assert KEY not in shown
        assert BLOB not in shown


async def test_the_end_says_how_it_ended() -> None:
    closed = ASKED.model_copy(
        update={"status": "closed", "outcome": "remediated", "closing": "2 of 2 replicas are ready", "closed_at": NOW}
    )
    pager = Collecting()
    request = ResolveRequest(incident_id=closed.id, run_id=closed.run_id, state=closed)
    await environment().run(PagingActivities(DeskInMemory(closed), pager).resolve, request)
    (over,) = pager.over
    assert (over.outcome, over.summary, over.at) == ("remediated", "2 of 2 replicas are ready", NOW)
