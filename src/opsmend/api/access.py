"""Who may do what over HTTP: two bearer tokens, compared in constant time."""

import hmac

from fastapi import Request
from pydantic import SecretStr

from opsmend.api.refusals import UnauthorizedError, WrongTokenError
from opsmend.errors import SettingsError
from opsmend.settings import Settings


class Access:
    """The webhook token hands alerts in, the operator token decides, either reads."""

    def __init__(self, settings: Settings) -> None:
        """Raises SettingsError without a webhook token: an open intake would let anybody start work."""
        api_token = _bytes(settings.api_token)
        if not api_token:
            raise SettingsError("OPSMEND_API_TOKEN is not set. Set it to a long random string, the bearer token of webhooks.")
        self._api_token = api_token
        self._operator_token = _bytes(settings.operator_token)

    def require_sender(self, request: Request) -> None:
        """Raises UnauthorizedError."""
        if not self._is_sender(_given(request)):
            raise UnauthorizedError("The bearer token is not the API token (OPSMEND_API_TOKEN).")

    def require_operator(self, request: Request) -> None:
        """Raises UnauthorizedError, WrongTokenError."""
        given = _given(request)
        if self._is_operator(given):
            return
        if not self._is_sender(given):
            raise UnauthorizedError("The bearer token is not the operator token (OPSMEND_OPERATOR_TOKEN).")
        if not self._operator_token:
            raise WrongTokenError("Decisions over HTTP are off: OPSMEND_OPERATOR_TOKEN is not set on the server.")
        raise WrongTokenError("A decision takes the operator token (OPSMEND_OPERATOR_TOKEN), not the API token.")

    def require_reader(self, request: Request) -> None:
        """Raises UnauthorizedError."""
        given = _given(request)
        if not (self._is_operator(given) or self._is_sender(given)):
            raise UnauthorizedError("The bearer token is neither the operator token nor the API token.")

    def _is_sender(self, given: bytes) -> bool:
        return hmac.compare_digest(given, self._api_token)

    def _is_operator(self, given: bytes) -> bool:
        return bool(self._operator_token) and hmac.compare_digest(given, self._operator_token)


def _given(request: Request) -> bytes:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise UnauthorizedError("Send `Authorization: Bearer <token>`.")
    return token.strip().encode()


def _bytes(secret: SecretStr | None) -> bytes:
    return secret.get_secret_value().encode() if secret else b""
