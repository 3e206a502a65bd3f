"""Series in words: what a person on call would read off the graph."""

import math
from typing import Final

from opsmend.adapters.prometheus.api import Series
from opsmend.errors import bounded

_EXPRESSION: Final = 300
_LABELS: Final = 200


def over_the_hour(expression: str, *, now: Series | None, hour: Series | None) -> str:
    """E.g. ``rate(errors[5m]) > 1 {job="web"}: 4.2 now; had a value in 12 of 61 minutes of the last hour, 1.1 to 7``.

    `now` and `hour` are the same series in an instant and in a range answer; at least one is there.
    """
    known = now or hour
    subject = f"`{bounded(expression, _EXPRESSION)}` {labels(known) if known else ''}"
    current = f"{_number(now.value[1])} now" if now and now.value else "nothing now"
    values = _numbers(hour) if hour else []
    if not values:
        return f"{subject}: {current}; no value in the last hour before"
    span = f"{_number(min(values))} to {_number(max(values))}"
    return f"{subject}: {current}; had a value in {len(values)} of 61 minutes of the last hour, {span}"


def about(series: Series) -> str:
    """Its labels and value."""
    return f"{labels(series)} is {_number(series.value[1]) if series.value else '?'}"


def labels(series: Series) -> str:
    shown = ", ".join(f'{name}="{value}"' for name, value in sorted(series.metric.items()) if name != "__name__")
    return bounded(f"{{{shown}}}", _LABELS)


def binary_size(number: float) -> str:
    """Bytes as Kubernetes writes them: `128Mi`."""
    for unit, size in (("Gi", 2**30), ("Mi", 2**20), ("Ki", 2**10)):
        if number >= size:
            return f"{number / size:.4g}{unit}"
    return f"{number:.0f}"


def _numbers(series: Series) -> list[float]:
    return [value for _, value in series.values if not math.isnan(value)]


def _number(value: float) -> str:
    return f"{value:.4g}"
