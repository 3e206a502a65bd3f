"""Reading request bodies."""

import json

import yaml

from opsmend_cluster.objects.kinds import JsonObject
from opsmend_cluster.objects.status import bad_request, unsupported_media_type

_JSON = ("application/json", "")
_YAML = ("application/yaml", "application/apply-patch+yaml")


def read_object(raw: bytes, content_type: str) -> JsonObject:
    """The object in a body.

    Raises:
        ApiError: 400 for what is no object, 415 for another media type (protobuf among them).
    """
    media = content_type.partition(";")[0].strip()
    if media not in (*_JSON, *_YAML):
        raise unsupported_media_type(media, ("application/json", "application/yaml"))
    try:
        body = yaml.safe_load(raw) if media in _YAML else json.loads(raw)
    except (ValueError, yaml.YAMLError) as error:
        raise bad_request(f"couldn't get version/kind; json parse error: {error}") from error
    if not isinstance(body, dict):
        raise bad_request("couldn't get version/kind; json parse error: the body is not an object")
    for field in ("metadata", "spec"):
        if not isinstance(body.get(field) or {}, dict):
            raise bad_request(f"json: cannot unmarshal {field} into a Go struct: it is not an object")
    return body


def read_options(raw: bytes, content_type: str) -> JsonObject:
    """DeleteOptions, empty for an empty body."""
    return read_object(raw, content_type) if raw.strip() else {}
