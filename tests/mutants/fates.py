"""What became of each mutant, kept in a file after each, so that a run that was stopped can go on."""

from enum import StrEnum
from pathlib import Path

from opsmend.domain.record import Record
from tests.mutants.sample import Mutant


class Verdict(StrEnum):
    KILLED = "killed"
    TOO_LATE = "too late"
    """A wait or the time limit ended. The mutant may hang; so may a busy machine."""
    SURVIVED = "survived"


class Fate(Record):
    mutant: Mutant
    verdict: Verdict
    by: str = ""
    """The test that failed first."""
    diff: str


class Fates(Record):
    """Of the run of one package with one seed."""

    seed: int
    known: tuple[Fate, ...] = ()

    @property
    def not_killed(self) -> tuple[Mutant, ...]:
        return tuple(fate.mutant for fate in self.known if fate.verdict is not Verdict.KILLED)

    def has(self, mutant: Mutant) -> bool:
        return any(fate.mutant == mutant for fate in self.known)

    def count(self, verdict: Verdict) -> int:
        return sum(fate.verdict is verdict for fate in self.known)

    def with_(self, fate: Fate) -> "Fates":
        others = tuple(other for other in self.known if other.mutant != fate.mutant)
        return Fates(seed=self.seed, known=(*others, fate))

    def write(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(self.model_dump_json(indent=1))


def fates_in(path: Path) -> Fates | None:
    return Fates.model_validate_json(path.read_text()) if path.exists() else None
