"""What is kept of an incident: for people (markdown) and for the next incident (memory)."""

from pydantic import AwareDatetime

from opsmend.domain.diagnosis import Category
from opsmend.domain.record import Handed


class PostMortem(Handed):
    """Written once an incident run ends; one per run."""

    incident_id: str
    run_id: str
    title: str
    category: Category
    target: str
    symptoms: str
    """What was seen, in words: the text that the next incident is compared with."""
    cause: str
    remedy: str
    """What was done, in words; empty when nothing was."""
    remedy_actions: tuple[str, ...] = ()
    """The types of the actions that were done."""
    outcome: str
    opened_at: AwareDatetime
    closed_at: AwareDatetime
    markdown: str
