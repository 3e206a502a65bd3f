"""Refusals that only HTTP knows; all else is in opsmend.errors."""

from opsmend.errors import PermanentError, RefusedError, TransientError


class UnauthorizedError(RefusedError):
    """No token, or not one of ours."""

    http_status = 401


class WrongTokenError(RefusedError):
    """A valid token that does not give this right."""


class UnknownSourceError(PermanentError):
    """No alert source has this name."""

    http_status = 404


class PayloadTooLargeError(PermanentError):
    """More than one request may carry."""

    http_status = 413


class UnsupportedMediaError(PermanentError):
    """Not the media type that this route reads."""

    http_status = 415


class BodyTooSlowError(TransientError):
    """The body did not arrive in time."""

    http_status = 408


class MalformedRequestError(PermanentError):
    """What was sent is not what it says it is: text that is no UTF-8, JSON that is none."""

    http_status = 400


class BusyError(TransientError):
    """As much is being read as there is room for."""
