"""A labelled list of secrets and of what only looks like one. README.md says how it came about and how it is read."""

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, Final, Literal

from pydantic import BaseModel, Field

from opsmend.policy.redaction import redact, redact_json

HERE: Final = Path(__file__).parent
BREAK: Final = "¦"
"""Stands inside of tokens in the files, so that no scanner takes a line of them for a live credential; no row has it itself."""
HALVES: Final = ("own", "blind", "blind_2")


class Row(BaseModel):
    """A text, or the data of an object, as it is redacted; `secrets` must not be left in it, each of `innocent` must."""

    id: str
    of: str = Field(alias="class")
    kind: Literal["text", "data"]
    input: Any
    secrets: tuple[str, ...]
    innocent: tuple[str, ...]

    @property
    def given(self) -> str:
        return _as_text(self.input)

    @property
    def masked(self) -> str:
        return _as_text(redact(self.input) if self.kind == "text" else redact_json(self.input))


class Finding(BaseModel):
    """One secret that was left, or one innocent that was not."""

    row: str
    of: str
    wrong: str
    masked: str


@cache
def rows(half: str) -> tuple[Row, ...]:
    lines = (HERE / f"{half}.jsonl").read_text(encoding="utf-8").splitlines()
    return tuple(Row.model_validate_json(line.replace(BREAK, "")) for line in lines)


@cache
def leaked(half: str) -> tuple[Finding, ...]:
    return tuple(_findings(half, "secrets", left=True))


@cache
def harmed(half: str) -> tuple[Finding, ...]:
    return tuple(_findings(half, "innocent", left=False))


def score(half: str) -> dict[str, int]:
    return {
        "secrets": sum(len(row.secrets) for row in rows(half)),
        "secrets_masked": sum(len(row.secrets) for row in rows(half)) - len(leaked(half)),
        "innocents": sum(len(row.innocent) for row in rows(half)),
        "innocents_masked": len(harmed(half)),
    }


def _findings(half: str, part: Literal["secrets", "innocent"], *, left: bool) -> Iterator[Finding]:
    for row in rows(half):
        masked = row.masked
        for text in getattr(row, part):
            if (text in masked) is left:
                yield Finding(row=row.id, of=row.of, wrong=text, masked=masked)


def _as_text(value: Any) -> str:
    """All that a JSON value says, one line each, and once more as JSON: labels are given in either spelling."""
    return value if isinstance(value, str) else "\n".join([*_strings(value), json.dumps(value, ensure_ascii=False)])


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield str(key)
            yield from _strings(item)
    elif isinstance(value, list):
        for item in value:
            yield from _strings(item)
    else:
        yield str(value)
