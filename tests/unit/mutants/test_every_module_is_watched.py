"""Each module that mutants are made of has tests near by, and others beyond, and they exist."""

from pathlib import Path

import pytest
from tests.mutants.watchers import PACKAGES, far, near

ROOT = Path(__file__).parents[3]
SOURCE = ROOT / "src/opsmend"
MODULES = [str(path.relative_to(SOURCE)) for package in PACKAGES for path in sorted((SOURCE / package).rglob("*.py"))]


@pytest.mark.parametrize("module", MODULES)
def test_a_module_is_watched_by_tests_that_exist(module: str) -> None:
    paths = (*near(module), *far(module))
    assert near(module)
    assert [path for path in paths if not (ROOT / path).exists()] == []


def test_the_tests_near_by_are_those_of_the_module_and_not_of_its_package() -> None:
    assert near("workflows/phases/question.py") == ("tests/workflows/test_approvals.py",)
    assert near("agents/sre/detectors/bad_image.py")[0] == "tests/unit/detectors"
