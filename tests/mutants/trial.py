"""One mutant at a time, in a copy of the tree: does a test fail?"""

import os
import re
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import chdir, contextmanager
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import cosmic_ray.plugins
from cosmic_ray.commands import init
from cosmic_ray.mutating import mutate_and_test, mutate_code
from cosmic_ray.work_db import use_db
from cosmic_ray.work_item import MutationSpec, TestOutcome

from tests.mutants.fates import Fate, Verdict
from tests.mutants.sample import Mutant, changes_what_runs, in_random_order
from tests.mutants.statements import DeleteStatement
from tests.mutants.watchers import far, near

SOURCE: Final = Path("src/opsmend")

_LATE: Final = "NotInTimeError|TimeoutError|Failed: Timeout|Potential deadlock"
"""What a test that only came too late fails with (docs/ci.md). The last is Temporal's word for a workflow that starved."""
_TOO_LATE: Final = re.compile(rf"^E .*({_LATE})", re.MULTILINE)
_AGAIN: Final = ("--reruns=1", f"--only-rerun={_LATE}", "--timeout=300")
_PYTEST: Final = (sys.executable, "-m", "pytest", "-x", "-p", "no:cacheprovider", *_AGAIN)
_RAISED: Final = "Failed activation on workflow"
"""Temporal's word for an exception in a workflow's code. It tries again for ever, so a test that waits in vain is right."""
_FAILED: Final = re.compile(r"^(?:FAILED|ERROR) (.+?)(?: - .*)?$", re.MULTILINE)
_SHORTEST: Final = 60.0
_SLACK: Final = 4
"""The tests may take so many times what they take without a mutant: the machine may have other work by then."""

# A provider is a mapping of names to operators. cosmic-ray finds others by entry points, which only a package of its own has.
cosmic_ray.plugins.OPERATOR_PROVIDERS["opsmend"] = {DeleteStatement.__name__: DeleteStatement}


@contextmanager
def a_copy_of_the_tree() -> Iterator[None]:
    """What git would commit, as the current folder: a mutant must not get into the tree that somebody works on."""
    listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], check=True, capture_output=True, text=True)
    with TemporaryDirectory(prefix="opsmend-mutants-") as folder:
        for name in filter(os.path.isfile, listed.stdout.splitlines()):
            copy = Path(folder, name)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(name, copy)
        os.environ["PYTHONPATH"] = str(Path(folder, "src"))
        with chdir(folder):
            yield


def mutants_of(package: str, seed: int) -> Iterator[Mutant]:
    """In the order of the seed, without those that change nothing that runs."""
    with TemporaryDirectory() as scratch, use_db(Path(scratch, "mutants.sqlite")) as found:
        init(sorted((SOURCE / package).rglob("*.py")), found, {})
        specs = [item.mutations[0] for item in found.work_items]
    mutants = (
        Mutant(
            module=str(spec.module_path),
            line=spec.start_pos[0],
            column=spec.start_pos[1],
            operator=spec.operator_name,
            occurrence=spec.occurrence,
        )
        for spec in specs
    )
    for mutant in in_random_order(mutants, seed):
        code = Path(mutant.module).read_text()
        if changes_what_runs(code, _mutated(code, mutant)):
            yield mutant


def tried(mutant: Mutant) -> Fate:
    """The tests near by first, and the others only on what survives them."""
    module = str(Path(mutant.module).relative_to(SOURCE))
    for tests in (near(module), far(module)):
        limit = max(_SHORTEST, _SLACK * _seconds_without_a_mutant(tests))
        spec = MutationSpec(mutant.module, mutant.operator, mutant.occurrence, (0, 0), (0, 1))
        result = mutate_and_test([spec], shlex.join((*_PYTEST, *tests)), limit)
        if result.test_outcome is not TestOutcome.SURVIVED:
            break
    if result.test_outcome is TestOutcome.INCOMPETENT:
        raise RuntimeError(f"{mutant} could not be tried: {result.output}")
    by = _FAILED.search(result.output)
    return Fate(mutant=mutant, verdict=_verdict(result.test_outcome, result.output), by=by[1] if by else "", diff=result.diff)


def _verdict(outcome: TestOutcome, output: str) -> Verdict:
    if outcome is TestOutcome.SURVIVED:
        return Verdict.SURVIVED
    too_late = _RAISED not in output and (output == "timeout" or _TOO_LATE.search(output))
    return Verdict.TOO_LATE if too_late else Verdict.KILLED


@cache
def _seconds_without_a_mutant(tests: tuple[str, ...]) -> float:
    """They must pass: else every mutant would look as if it had been noticed. On a busy machine that may take a few tries."""
    for _ in range(3):
        began = time.monotonic()
        run = subprocess.run((*_PYTEST, *tests), capture_output=True, text=True, check=False)
        if not run.returncode:
            return time.monotonic() - began
    raise RuntimeError(f"{' '.join(tests)} fail without a mutant:\n{run.stdout[-3000:]}")


def _mutated(code: str, mutant: Mutant) -> str:
    try:
        return str(mutate_code(code, cosmic_ray.plugins.get_operator(mutant.operator)(), mutant.occurrence))
    except AttributeError:  # cosmic-ray's ExceptionReplacer does not know `except module.Error`
        return code
