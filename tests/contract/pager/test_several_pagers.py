"""Several pagers side by side: all are used, none is asked again for what it has taken."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import timedelta

import pytest
from temporalio import workflow
from temporalio.client import Client, WorkflowFailureError
from temporalio.common import RetryPolicy
from temporalio.exceptions import ApplicationError
from temporalio.worker import UnsandboxedWorkflowRunner, Worker
from tests.builders import a_call, an_incident
from tests.contract.pager.conftest import MailSide, PagerDutySide, WebhookSide, a_page, an_end
from tests.desk_in_memory import DeskInMemory
from tests.slack_standin.faults import Fault, Mode
from tests.workflows.servers import a_temporal

from opsmend.activities.interceptor import ActivityConduct
from opsmend.activities.paging import PageRequest, PagingActivities
from opsmend.adapters.pager.pagers import pager_of
from opsmend.adapters.pager.several import NoPager
from opsmend.domain.ports.pager import Paged, Pager
from opsmend.errors import PagerRejectedError, PagerUnavailableError
from opsmend.settings import PagerSettings

INCIDENT = an_incident()


@workflow.defn(name="Pages")
class Pages:
    """Pages once, with short patience."""

    @workflow.run
    async def run(self, request: PageRequest) -> Paged:
        return await workflow.execute_activity_method(
            PagingActivities.trigger,
            request,
            start_to_close_timeout=timedelta(seconds=10),
            heartbeat_timeout=timedelta(seconds=5),
            retry_policy=RetryPolicy(initial_interval=timedelta(milliseconds=50), maximum_attempts=20),
        )


class Sides:
    """PagerDuty, a mail server and a receiver of webhooks, all of them set up."""

    def __init__(self, pagerduty: PagerDutySide, mail: MailSide, webhook: WebhookSide) -> None:
        self.pagerduty = pagerduty
        self.mail = mail
        self.webhook = webhook

    @property
    def settings(self) -> PagerSettings:
        return PagerSettings(
            timeout=timedelta(seconds=2),
            pagerduty=self.pagerduty.settings.pagerduty,
            smtp=self.mail.settings.smtp,
            webhook=self.webhook.settings.webhook,
        )

    @property
    def rings(self) -> tuple[int, int, int]:
        """PagerDuty's incidents, mails word for word (repetitions too), deliveries to the webhook (repetitions too)."""
        return len(self.pagerduty.standin.incidents), len(self.mail.server.mails), len(self.webhook.receiver.deliveries)


@pytest.fixture
def sides(pagerduty: PagerDutySide, mail: MailSide, webhook: WebhookSide) -> Sides:
    return Sides(pagerduty, mail, webhook)


async def test_all_that_are_set_up_are_used(sides: Sides, stack: AsyncExitStack) -> None:
    pager = pager_of(sides.settings, stack)
    assert (await pager.trigger(a_page())).by == ("pagerduty", "smtp", "webhook")
    assert sides.rings == (1, 1, 1)
    await pager.resolve(an_end())
    assert (sides.pagerduty.over, sides.mail.over, sides.webhook.over) == (1, 1, 1)


async def test_one_that_rejects_is_told_and_the_others_page(sides: Sides, stack: AsyncExitStack) -> None:
    sides.pagerduty.refuses()
    paged = await pager_of(sides.settings, stack).trigger(a_page())
    assert paged.by == ("smtp", "webhook")
    assert paged.refused == ("PagerDuty answered 403: not for you",)


async def test_only_what_nobody_takes_is_rejected(sides: Sides, stack: AsyncExitStack) -> None:
    for side in (sides.pagerduty, sides.mail, sides.webhook):
        side.refuses()
    with pytest.raises(PagerRejectedError, match=r"PagerDuty.*Mail server.*webhook"):
        await pager_of(sides.settings, stack).trigger(a_page())


async def test_one_that_is_away_is_named_with_those_who_took_it(sides: Sides, stack: AsyncExitStack) -> None:
    await sides.pagerduty.go_down()
    with pytest.raises(PagerUnavailableError, match=r"PagerDuty did not answer.*taken by smtp, webhook"):
        await pager_of(sides.settings, stack).trigger(a_page())
    assert sides.rings == (0, 1, 1)


async def test_a_check_says_how_each_of_them_is(sides: Sides, stack: AsyncExitStack) -> None:
    pager = pager_of(sides.settings, stack)
    said = await pager.check()
    assert all(word in said for word in ("PagerDuty", "Mail server", "webhook"))
    await sides.webhook.go_down()
    with pytest.raises(PagerUnavailableError, match=r"PagerDuty takes.*takes our mail.*webhook did not answer"):
        await pager.check()
    assert sides.rings == (0, 0, 0)


async def test_where_none_is_set_up_nobody_is_paged_and_nothing_fails(stack: AsyncExitStack) -> None:
    pager = pager_of(PagerSettings(), stack)
    assert isinstance(pager, NoPager)
    assert await pager.trigger(a_page()) == Paged()
    assert await pager.resolve(an_end()) == Paged()


# --- as an activity on Temporal ----------------------------------------------------------------------------------------------


@pytest.fixture
async def temporal() -> AsyncIterator[Client]:
    async with a_temporal() as server:
        yield await server.client()


async def paged_on(client: Client, pager: Pager) -> Paged:
    """What a worker with this pager makes of a call."""
    paging = PagingActivities(DeskInMemory(INCIDENT), pager)
    request = PageRequest(incident_id=INCIDENT.id, run_id=INCIDENT.run_id, state=INCIDENT, call=a_call("undo_failed"))
    async with Worker(
        client,
        task_queue="pages",
        workflows=[Pages],
        workflow_runner=UnsandboxedWorkflowRunner(),
        activities=[paging.trigger, paging.resolve],
        interceptors=[ActivityConduct()],
    ):
        return await client.execute_workflow(Pages.run, request, id="page", task_queue="pages")


async def test_while_one_is_away_the_others_are_not_told_again(sides: Sides, stack: AsyncExitStack, temporal: Client) -> None:
    sides.pagerduty.server.faults.active.append(Fault(Mode.UNAVAILABLE, times=3))
    paged = await paged_on(temporal, pager_of(sides.settings, stack))
    assert paged.by == ("pagerduty", "smtp", "webhook")
    assert sides.rings == (1, 1, 1)


async def test_what_nobody_takes_is_not_tried_again(sides: Sides, stack: AsyncExitStack, temporal: Client) -> None:
    for side in (sides.pagerduty, sides.mail, sides.webhook):
        side.refuses()
    with pytest.raises(WorkflowFailureError) as failed:
        await paged_on(temporal, pager_of(sides.settings, stack))
    cause = failed.value.cause.__cause__
    assert isinstance(cause, ApplicationError)
    assert (cause.type, cause.non_retryable) == ("PagerRejectedError", True)
    assert len(sides.mail.server.mails) == 0
