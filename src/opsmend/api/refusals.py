"""Refusals that only HTTP knows; all else is in opsmend.errors."""

from opsmend.errors import PermanentError, RefusedError


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
    """Not JSON."""

    http_status = 415
