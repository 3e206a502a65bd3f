"""What a ConfigMap held when it was last seen good, held against what it holds now, on the true values of both."""

from typing import Final

from opsmend.adapters.kubernetes.reading import Reading
from opsmend.domain.last_good import GoodValue, LastGoodConfig, LastGoodContent
from opsmend.domain.ports.last_good import LastGood
from opsmend.domain.record import JsonObject
from opsmend.domain.target import ObjectRef
from opsmend.policy.redaction import redact, redact_json

CARRIED: Final = 262_144
"""Characters of values that a snapshot carries of one ConfigMap: four of the largest that may be written back."""


async def read_last_good(
    reading: Reading, last_good: LastGood | None, ref: ObjectRef, obj: JsonObject
) -> LastGoodConfig | None:
    """None where nothing is known, and where the ConfigMap holds just that."""
    if last_good is None:
        return None
    known = last_good.newest(ref, obj["metadata"].get("uid", ""))
    found = await reading.attempt(f"last known good of {ref}", known, None)
    return difference(found, obj.get("data") or {}) if found else None


def difference(found: LastGoodContent, now: dict[str, str]) -> LastGoodConfig | None:
    kept, left_out = found.content.data, dict(found.content.left_out)
    masked = redact_json(kept)
    values, room = {}, CARRIED
    for key in sorted((key for key, value in kept.items() if now.get(key) != value), key=lambda key: len(kept[key])):
        room -= len(kept[key])
        if room < 0:
            left_out[key] = "too much differs to carry all of it"
        elif masked.get(key) != kept[key]:
            left_out[key] = "it looks as if it held a secret"
        else:
            values[key] = GoodValue.of(kept[key])
    added = tuple(sorted(key for key in now if key not in kept and redact(key) not in left_out))
    if not (values or added or left_out != found.content.left_out):
        return None
    version = found.version
    return LastGoodConfig(
        first_seen=version.first_seen,
        last_seen=version.last_seen,
        looked_at=found.looked_at,
        workloads=version.workloads,
        by=version.by,
        values=values,
        added=added,
        left_out=left_out,
    )
