"""What Security looks for in a plan. A new check is listed in CHECKS.

Each takes the plan and the objects as they stand, keyed by `str(action.target)`, and works on them alone. BLOCK stops the plan.
"""

from collections.abc import Callable, Mapping
from typing import Final

from opsmend.agents.security.checks import (
    blast_radius,
    environment,
    images,
    integrity,
    privileges,
    protected_namespaces,
    resources,
    secrets,
    services,
)
from opsmend.domain.actions.action import LiveObject
from opsmend.domain.plan import Plan
from opsmend.domain.verdict import SecurityFinding

Check = Callable[[Plan, Mapping[str, LiveObject]], list[SecurityFinding]]

CHECKS: Final[tuple[Check, ...]] = (
    integrity.check,
    protected_namespaces.check,
    images.check,
    privileges.check,
    secrets.check,
    services.check,
    blast_radius.check,
    resources.check,
    environment.check,
)
