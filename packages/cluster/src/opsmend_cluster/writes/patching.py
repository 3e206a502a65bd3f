"""The patch types of the API."""

import json
from copy import deepcopy
from typing import Any, Final

import jsonpatch

from opsmend_cluster.objects.kinds import JsonObject
from opsmend_cluster.objects.status import ApiError, bad_request, unsupported_media_type
from opsmend_cluster.writes.strategic_merge import strategic_merge

JSON_PATCH: Final = "application/json-patch+json"
MERGE_PATCH: Final = "application/merge-patch+json"
STRATEGIC_MERGE_PATCH: Final = "application/strategic-merge-patch+json"
APPLY_PATCH: Final = "application/apply-patch+yaml"
PATCH_TYPES: Final = (JSON_PATCH, MERGE_PATCH, STRATEGIC_MERGE_PATCH, APPLY_PATCH)


def apply_patch(target: JsonObject, body: bytes, content_type: str) -> JsonObject:
    """`target` after a patch that is not server-side apply; `target` is not altered.

    Raises:
        ApiError: 400 for a body that is no such patch, 415 for another type, 422 for a JSON patch that does not fit the object.
    """
    if content_type not in PATCH_TYPES:
        raise unsupported_media_type(content_type, PATCH_TYPES)
    try:
        patch = json.loads(body)
    except ValueError as error:
        raise bad_request(f"error decoding patch: {error}") from error
    if content_type == JSON_PATCH:
        return _json_patch(target, patch)
    if not isinstance(patch, dict):
        raise bad_request("error decoding patch: json: cannot unmarshal array into Go value of type map[string]interface {}")
    return strategic_merge(target, patch) if content_type == STRATEGIC_MERGE_PATCH else merge_patch(target, patch)


def _json_patch(target: JsonObject, patch: Any) -> JsonObject:
    if not isinstance(patch, list):
        raise bad_request("error decoding patch: json: cannot unmarshal object into Go value of type jsonpatch.Patch")
    try:
        patched: JsonObject = jsonpatch.apply_patch(target, patch, in_place=False)
    except jsonpatch.InvalidJsonPatch as error:
        raise bad_request(f"error decoding patch: {error}") from error
    except jsonpatch.JsonPatchException as error:
        raise _unfit(str(error)) from error
    except jsonpatch.JsonPointerException as error:
        raise _unfit(str(error)) from error
    return patched


def _unfit(why: str) -> ApiError:
    return ApiError(422, "Invalid", f"the server rejected our request due to an error in our request: {why}", {})


def merge_patch(target: Any, patch: Any) -> Any:
    """RFC 7386."""
    if not isinstance(patch, dict):
        return deepcopy(patch)
    merged = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            merged.pop(key, None)
        else:
            merged[key] = merge_patch(merged.get(key), value)
    return merged
