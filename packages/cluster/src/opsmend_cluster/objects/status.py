"""Errors of the API, as `Status` bodies that client libraries understand."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from opsmend_cluster.objects.kinds import JsonObject, Resource


@dataclass(frozen=True)
class Cause:
    """One thing that is wrong with an object; `reason` as the API spells it (FieldValueRequired, FieldValueInvalid…)."""

    field: str
    reason: str
    message: str

    def __str__(self) -> str:
        return f"{self.field}: {self.message}"


class ApiError(Exception):
    """An answer that is not a success. Raised anywhere below the HTTP layer, sent as its `body`."""

    def __init__(
        self, code: int, reason: str, message: str, details: JsonObject | None = None, metadata: JsonObject | None = None
    ) -> None:
        """`reason` is empty where the real server gives none."""
        super().__init__(message)
        self.code = code
        self.reason = reason
        self.details = details
        self.metadata = metadata or {}

    def body(self) -> JsonObject:
        status: JsonObject = {
            "kind": "Status", "apiVersion": "v1", "metadata": self.metadata, "status": "Failure",
            "message": str(self), "code": self.code,
        }  # fmt: skip
        if self.reason:
            status["reason"] = self.reason
        if self.details is not None:
            status["details"] = self.details
        return status

    def headers(self) -> dict[str, str]:
        seconds = (self.details or {}).get("retryAfterSeconds")
        return {"Retry-After": str(seconds)} if seconds else {}


class NoSuchPageError(ApiError):
    """A path below which nobody serves anything. Such an answer is plain text, on the real server too."""

    def __init__(self) -> None:
        super().__init__(404, "NotFound", "404 page not found\n")


def _details(resource: Resource, name: str, **more: Any) -> JsonObject:
    details: JsonObject = {"name": name, "kind": resource.plural}
    if resource.group:
        details["group"] = resource.group
    return {**details, **more}


def not_found(resource: Resource, name: str) -> ApiError:
    return ApiError(404, "NotFound", f'{resource.qualified} "{name}" not found', _details(resource, name))


def already_exists(resource: Resource, name: str) -> ApiError:
    return ApiError(409, "AlreadyExists", f'{resource.qualified} "{name}" already exists', _details(resource, name))


def conflict(resource: Resource, name: str) -> ApiError:
    """The object carries another resourceVersion than the stored one."""
    text = "the object has been modified; please apply your changes to the latest version and try again"
    message = f'Operation cannot be fulfilled on {resource.qualified} "{name}": {text}'
    return ApiError(409, "Conflict", message, _details(resource, name))


def invalid(resource: Resource, name: str, causes: Sequence[Cause]) -> ApiError:
    text = str(causes[0]) if len(causes) == 1 else "[" + ", ".join(str(cause) for cause in causes) + "]"
    details = _details(resource, name)
    details["kind"] = resource.kind
    details["causes"] = [{"reason": c.reason, "message": c.message, "field": c.field} for c in causes]
    return ApiError(422, "Invalid", f'{resource.group_kind} "{name}" is invalid: {text}', details)


def invalid_options(kind: str, causes: Sequence[Cause], group: str = "meta.k8s.io") -> ApiError:
    """What came with a request, such as `PatchOptions`, is not valid. It has no name."""
    details = {
        "group": group, "kind": kind,
        "causes": [{"reason": c.reason, "message": c.message, "field": c.field} for c in causes],
    }  # fmt: skip
    text = ", ".join(str(cause) for cause in causes)
    return ApiError(422, "Invalid", f'{kind}.{group} "" is invalid: {text}', details)


def forbidden(resource: Resource, name: str, why: str) -> ApiError:
    """Refused by admission; `why` goes on after `is forbidden: `."""
    return ApiError(403, "Forbidden", f'{resource.qualified} "{name}" is forbidden: {why}', _details(resource, name))


def bad_request(message: str) -> ApiError:
    return ApiError(400, "BadRequest", message)


def method_not_allowed() -> ApiError:
    return ApiError(405, "MethodNotAllowed", "the server does not allow this method on the requested resource", {})


def timed_out() -> ApiError:
    """The client gave the server less time than it took; what was asked may have been done."""
    return ApiError(504, "Timeout", "Timeout: request did not complete within the allotted timeout", {})


def unsupported_media_type(sent: str, supported: Sequence[str]) -> ApiError:
    message = f"the body of the request was in an unknown format - accepted media types include: {', '.join(supported)}"
    return ApiError(415, "UnsupportedMediaType", message, {"causes": [{"message": f"it was {sent!r}"}]})


def not_implemented(what: str) -> ApiError:
    """This cluster lacks something; `what` is the subject of the sentence."""
    return ApiError(501, "NotImplemented", f"{what} is lacking in opsmend's embedded cluster: nothing was done")
