"""Finding out what is wrong that nobody else sees to: an investigation, and another one after what has to be waited for."""

from temporalio import workflow
from temporalio.exceptions import FailureError

with workflow.unsafe.imports_passed_through():
    from opsmend.domain.agent_tasks import Investigation, InvestigationRequest
    from opsmend.domain.diagnosis import HEALTHY, MAINTENANCE, UNKNOWN, Diagnosis
    from opsmend.domain.incident import Outcome, Patience
    from opsmend.domain.ports.artifacts import ArtifactRef
    from opsmend.domain.verification import Baseline

from opsmend.workflows import search_attributes
from opsmend.workflows.phases.crew import Crew
from opsmend.workflows.phases.grouping import Grouping
from opsmend.workflows.phases.incident_log import IncidentLog, IncidentOver, root_of
from opsmend.workflows.phases.interruptions import Interruptions
from opsmend.workflows.phases.sitting_out import SittingOut


class FindingOut:
    """`snapshot` is what the last investigation saw; `watched` whether the good configuration of its namespace is kept."""

    def __init__(
        self,
        log: IncidentLog,
        interruptions: Interruptions,
        crew: Crew,
        sitting_out: SittingOut,
        grouping: Grouping,
        terms: Patience,
        *,
        read_only: bool,
    ) -> None:
        """`read_only`: somebody wants to know what there is to see now. Nothing is waited for, and no other incident begun."""
        self._read_only = read_only
        self._log = log
        self._interruptions = interruptions
        self._crew = crew
        self._sitting_out = sitting_out
        self._grouping = grouping
        self._terms = terms
        self.snapshot: ArtifactRef | None = None
        self.watched = False

    async def find_out(self) -> tuple[Diagnosis, Baseline]:
        """What is wrong that nobody else sees to.

        Raises:
            IncidentOver: nothing is, or no more can be told.
            HistoryFullError: it is waited for another look in the next run.
        """
        await self._sitting_out.go_on()
        await self._grouping.go_on()
        while True:
            finishes_in = self._terms.finish_within
            diagnosis, baseline = await self._interruptions.unless(self._investigate(), finishes_in=finishes_in)
            if self._read_only:
                return diagnosis, baseline
            await self._grouping.let_go(diagnosis)
            if diagnosis.category == MAINTENANCE:
                await self._sitting_out.window(diagnosis)
            elif node := self._sitting_out.lost_node(diagnosis):
                await self._sitting_out.node(node, diagnosis)
            elif diagnosis.category == UNKNOWN:
                await self._sitting_out.motion(diagnosis, baseline)
            elif await self._sees_to(diagnosis):
                return diagnosis, baseline

    async def _sees_to(self, diagnosis: Diagnosis) -> bool:
        """Whether this incident has to do something about it. Where it took a cause over, it has to look closely first."""
        if diagnosis.shared is None:
            await self._grouping.stand_for(diagnosis.stands_for)
            return True
        return await self._grouping.sees_to_it(diagnosis.shared) and not diagnosis.at_a_glance

    async def _investigate(self) -> tuple[Diagnosis, Baseline]:
        found = await self._crew.investigate(self._request())
        diagnosis = found.diagnosis
        self.watched = found.watched
        self.snapshot = found.snapshot
        self._log.set(diagnosis=diagnosis)
        self._log.note("diagnosis.made", _told(found))
        workflow.upsert_search_attributes([search_attributes.TIER.value_set(diagnosis.tier.value)])
        if diagnosis.recalled:
            best = diagnosis.recalled[0]
            self._log.note("memory.recalled", f"{best.incident_id} run {best.run_id}: {best.summary} → {best.remedy}")
        if diagnosis.category == HEALTHY:
            raise IncidentOver(Outcome.NO_ACTION, diagnosis.summary)
        return diagnosis, found.baseline

    async def look_again(self) -> Diagnosis | None:
        """How things are once the incident is closed; None where nobody could look, and where its budget is spent."""
        if over := self._crew.overspent:
            self._log.note_once("look.failed", f"the budget of this incident is spent: {over}")
            return None
        try:
            found = await self._crew.investigate(self._request())
        except (FailureError, IncidentOver) as e:
            self._log.note_once("look.failed", root_of(e))
            return None
        self._log.note("look.taken", _told(found))
        return found.diagnosis

    def _request(self) -> InvestigationRequest:
        return InvestigationRequest(
            target=self._log.state.target, alerts=self._log.state.alerts, closely=self._read_only or self._grouping.closely
        )


def _told(found: Investigation) -> str:
    diagnosis = found.diagnosis
    return f"{diagnosis.summary} (confidence {diagnosis.confidence:.0%}, {diagnosis.tier})"
