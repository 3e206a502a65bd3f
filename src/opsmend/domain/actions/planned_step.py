"""From an action and the object as it is now to a step that a person can judge: exact diff, way back, precondition."""

import difflib
from collections.abc import Callable
from typing import Any, Final, cast

import yaml

from opsmend.domain.actions import AnyAction
from opsmend.domain.actions.action import Action, LiveObject
from opsmend.domain.actions.object_digest import change_digest, content_of, spec_digest
from opsmend.domain.plan import PlannedStep, Precondition
from opsmend.domain.record import JsonObject
from opsmend.errors import PlanStaleError

DIFF_LIMIT: Final = 6_000
"""Characters of a diff that a plan keeps: about 150 lines, more than a person reads before answering, little for a history."""

Redact = Callable[[str], str]


def plan_step(action: Action, live: LiveObject, *, reason: str, step_id: str, redact: Redact) -> PlannedStep:
    """`action` on `live` as a step of a plan.

    For a second step on the same object, pass `projected(first_action, live)`: a step is checked against what the steps
    before it leave behind.

    Raises:
        PlanStaleError: the object has not what the action changes, or is already as the action wants it.
        HumanNeededError: the change could not be undone.
    """
    desired = action.project(live)
    before = spec_digest(live.object)
    if spec_digest(desired) == before:
        raise PlanStaleError(f"{action.target} already is as {action.summary()!r} would make it.")
    return PlannedStep(
        id=step_id,
        action=cast(AnyAction, action),
        inverse=cast(AnyAction, action.inverse(live)),
        precondition=Precondition(uid=live.object["metadata"]["uid"], spec_digest=before),
        diff=readable_diff(live.object, desired, redact),
        diff_digest=change_digest(live.object, desired),
        blast_radius=action.blast_radius(live),
        reason=reason,
    )


def projected(action: Action, live: LiveObject) -> LiveObject:
    """`live` as `action` would leave it."""
    return live.model_copy(update={"object": action.project(live)})


def readable_diff(before: JsonObject, after: JsonObject, redact: Redact) -> str:
    """Unified diff of the content of an object as YAML, redacted, cut at DIFF_LIMIT with a sentence that says so.

    Each side is redacted as a whole: between the lines of a diff a value may stand far from the name that makes it a secret.
    Lines are compared as they are, so that a secret that changes is seen to change.
    """
    name = f"{before.get('kind', 'object')}/{before.get('metadata', {}).get('name', '')}"
    old, new = _as_yaml(before), _as_yaml(after)
    shown_old, shown_new = _redacted(old, redact), _redacted(new, redact)
    lines: list[str] = []
    for group in difflib.SequenceMatcher(None, old, new).get_grouped_opcodes(3):
        spans = (group[0][1], group[-1][2], group[0][3], group[-1][4])
        lines.append(f"@@ -{_range(*spans[:2])} +{_range(*spans[2:])} @@")
        for tag, i1, i2, j1, j2 in group:
            if tag == "equal":
                lines += [f" {line}" for line in shown_old[i1:i2]]
            else:
                lines += [f"-{line}" for line in shown_old[i1:i2]] + [f"+{line}" for line in shown_new[j1:j2]]
    head = [f"--- {name} now", f"+++ {name} planned"] if lines else []
    return _bounded_lines(redact("\n".join([*head, *lines])))


def _redacted(lines: list[str], redact: Redact) -> list[str]:
    """Raises ValueError should the redaction not keep the number of lines: then nothing is shown."""
    shown = redact("\n".join(lines)).split("\n") if lines else []
    return [line for _, line in zip(lines, shown, strict=True)]


def _range(start: int, stop: int) -> str:
    """As in the header of a hunk: lines count from 1, and a single line needs no length."""
    length = stop - start
    return f"{start + 1}" if length == 1 else f"{start + bool(length)},{length}"


def _bounded_lines(text: str) -> str:
    if len(text) <= DIFF_LIMIT:
        return text
    kept = text[:DIFF_LIMIT].rpartition("\n")[0] or text[:DIFF_LIMIT]
    missing = text[len(kept) :].lstrip("\n")
    return f"{kept}\n… {len(missing.splitlines())} more lines ({len(missing)} characters) of this diff are left out here."


def _as_yaml(obj: JsonObject) -> list[str]:
    """Keys in order, as kubectl prints them: the server keeps no order either."""
    return yaml.dump(content_of(obj), Dumper=_ReadableDumper, allow_unicode=True, width=120).rstrip("\n").split("\n")


class _ReadableDumper(yaml.SafeDumper):
    """Writes text of several lines as a block, so that a diff shows the line that differs, and no aliases."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _represent_text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_ReadableDumper.add_representer(str, _represent_text)
