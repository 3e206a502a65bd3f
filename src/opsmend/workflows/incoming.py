"""What signals bring. The SDK drops a signal that it cannot read, though its sender was told that Temporal has it.

So a handler takes the payload as it is and reads it here. Where this version cannot, the workflow's task fails and its run does
not: the signal waits in history for a worker that can read it. The Temporal UI shows why, and the watchdog tells people.
"""

from temporalio import workflow
from temporalio.common import RawValue

with workflow.unsafe.imports_passed_through():
    from opsmend.domain.record import Model


def read(signal: RawValue, model: type[Model]) -> Model:
    """Raises NewerVersionError, or pydantic's ValidationError for what no version can have meant."""
    return workflow.payload_converter().from_payload(signal.payload, model)
