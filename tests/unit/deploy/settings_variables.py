"""The variables that settings are read from."""

from typing import Final

from opsmend.environment import VARIABLES

SETTINGS: Final = {variable.name: variable.secret for variable in VARIABLES}
"""Variable -> whether its value is a secret."""
