"""Which earlier value of a configuration could be put back, best first, and why rather not.

What workloads ran well with goes before what was last applied: the manifest may be older than what ran, or newer and never
have run at all.
"""

from datetime import datetime, timedelta
from typing import Final

from opsmend.domain.changes import last_write
from opsmend.domain.diagnosis import Hint, Remedy, RestoreFrom
from opsmend.domain.last_good import LastGoodConfig
from opsmend.domain.snapshot import CONFIG_VALUE_KEPT, ConfigReference
from opsmend.domain.target import Kind

MOST_KEYS: Final = 5
"""Keys of one plan: more than that is another configuration, not an edit."""

UNWATCHED: Final = timedelta(hours=1)
"""A record that was not kept up for so long before an edit may have missed a newer good version: a dozen looks."""


def restorable(config: ConfigReference, key: str, read: frozenset[str] = frozenset()) -> tuple[Hint, ...]:
    """Ways to restore `key`, best first; one hint NONE where it is known and must not be; nothing where nothing is known.

    `read`: the keys that the failing container gets to see. Others are left alone, whoever changed them.
    """
    if config.ref.kind is not Kind.CONFIG_MAP or not key:
        return ()
    if refusal := _refusal(config, key):
        return (Hint(remedy=Remedy.NONE, object=config.ref, reason=refusal),)
    good, applied = _last_good(config, key, read), _last_applied(config, key)
    found = [hint for hint in (good, applied) if hint]
    if good and applied and _missed_something(config, key):
        found.reverse()
    return tuple(found)


def last_edit(config: ConfigReference, key: str) -> tuple[str, datetime | None]:
    """Who wrote `key` last, and when; of the whole object where that is not told key by key."""
    write = last_write(config.writes, f"data.{key}") if key else None
    return (write.by, write.at) if write else (config.changed_by, config.changed_at)


def by_whom(config: ConfigReference, key: str) -> str:
    """` by kubectl-edit at …`, as far as it is known."""
    who, when = last_edit(config, key)
    return (f" by {who}" if who else "") + (f" at {_utc(when)}" if when else "")


def seen_good(good: LastGoodConfig) -> str:
    """`Deployment shop/web was seen to run well with it, first at … and last at …`."""
    who = ", ".join(good.workloads[:3])
    return f"{who} was seen to run well with it, first at {_utc(good.first_seen)} and last at {_utc(good.last_seen)}"


def _refusal(config: ConfigReference, key: str) -> str:
    """Why `key` must be left to a person though an earlier value may be known."""
    if config.immutable:
        return f"{config.ref} is immutable: a new one has to take its place"
    if key not in config.keys and (who := _taken_out_by(config, key)):
        return f"key {key} was taken out on purpose, for {who} no longer has it: put it back there, or stop asking for it"
    good = config.last_good
    if good is None or _last_applied(config, key):
        return ""
    if key in good.left_out:
        return f"key {key} of {config.ref} is not kept: {good.left_out[key]}"
    if key in good.added:
        return f"key {key} was added after {config.ref} was last seen good, {_utc(good.last_seen)}: a person has to judge it"
    return ""


def _taken_out_by(config: ConfigReference, key: str) -> str:
    """The declaration that no longer has `key`. A removal by hand leaves none."""
    if config.last_applied is not None:
        return "" if key in config.last_applied else "the manifest last applied"
    good = config.last_good
    since = [w for w in config.writes if w.applied and w.holds("data") and good and w.at > good.last_seen]
    return f"the manifest of {since[0].by}" if since else ""


def _last_good(config: ConfigReference, key: str, read: frozenset[str]) -> Hint | None:
    good = config.last_good
    if good is None or key not in good.values or not good.values[key].intact:
        return None
    together = _changed_together(config, key, read)
    parts = [f"last known good of key {key}: {seen_good(good)}", _since(config, key)]
    if _missed_something(config, key):
        parts.append(f"nobody looked after {_utc(good.looked_at)}, so that something newer may have run well too")
    if config.last_applied is not None and key in config.last_applied:
        parts.append(_manifest(config, key, good))
    if len(together) >= MOST_KEYS:
        parts.append(f"{len(together)} other keys differ too and are left as they are")
        together = ()
    elif together:
        parts.append(f"changed in the same edit: {', '.join(together)}")
    return Hint(
        remedy=Remedy.RESTORE_CONFIG,
        object=config.ref,
        config_key=key,
        config_keys=together,
        restore_from=RestoreFrom.LAST_GOOD,
        reason="; ".join(filter(None, parts)),
    )


def _changed_together(config: ConfigReference, key: str, read: frozenset[str]) -> tuple[str, ...]:
    """Other keys that the container reads, that differ, and whose last writer is that of `key` in the same write."""
    edit = last_write(config.writes, f"data.{key}")
    values = config.last_good.values if config.last_good else {}
    others = [k for k in sorted(values) if k != key and k in read and values[k].intact]
    return tuple(k for k in others if edit and last_write(config.writes, f"data.{k}") == edit)


def _since(config: ConfigReference, key: str) -> str:
    return f"changed since{by_whom(config, key)}" if key in config.keys else "it is not there any more"


def _manifest(config: ConfigReference, key: str, good: LastGoodConfig) -> str:
    declared = (config.last_applied or {}).get(key, "")
    if len(declared) >= CONFIG_VALUE_KEPT:
        return ""
    if declared == good.values[key].value:
        return "the manifest last applied says the same"
    if declared == config.data.get(key):
        return "the manifest last applied has what is there now: correct it too, or the next apply brings it back"
    return "the manifest last applied says something else again"


def _last_applied(config: ConfigReference, key: str) -> Hint | None:
    """The declared value, where `kubectl apply` left one that differs from what is there now."""
    declared = (config.last_applied or {}).get(key)
    if declared is None or declared == config.data.get(key):
        return None
    reason = f"key {key} differs from what was last applied: it was edited in place{by_whom(config, key)}"
    return Hint(
        remedy=Remedy.RESTORE_CONFIG,
        object=config.ref,
        config_key=key,
        restore_from=RestoreFrom.LAST_APPLIED,
        reason=reason,
    )


def _missed_something(config: ConfigReference, key: str) -> bool:
    """Whether the record was not kept up long before the edit."""
    _, edited_at = last_edit(config, key)
    good = config.last_good
    return good is not None and edited_at is not None and edited_at - good.looked_at > UNWATCHED


def _utc(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"
