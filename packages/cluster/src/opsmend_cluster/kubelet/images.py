"""Image names, and what the container runtime says when one cannot be had."""

import re
from typing import Final, Literal

_REFERENCE: Final = re.compile(
    r"^(?:[a-zA-Z0-9][-.a-zA-Z0-9]*(?::[0-9]+)?/)?[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*"
    r"(?:/[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*)*(?::[A-Za-z0-9_][-.A-Za-z0-9_]{0,127})?(?:@sha256:[a-f0-9]{64})?$"
)
"""The grammar of distribution/reference, short of its rarities."""

PullFailure = Literal["not_found", "unauthorized", "unreachable"]


def is_valid(image: str) -> bool:
    return _REFERENCE.match(image) is not None


def invalid_message(image: str) -> str:
    return f'Failed to apply default image tag "{image}": couldn\'t parse image name "{image}": invalid reference format'


def canonical(image: str) -> str:
    """`nginx` → `docker.io/library/nginx:latest`."""
    first, slash, _ = image.partition("/")
    if not slash:
        image = f"docker.io/library/{image}"
    elif "." not in first and ":" not in first and first != "localhost":
        image = f"docker.io/{image}"
    return image if ":" in image.rpartition("/")[2] or "@" in image else f"{image}:latest"


def pull_message(image: str, cause: PullFailure) -> str:
    """containerd's words."""
    name = canonical(image)
    failed = f'failed to pull and unpack image "{name}": failed to resolve reference "{name}"'
    registry, _, path = name.partition("/")
    repository = path.partition("@")[0].rpartition(":")[0]
    match cause:
        case "not_found":
            return f"rpc error: code = NotFound desc = {failed}: {name}: not found"
        case "unauthorized":
            scope = f"repository:{repository}:pull"
            why = "pull access denied, repository does not exist or may require authorization: server message: "
            return f"{failed}: {why}insufficient_scope: authorization failed ({scope})"
        case "unreachable":
            url = f"https://{registry}/v2/{repository}/manifests/latest"
            return f'{failed}: failed to do request: Head "{url}": dial tcp: i/o timeout'
