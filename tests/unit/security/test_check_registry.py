"""Every check is listed once."""

import importlib
import pkgutil

import pytest

from opsmend.agents.security import checks
from opsmend.agents.security.checks import CHECKS

MODULES = [module.name for module in pkgutil.iter_modules(checks.__path__)]


@pytest.mark.parametrize("name", MODULES)
def test_every_module_is_listed_and_explains_itself(name: str) -> None:
    module = importlib.import_module(f"{checks.__name__}.{name}")
    assert module.check in CHECKS
    assert module.__doc__


def test_nothing_is_listed_twice() -> None:
    assert len(set(CHECKS)) == len(CHECKS) == len(MODULES)
