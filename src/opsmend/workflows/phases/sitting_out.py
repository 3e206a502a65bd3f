"""Waiting before another look: for planned maintenance, a lost node that has an incident of its own, or what still moves."""

from datetime import timedelta
from typing import Final

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from opsmend.activities.incidents import GroupUnderNode, IncidentActivities
    from opsmend.agents.patience import NOTIFY, on
    from opsmend.agents.queues import CONNECTORS
    from opsmend.domain.alert_book import AlertBook
    from opsmend.domain.diagnosis import NODE_NOT_READY, Diagnosis
    from opsmend.domain.incident import Outcome
    from opsmend.domain.maintenance import LONGEST
    from opsmend.domain.opened import SatOut
    from opsmend.domain.target import Kind, Target
    from opsmend.domain.verification import Baseline, Health

from opsmend.workflows.phases.incident_log import IncidentLog, IncidentOver
from opsmend.workflows.phases.interruptions import Interruptions

MOST_WINDOWS: Final = 5
"""Windows of planned maintenance that one run sits out: one that is renewed again and again must not silence it for ever."""

SHORTEST_WINDOW: Final = timedelta(minutes=1)
"""Waited at least, so that clocks which differ a little do not use the windows up within a moment."""

LOOKS_AT_A_NODE: Final = tuple(timedelta(minutes=minutes) for minutes in (1, 2, 4, 8, 15, 30, 30, 30))
"""Until the next look at a node that is lost: two hours in all, and Kubernetes moves its pods after five minutes."""

LOOKS_WHILE_IT_MOVES: Final = tuple(timedelta(seconds=seconds) for seconds in (10, 20, 40))
"""Until the next look at a target that no rule explains and that is not at rest: a crash loop comes by in that time, and a
person who has to be told waits little over a minute."""

GROUPS_UNDER_NODES: Final = "what-a-lost-node-broke-waits-for-the-incident-of-the-node"
"""Patch: runs that began before it ended at a lost node. It can go once no run is older than 0.2."""

LOOKS_AGAIN: Final = "what-no-rule-explains-is-looked-at-again-while-it-moves"
"""Patch: runs that began before it ended at the first look that told nothing. It can go as the other."""


class SittingOut:
    """Each method returns when it is time to look again, and raises IncidentOver when every alert resolved meanwhile.

    `done` says how often it was waited, and until when it is waited at present.
    """

    def __init__(self, log: IncidentLog, book: AlertBook, interruptions: Interruptions, done: SatOut) -> None:
        self._log = log
        self._book = book
        self._interruptions = interruptions
        self.done = done

    async def go_on(self) -> None:
        """Wait on where the run before had to leave it."""
        if self.done.until is not None:
            await self._wait(
                max(self.done.until - workflow.now(), timedelta(0)), "until the next look", "the wait for the next look"
            )
            self._log.note("waiting.over", "the alert still fires: looking again")
            self._no_more_windows()

    def lost_node(self, diagnosis: Diagnosis) -> Target | None:
        """The node that the diagnosis blames for what another target suffers."""
        target = self._log.state.target
        if diagnosis.category != NODE_NOT_READY or diagnosis.resource.kind is not Kind.NODE:
            return None
        blamed = target.kind is not Kind.NODE and workflow.patched(GROUPS_UNDER_NODES)
        return Target.of(target.cluster, diagnosis.resource) if blamed else None

    async def window(self, planned: Diagnosis) -> None:
        """Until the maintenance ends. However the clocks go or whatever it says, no longer than windows are believed."""
        self._log.note("maintenance.waiting", f"{planned.summary}; nothing is changed, and it is looked into again then")
        ends_in = planned.until - workflow.now() if planned.until else LONGEST
        wait = min(max(ends_in, SHORTEST_WINDOW), LONGEST)
        self._count(windows=self.done.windows + 1)
        await self._wait(wait, "until the planned maintenance ends", f"planned maintenance ({planned.summary})")
        self._log.note("maintenance.over", "the alert still fires: looking into it")
        self._no_more_windows()

    async def node(self, node: Target, diagnosis: Diagnosis) -> None:
        """Let the node's incident do what there is to do, and look at the node every now and then."""
        if self.done.looks_at_a_node == len(LOOKS_AT_A_NODE):
            raise IncidentOver(Outcome.ESCALATED, f"{diagnosis.summary}; {node.incident_id} did not bring it back in time")
        wait = LOOKS_AT_A_NODE[self.done.looks_at_a_node]
        self._count(looks_at_a_node=self.done.looks_at_a_node + 1)
        await self._interruptions.unless(self._leave_it_to(node))
        self._log.note("node.waiting", f"{diagnosis.summary}; {node.incident_id} sees to it, nothing is changed here")
        await self._wait(wait, f"until the next look at {node}", f"the loss of {node}")
        self._log.note("node.looking", f"the alert still fires: looking at {node} again")

    async def _leave_it_to(self, node: Target) -> None:
        await workflow.execute_activity_method(
            IncidentActivities.group_under_node,
            GroupUnderNode(node=node, alerts=self._book.firing),
            **on(CONNECTORS, NOTIFY, f"Leave it to the incident of {node}"),
        )

    async def motion(self, unknown: Diagnosis, baseline: Baseline) -> None:
        """What was looked at in the wrong moment (a container that just starts once more, a rollout) may tell more in the next.

        Raises IncidentOver at once where the target is at rest, and where all looks told nothing.
        """
        # Where there are no pods nothing moves: such a target just cannot be judged.
        moves = baseline.health is Health.INCONCLUSIVE and baseline.desired_replicas > 0
        through = self.done.looks_in_motion == len(LOOKS_WHILE_IT_MOVES)
        if not moves or through or not workflow.patched(LOOKS_AGAIN):
            raise IncidentOver(Outcome.ESCALATED, f"no cause could be told: {unknown.summary}")
        wait = LOOKS_WHILE_IT_MOVES[self.done.looks_in_motion]
        self._count(looks_in_motion=self.done.looks_in_motion + 1)
        self._log.note("motion.waiting", f"{unknown.summary}; it still moves, and is looked at again in {wait.seconds} s")
        await self._wait(wait, "until the next look: it still moves", "the look at what still moved")

    def _no_more_windows(self) -> None:
        if self.done.windows == MOST_WINDOWS:
            raise IncidentOver(
                Outcome.ESCALATED, f"{MOST_WINDOWS} windows of planned maintenance are over, and the alert still fires"
            )

    def _count(self, **done: int) -> None:
        self.done = self.done.model_copy(update=done)

    async def _wait(self, wait: timedelta, until: str, during: str) -> None:
        self._log.enter(self._log.state.status, self._book.severity)
        self.done = self.done.model_copy(update={"until": workflow.now() + wait})
        interrupted = await self._interruptions.wait(lambda: self._book.all_resolved, wait, until)
        self.done = self.done.model_copy(update={"until": None})
        if interrupted:
            raise self._interruptions.outcome(during)
