"""Kubernetes resource quantities: `500m`, `64Mi`, `2`, `1e3`."""

import re
from decimal import Decimal
from typing import Final

_FORMAT: Final = re.compile(r"^([+-]?[0-9.]+)(m|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei|n|u|[eE][+-]?[0-9]+)?$")
_FACTORS: Final[dict[str, Decimal]] = {
    "": Decimal(1), "n": Decimal("1e-9"), "u": Decimal("1e-6"), "m": Decimal("0.001"),
    **{suffix: Decimal(10) ** (3 * power) for power, suffix in enumerate("kMGTPE", start=1)},
    **{f"{suffix}i": Decimal(1024) ** power for power, suffix in enumerate("KMGTPE", start=1)},
}  # fmt: skip


def parse_quantity(text: str | int | float) -> Decimal:
    """The value in units (cores, bytes, pieces).

    Raises:
        ValueError: not a quantity.
    """
    match = _FORMAT.match(str(text))
    if match is None:
        raise ValueError("quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'")
    number, suffix = match.group(1), match.group(2) or ""
    factor = _FACTORS[suffix] if suffix in _FACTORS else Decimal(f"1{suffix}")
    return Decimal(number) * factor


def format_quantity(value: Decimal, like: str) -> str:
    """`value` written as the resource `like` usually is: cores in m, bytes in Mi or Ki."""
    if like.endswith("cpu"):
        return str(int(value)) if value == int(value) else f"{int(value * 1000)}m"
    if like.endswith(("memory", "storage")):
        for suffix in ("Gi", "Mi", "Ki"):
            if value and value % _FACTORS[suffix] == 0:
                return f"{int(value / _FACTORS[suffix])}{suffix}"
    return str(int(value)) if value == int(value) else str(value)
