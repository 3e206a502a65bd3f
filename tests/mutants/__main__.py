"""`make mutants`: changes a line of ours, runs the tests that watch it, and lists the mutants that no test noticed.

    python -m tests.mutants [--in policy|agents|workflows] [--number N] [--seed N] [--again]

What became of each stays in .opsmend/mutants/. The same seed goes on where a run was stopped, or adds to it; `--again` tries
once more what was not killed. Ends with 'N killed, N too late, N survived'.
"""

import argparse
import random
import sys
from itertools import islice
from pathlib import Path
from typing import Final

from tests.mutants.fates import Fate, Fates, Verdict, fates_in
from tests.mutants.trial import a_copy_of_the_tree, mutants_of, tried
from tests.mutants.watchers import PACKAGES

FOLDER: Final = Path(".opsmend/mutants").resolve()


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description="Finds mutants that no test notices.")
    parser.add_argument("--in", dest="package", choices=PACKAGES, default="policy")
    parser.add_argument("--number", type=int, default=60, help="mutants to try")
    parser.add_argument("--seed", type=int, help="which ones; without it others each time")
    parser.add_argument("--again", action="store_true", help="what the last run did not kill instead")
    asked = parser.parse_args()
    path = FOLDER / f"{asked.package}.json"
    fates = _begun(path, asked.seed, again=asked.again)
    print(f"{asked.package}, seed {fates.seed}", flush=True)
    with a_copy_of_the_tree():
        sample = fates.not_killed if asked.again else islice(mutants_of(asked.package, fates.seed), asked.number)
        for mutant in sample:
            if asked.again or not fates.has(mutant):
                fate = tried(mutant)
                fates = fates.with_(fate)
                fates.write(path)
                print(_told(fate), flush=True)
    print(", ".join(f"{fates.count(verdict)} {verdict}" for verdict in Verdict))
    return 0


def _begun(path: Path, seed: int | None, *, again: bool) -> Fates:
    last = fates_in(path)
    if again and last is None:
        sys.exit(f"There is no last run: {path} is missing. Run without --again first.")
    if last and (again or last.seed == seed):
        return last
    return Fates(seed=random.SystemRandom().randrange(10_000) if seed is None else seed)


def _told(fate: Fate) -> str:
    mutant = fate.mutant
    line = f"{fate.verdict:9} {mutant.module}:{mutant.line} {mutant.operator.partition('/')[2]} {fate.by}"
    return f"{line}\n{fate.diff}" if fate.verdict is Verdict.SURVIVED else line


if __name__ == "__main__":
    sys.exit(main())
