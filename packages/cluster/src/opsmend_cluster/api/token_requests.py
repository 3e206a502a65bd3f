"""serviceaccounts/token: tokens that live for a while."""

from typing import Any, Final

from opsmend_cluster.api.access import AUDIENCE, MINIMUM_TOKEN_LIFE
from opsmend_cluster.api.answer import Answer
from opsmend_cluster.api.bodies import read_object
from opsmend_cluster.api.context import Call
from opsmend_cluster.objects.clock import timestamp
from opsmend_cluster.objects.status import Cause, bad_request, invalid_options, not_implemented

_GROUP: Final = "authentication.k8s.io"
_DEFAULT_SECONDS: Final = 3600
_MOST_SECONDS: Final = 2**32


def request_token(call: Call) -> Answer:
    request = call.request
    spec = read_object(call.raw, call.content_type).get("spec") or {}
    if spec.get("boundObjectRef"):
        raise not_implemented("TokenRequest with a boundObjectRef")
    call.cluster.registry.require(request.resource, request.namespace, request.name)
    audiences = spec.get("audiences") or [AUDIENCE]
    seconds = _seconds(spec.get("expirationSeconds"))
    status = call.cluster.access.mint(request.namespace, request.name, seconds, audiences)
    metadata = {"name": request.name, "namespace": request.namespace, "creationTimestamp": timestamp()}
    return Answer(
        {"kind": "TokenRequest", "apiVersion": f"{_GROUP}/v1", "metadata": metadata,
         "spec": {**spec, "audiences": audiences, "expirationSeconds": seconds}, "status": status}, 201
    )  # fmt: skip


def _seconds(wanted: Any) -> int:
    """Raises:
    ApiError: 400 for what is no number, 422 for too short or too long a life.
    """
    if wanted is None:
        return _DEFAULT_SECONDS
    if not isinstance(wanted, int) or isinstance(wanted, bool):
        why = "json: cannot unmarshal string into Go struct field TokenRequestSpec.spec.expirationSeconds of type int64"
        raise bad_request(f'TokenRequest in version "v1" cannot be handled as a TokenRequest: {why}')
    if wanted < MINIMUM_TOKEN_LIFE.total_seconds():
        raise _invalid(wanted, "may not specify a duration less than 10 minutes")
    if wanted > _MOST_SECONDS:
        raise _invalid(wanted, "may not specify a duration larger than 2^32 seconds")
    return wanted


def _invalid(seconds: int, why: str) -> Exception:
    cause = Cause("spec.expirationSeconds", "FieldValueInvalid", f"Invalid value: {seconds}: {why}")
    return invalid_options("TokenRequest", [cause], _GROUP)
