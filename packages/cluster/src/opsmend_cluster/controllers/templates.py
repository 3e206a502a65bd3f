"""Pod templates: their hash, and whether two are the same."""

import json
from copy import deepcopy
from hashlib import sha256
from typing import Final

from opsmend_cluster.objects.kinds import JsonObject

POD_TEMPLATE_HASH: Final = "pod-template-hash"
_ALPHABET: Final = "bcdfghjklmnpqrstvwxz2456789"


def template_hash(template: JsonObject) -> str:
    """Ten safe characters, the same for the same template. (Kubernetes hashes another way; nobody may rely on the value.)"""
    digest = sha256(json.dumps(_plain(template), sort_keys=True).encode()).digest()
    return "".join(_ALPHABET[byte % len(_ALPHABET)] for byte in digest[:10])


def same_template(one: JsonObject, other: JsonObject) -> bool:
    """Whether they differ in nothing but the label that the controller adds."""
    return _plain(one) == _plain(other)


def _plain(template: JsonObject) -> JsonObject:
    plain = deepcopy(template)
    metadata = plain.get("metadata") or {}
    labels = metadata.get("labels") or {}
    labels.pop(POD_TEMPLATE_HASH, None)
    metadata.pop("creationTimestamp", None)
    return plain
