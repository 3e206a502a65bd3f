"""The variables that settings are read from."""

from collections.abc import Iterator
from typing import Final, get_args

from pydantic import BaseModel, SecretStr

from opsmend.settings import Settings


def settings_variables(model: type[BaseModel] = Settings, prefix: str = "OPSMEND_") -> Iterator[tuple[str, bool]]:
    """Name of each variable, and whether its value is a secret."""
    for name, field in model.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from settings_variables(field.annotation, f"{prefix}{name.upper()}__")
            continue
        secret = SecretStr in (field.annotation, *get_args(field.annotation))
        yield str(field.validation_alias or f"{prefix}{name.upper()}"), secret


SETTINGS: Final = dict(settings_variables())
"""Variable -> whether its value is a secret."""
