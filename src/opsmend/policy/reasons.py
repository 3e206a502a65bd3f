"""Why a person does something, in their own words."""

from opsmend.policy.redaction import redact


def kept_reason(text: str, limit: int) -> str:
    """`text` as it may be kept, logged and shown: redacted, at most `limit` characters."""
    return redact(text)[:limit]
