"""Text that leaves for a place which knows no markup of ours: a pager, a mail, another system's complaint in an error."""

from opsmend.errors import bounded
from opsmend.policy.redaction import redact


def line(text: str, limit: int) -> str:
    """`text` redacted and cut, on one line, without control characters and those that turn the direction of writing.

    Twice as much is read as is kept: half a secret would not be recognised. It is redacted as it came, because a private key is
    known by its lines, and once more without the characters that could hide a secret.
    """
    shown = "".join(c if c.isprintable() else " " for c in redact(text[: 2 * limit]))
    return bounded(redact(" ".join(shown.split())), limit)
