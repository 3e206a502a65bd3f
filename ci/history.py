"""What CI asks of git."""

import subprocess
from pathlib import Path
from typing import Final

_ROOT: Final = Path(__file__).parents[1]

WRITTEN_BY_PARTS: Final = ("ci/results.json", "lab/results.json", "lab/recorded_calls.json", "bench/results.json")
"""What the parts themselves write into the checkout: a change of these is no change of what was tested."""


class History:
    """The checkout at `root` and its commits."""

    def __init__(self, root: Path = _ROOT) -> None:
        self._root = root

    def head(self) -> str:
        """The hash of the commit that is checked out."""
        return self._git("rev-parse", "HEAD").stdout.strip()

    def is_shallow(self) -> bool:
        """Whether older commits were left out of this clone, so that the age of an entry cannot be told."""
        return self._git("rev-parse", "--is-shallow-repository").stdout.strip() == "true"

    def commits_since(self, commit: str) -> int | None:
        """How many commits were made after `commit`; None if it is no ancestor of what is checked out."""
        if self._git("merge-base", "--is-ancestor", commit, "HEAD").returncode:
            return None
        return int(self._git("rev-list", "--count", f"{commit}..HEAD").stdout)

    def uncommitted(self) -> list[str]:
        """Files that differ from the commit that is checked out, or are not in it, without those that the parts write.

        pytest runs a test that git does not know yet as well. What git ignores is left out.
        """
        changed = self._git("diff", "--name-only", "HEAD").stdout.splitlines()
        changed += self._git("ls-files", "--others", "--exclude-standard").stdout.splitlines()
        return [name for name in changed if name not in WRITTEN_BY_PARTS]

    def _git(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(["git", *arguments], cwd=self._root, capture_output=True, text=True, check=False)
