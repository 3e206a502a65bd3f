"""Kubernetes quantities (`500m`, `1Gi`) in the form in which the API server stores them.

The server rewrites `1024Mi` to `1Gi` and `0.5` to `500m`, so a plan that said it otherwise would not match its own dry run.
"""

import re
from typing import Annotated, Final

from pydantic import AfterValidator

from opsmend.domain.quantity import BINARY_UNITS, DECIMAL_UNITS, quantity

_PLAIN: Final = re.compile(r"[0-9]{1,18}(\.[0-9]{1,9})?([A-Za-z]{0,2}|[eE][+-]?[0-9]{1,2})")
"""What people write: no sign, no blanks, and no number so long that its arithmetic would round."""


def canonical(written: str) -> str:
    """`written` with the largest suffix that needs no fraction.

    Raises:
        ValueError: it is no quantity, or a negative one.
    """
    value = quantity(written) if _PLAIN.fullmatch(written) else None
    if value is None:
        raise ValueError(f"{written[:40]!r} is no Kubernetes quantity such as 500m or 512Mi")
    if not value:
        return "0"
    units = BINARY_UNITS if written.endswith("i") else DECIMAL_UNITS
    # Binary amounts that are no whole number of bytes, and anything below a nano, are rounded up by the server.
    fitting = [name for name, size in units.items() if value % size == 0]
    if not fitting:
        raise ValueError(f"{written[:40]!r} is finer than Kubernetes keeps")
    largest = max(fitting, key=lambda name: units[name])
    return f"{int(value / units[largest])}{largest}"


Quantity = Annotated[str, AfterValidator(canonical)]
"""A quantity in canonical form; other spellings of the same amount are rewritten."""
