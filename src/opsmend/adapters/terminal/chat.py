"""Chat for installations without Slack: one log event a notice, nothing to click."""

import structlog

from opsmend.domain.ports.chat import Alarm, MessageRef, Notice, StormDigest
from opsmend.errors import bounded

log = structlog.get_logger(__name__)


class TerminalChat:
    """Says once, when it is made, that questions will be asked nowhere but in the log. Raises nothing."""

    def __init__(self) -> None:
        log.warning("chat.not_configured", detail="Slack is not configured: approvals come by CLI and HTTP only.")

    async def announce(self, text: str, key: str) -> None:
        log.warning("chat.announcement", text=bounded(text), key=key)

    async def publish(self, notice: Notice) -> MessageRef | None:
        state = notice.state
        log.info(
            "chat.notice",
            incident_id=state.id,
            run_id=state.run_id,
            target=str(state.target),
            status=state.status.value,
            outcome=state.outcome.value if state.outcome else None,
            diagnosis=bounded(state.diagnosis.summary) if state.diagnosis else None,
            plan_hash=state.plan.hash if state.plan else None,
            call=notice.call.reason.value if notice.call else None,
            needed=bounded(f"{notice.call.text} {notice.call.needed}") if notice.call else None,
            temporal_ui=notice.temporal_ui or None,
        )
        return None

    async def tell_digest(self, digest: StormDigest, message: MessageRef | None) -> MessageRef | None:
        log.info("chat.digest", waiting=digest.waiting, severities=digest.model_dump(mode="json")["severities"])
        return None

    async def raise_alarm(self, alarm: Alarm) -> None:
        log.error("chat.alarm", alarm=bounded(alarm.text), workflow_id=alarm.workflow_id, temporal_ui=alarm.temporal_ui or None)
