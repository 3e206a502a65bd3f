"""Every error of ours, by what happens next.

    OpsmendError
    ├── TransientError     ask again later: Temporal retries, HTTP 503
    ├── PermanentError     asking again cannot help: no retry, HTTP 404 or 422
    ├── HumanNeededError   a person must act: no retry, the workflow escalates, HTTP 409
    └── RefusedError       policy said no, as designed: no retry, HTTP 403

Adapters translate vendor errors at the call and chain them. Anything that is not an OpsmendError is a bug of ours.
Messages may end in workflow history, so foreign text is bounded (see `bounded`) and redacted before it gets here.
"""

from datetime import timedelta
from typing import ClassVar, Final

FOREIGN_TEXT_LIMIT: Final = 512
"""Characters of another system's text kept in one of our messages: a whole sentence, too little to fill a history."""


def bounded(text: str, limit: int = FOREIGN_TEXT_LIMIT) -> str:
    """`text` cut to `limit` characters, saying how much is missing."""
    return text if len(text) <= limit else f"{text[:limit]}… ({len(text) - limit} more characters)"


class OpsmendError(Exception):
    """Base of all errors that opsmend raises on purpose."""

    http_status: ClassVar[int] = 500


class TransientError(OpsmendError):
    """Ask again later."""

    http_status = 503

    def __init__(self, message: str, retry_after: timedelta | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after
        """How long the other side asked us to wait; None leaves it to the retry policy."""


class PermanentError(OpsmendError):
    """Asking again cannot help."""

    http_status = 422


class HumanNeededError(OpsmendError):
    """A person must act before this can go on."""

    http_status = 409


class RefusedError(OpsmendError):
    """Policy said no. Expected, not a fault."""

    http_status = 403


class ClusterUnavailableError(TransientError):
    """The Kubernetes API did not answer, answered 5xx, or asked us to slow down."""


class ClusterExpiredError(ClusterUnavailableError):
    """The next page of a list that was begun is no longer kept; asked from its start, it comes (410)."""


class ClusterConflictError(TransientError):
    """Somebody else wrote the object between our read and our write; a fresh read decides what now."""


class TargetGoneError(PermanentError):
    """The object does not exist (any more)."""

    http_status = 404


class ClusterRejectedError(PermanentError):
    """The API server understood the request and will never accept it (400, 405, 422, an admission webhook)."""


class ClusterForbiddenError(HumanNeededError):
    """Our credential lacks a right; a person must grant it."""


class ClusterCredentialError(ClusterForbiddenError):
    """The API server does not take our credential: unknown, expired, withdrawn or meant for another server (401)."""


class OtherClusterError(HumanNeededError):
    """The target is in another cluster than the one that this process is connected to; nothing was read or changed."""


class PlanStaleError(HumanNeededError):
    """The world is no longer what the plan was made for; nothing was changed."""


class PlanHashStaleError(HumanNeededError):
    """The answer names another plan than the one that is being asked about."""


class AlreadyDecidedError(HumanNeededError):
    """The question was answered before."""


class NothingToDecideError(HumanNeededError):
    """No question is open."""


class PolicyRefusedError(RefusedError):
    """The policy forbids this action or does not let this person decide."""


class ChangeControlUnavailableError(TransientError):
    """It could not be read whether changes are paused, so nothing may be changed."""


class ChangeControlLostError(HumanNeededError):
    """The workflow that knows whether changes are paused was ended, so nothing may be changed until somebody resumes."""


class IncidentClosedError(HumanNeededError):
    """The incident is closed, so there is nothing to take over, to stop or to snooze."""


class NothingToReleaseError(HumanNeededError):
    """The object is not held for people."""


class IncidentNotFoundError(PermanentError):
    """No incident has this id."""

    http_status = 404


class BadPayloadError(PermanentError):
    """What was posted is not what this endpoint takes."""

    http_status = 422


class AlertsRejectedError(PermanentError):
    """Temporal will never take these alerts, however often they are sent: an id or a payload beyond its limits."""


class TemporalUnavailableError(TransientError):
    """Temporal does not hold what was sent; the sender must send it again."""


class DecisionUnconfirmedError(TransientError):
    """Nobody said in time whether the decision was taken. It may be repeated: an incident takes one answer only."""


class DiskFullError(TransientError):
    """There is no room left where state is kept."""


class MetricsUnavailableError(TransientError):
    """Prometheus did not answer; that is no evidence of health."""


class MemoryUnavailableError(TransientError):
    """Milvus did not answer or is locked by another process."""


class ChatUnavailableError(TransientError):
    """The chat service did not answer or asked us to slow down."""


class ChatRejectedError(PermanentError):
    """The chat service will never accept this message or credential."""


class NewerVersionError(TransientError):
    """What came was written by a newer version and cannot be read in full by this one; a worker of that version can."""

    def __init__(self, message: str) -> None:
        super().__init__(message, retry_after=timedelta(seconds=20))


class PagerUnavailableError(TransientError):
    """A pager did not answer or asked us to slow down."""


class PagerRejectedError(PermanentError):
    """A pager will never accept this page or credential."""


class ArtifactMissingError(PermanentError):
    """A stored artifact that history refers to is not there."""


class NotWatchedError(RefusedError):
    """The namespace is not one of those whose configuration is kept."""


class LastGoodUnavailableError(TransientError):
    """The record of good configurations cannot be read or written: a full disk, a missing volume."""


class SettingsError(PermanentError):
    """The configuration cannot work as it is; the message names the variable."""
