"""Several pagers used as one, and none."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from opsmend.agents import work
from opsmend.domain.ports.pager import Page, Paged, PageOver, Pager
from opsmend.errors import PagerRejectedError, PagerUnavailableError


class NoPager:
    """Where no pager is configured: nobody is reached, and `Paged.by` says so."""

    async def trigger(self, page: Page) -> Paged:
        return Paged()

    async def resolve(self, over: PageOver) -> Paged:
        return Paged()

    async def check(self) -> str:
        return "No pager is configured."


class SeveralPagers:
    """All are asked side by side. While one is away the activity tries again, and asks only those that have not taken it yet:
    not every pager can tell a repetition, and nobody wants the same mail each minute of another's outage.

    Raises PagerRejectedError only if none has taken it.
    """

    def __init__(self, pagers: Mapping[str, Pager]) -> None:
        self._pagers = pagers

    async def trigger(self, page: Page) -> Paged:
        return await self._by_each(lambda pager: pager.trigger(page))

    async def resolve(self, over: PageOver) -> Paged:
        return await self._by_each(lambda pager: pager.resolve(over))

    async def check(self) -> str:
        """Raises PagerUnavailableError with what each of them said where any of them failed."""
        asked = await asyncio.gather(*(pager.check() for pager in self._pagers.values()), return_exceptions=True)
        for error in asked:
            if isinstance(error, BaseException) and not isinstance(error, PagerUnavailableError | PagerRejectedError):
                raise error
        said = " ".join(f"{answer}".rstrip(".") + "." for answer in asked)
        if any(isinstance(answer, BaseException) for answer in asked):
            raise PagerUnavailableError(said)
        return said

    async def _by_each(self, ask: Callable[[Pager], Awaitable[Paged]]) -> Paged:
        taken = _taken_before()
        left = {name: pager for name, pager in self._pagers.items() if name not in taken}
        outcomes = await asyncio.gather(*map(ask, left.values()), return_exceptions=True)
        taken |= {name for name, outcome in zip(left, outcomes, strict=True) if isinstance(outcome, Paged)}
        return _summed_up(taken, [outcome for outcome in outcomes if isinstance(outcome, BaseException)])


def _summed_up(taken: set[str], errors: list[BaseException]) -> Paged:
    away = [error for error in errors if isinstance(error, PagerUnavailableError)]
    refused = [error for error in errors if isinstance(error, PagerRejectedError)]
    for error in errors:
        if error not in away and error not in refused:
            raise error
    if away:
        waits = [error.retry_after for error in away if error.retry_after]
        others = f" (taken by {', '.join(sorted(taken))})" if taken else ""
        raise PagerUnavailableError("; ".join(map(str, (*away, *refused))) + others, max(waits, default=None))
    if not taken:
        raise PagerRejectedError("; ".join(map(str, refused)))
    return Paged(by=tuple(sorted(taken)), refused=tuple(map(str, refused)))


def _taken_before() -> set[str]:
    """Pagers that took it in an earlier try of this activity. The next try will know those that are added."""
    doing = work.current()
    return doing.done if doing else set()
