"""ci/results.json: for each part the commit that it last ran on, its seconds and its outcome. `make full` writes it."""

from pathlib import Path
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, Field, RootModel

from ci.history import History
from ci.play import Played

FILE: Final = Path(__file__).parent / "results.json"

OLDEST: Final = 60
"""Commits after which an entry no longer says anything about the code of today."""


class Entry(BaseModel):
    model_config = ConfigDict(extra="forbid")

    commit: str = Field(pattern=r"^[0-9a-f]{40}$")
    """A whole hash: a name like HEAD would be of the newest commit for ever."""
    seconds: int
    outcome: Literal["passed", "failed"]
    why: str = ""
    flaky: tuple[str, ...] = ()


class Results(RootModel[dict[str, Entry]]):
    """By the name of the part."""


def read(file: Path = FILE) -> Results:
    return Results.model_validate_json(file.read_text()) if file.exists() else Results({})


def record(played: Played, commit: str, file: Path = FILE) -> None:
    """Put `played` in the place of the part's older entry. A skipped part has shown nothing and keeps its entry."""
    if played.outcome == "skipped":
        return
    entry = Entry(
        commit=commit,
        seconds=round(played.seconds),
        outcome=played.outcome,
        why=played.why,
        flaky=tuple(played.flaky),
    )
    entries = dict(sorted((read(file).root | {played.part: entry}).items()))
    file.write_text(Results(entries).model_dump_json(indent=1, exclude_defaults=True) + "\n")


def complaints(results: Results, parts: list[str], history: History) -> list[str]:
    """One sentence for each part whose entry is missing, too old, of another history, or tells of a failure.

    In a shallow clone nobody can tell how old an entry is.
    """
    return [complaint for part in parts if (complaint := _complaint(part, results.root.get(part), history))]


def _complaint(part: str, entry: Entry | None, history: History) -> str | None:
    again = f"Run `make full PARTS={part}` and commit ci/results.json."
    if entry is None:
        return f"{part} has no entry in ci/results.json. {again}"
    if entry.outcome == "failed":
        return f"{part} failed on {entry.commit[:10]} ({entry.why}). Mend it. {again}"
    if history.is_shallow():
        return None
    age = history.commits_since(entry.commit)
    if age is None:
        return f"{part} last ran on {entry.commit[:10]}, which is no ancestor of this commit: amended or rebased? {again}"
    if age > OLDEST:
        return f"{part} last ran {age} commits ago on {entry.commit[:10]}; {OLDEST} is the most. {again}"
    return None
