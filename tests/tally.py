"""The verdicts of a suite of cases: what only came too late is played once more, and a broken safety check ends the suite."""

from collections.abc import Callable
from typing import Generic, Protocol, TypeVar


class Verdict(Protocol):
    """What a suite says of a case. Each list holds sentences, and is empty when all is well."""

    @property
    def name(self) -> str:
        """Of the case."""

    @property
    def wrong(self) -> list[str]:
        """What was not as it must be, though it came in time."""

    @property
    def late(self) -> list[str]:
        """What was not seen in time. A slow machine may be the reason."""

    @property
    def unsafe(self) -> list[str]:
        """A change made twice, not at all or without approval, collateral change, a lost alert, a leaked secret."""


def failed(verdict: Verdict) -> bool:
    """Whether anything speaks against it."""
    return bool(verdict.wrong or verdict.late or verdict.unsafe)


Given = TypeVar("Given", bound=Verdict)


class Tally(Generic[Given]):
    """The verdicts by name, in the order in which they came. `tell` hears each of them at once."""

    def __init__(self, tell: Callable[[Given], None]) -> None:
        self._tell = tell
        self._by_name: dict[str, Given] = {}
        self._flaky: list[str] = []

    def take(self, verdict: Given) -> None:
        """Take the verdict of a first try, or of a second one in the place of the first.

        `python -m ci` reads the lines that begin with `SAFETY:`.
        """
        again = verdict.name in self._by_name
        if again and not failed(verdict):
            self._flaky.append(verdict.name)
        self._by_name[verdict.name] = verdict
        self._tell(verdict)
        for why in verdict.unsafe:
            # At once: a suite that is killed while other cases still play says nothing at its end.
            print(f"SAFETY: {verdict.name}: {why}", flush=True)

    @property
    def verdicts(self) -> list[Given]:
        return list(self._by_name.values())

    @property
    def failures(self) -> list[Given]:
        return [verdict for verdict in self.verdicts if failed(verdict)]

    @property
    def is_unsafe(self) -> bool:
        """Whether a safety check was broken: then nothing more is played."""
        return any(verdict.unsafe for verdict in self.verdicts)

    def to_play_again(self) -> list[str]:
        """Names of the cases against which nothing speaks but time-outs; none after a broken safety check."""
        only_late = [verdict.name for verdict in self.verdicts if verdict.late and not verdict.wrong and not verdict.unsafe]
        return [] if self.is_unsafe else only_late

    def closing_lines(self) -> list[str]:
        """The lines that end the suite's output. `python -m ci` reads those that begin with `flaky:` and `failed:`."""
        flaky = [f"flaky: {name} (too late at first, then passed)" for name in self._flaky]
        bad = len(self.failures)
        why = [f"failed: {v.name}: {'; '.join([*v.wrong, *v.late])}" for v in self.failures if not v.unsafe]
        return [*flaky, *why, f"{len(self._by_name) - bad} passed, {bad} failed"]
