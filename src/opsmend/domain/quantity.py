"""Kubernetes quantities (`500m`, `1.5Gi`, `2e3`), read exactly and written as people write them."""

import re
from decimal import Decimal
from typing import Final

DECIMAL_UNITS: Final = {
    "n": Decimal("1e-9"),
    "u": Decimal("1e-6"),
    "m": Decimal("1e-3"),
    "": Decimal(1),
    **{suffix: Decimal(10) ** (3 * power) for power, suffix in enumerate("kMGTPE", start=1)},
}
BINARY_UNITS: Final = {
    "": Decimal(1),
    **{f"{letter}i": Decimal(1024**power) for power, letter in enumerate("KMGTPE", start=1)},
}
_UNITS: Final = DECIMAL_UNITS | BINARY_UNITS

_QUANTITY: Final = re.compile(r"([+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+))(?:[eE]([+-]?[0-9]{1,3})|([numkMGTPE]|[KMGTPE]i)?)")
"""https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/"""


def quantity(value: object) -> Decimal | None:
    """The number that `value` stands for (cores, bytes, pieces); None when it is absent or no quantity."""
    match = _QUANTITY.fullmatch(str(value).strip())
    if value is None or match is None:
        return None
    number, exponent, suffix = match.groups()
    return Decimal(number).scaleb(int(exponent)) if exponent else Decimal(number) * _UNITS[suffix or ""]


def as_memory(size: Decimal) -> str:
    """Bytes in the largest binary unit that divides them, rounded up to whole Mi from 1 Mi on: `256Mi`, `2Gi`."""
    mebi = _UNITS["Mi"]
    if size >= mebi:
        size = (size / mebi).to_integral_value(rounding="ROUND_CEILING") * mebi
    for suffix in ("Gi", "Mi", "Ki"):
        if size >= _UNITS[suffix] and size % _UNITS[suffix] == 0:
            return f"{int(size / _UNITS[suffix])}{suffix}"
    return str(int(size))


def as_cpu(cores: Decimal) -> str:
    """Cores as `2` or, when not whole, in millicores rounded up: `250m`."""
    milli = (cores * 1000).to_integral_value(rounding="ROUND_CEILING")
    return str(int(milli // 1000)) if milli % 1000 == 0 else f"{int(milli)}m"
