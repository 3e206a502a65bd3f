"""An incident that has no message in chat yet, as far as it is told of in the digest of a storm."""

from opsmend.domain.alert import Severity
from opsmend.domain.record import Record
from opsmend.domain.target import Target


class Untold(Record):
    incident_id: str
    run_id: str
    target: Target
    severity: Severity
    temporal_ui: str = ""
