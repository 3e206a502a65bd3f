"""What Security looks for in a plan. A new check is listed in CHECKS.

Each works on the scene alone. BLOCK stops the plan.
"""

from collections.abc import Callable
from typing import Final

from opsmend.agents.security.checks import (
    blast_radius,
    environment,
    images,
    integrity,
    privileges,
    resources,
    secrets,
    services,
)
from opsmend.agents.security.scene import Scene
from opsmend.domain.verdict import SecurityFinding

Check = Callable[[Scene], list[SecurityFinding]]

CHECKS: Final[tuple[Check, ...]] = (
    integrity.check,
    images.check,
    privileges.check,
    secrets.check,
    services.check,
    blast_radius.check,
    resources.check,
    environment.check,
)
