"""docker-compose.yml as data, with its merge keys resolved."""

import re
from pathlib import Path
from typing import Any, Final

import yaml

ROOT: Final = Path(__file__).parents[3]
COMPOSE: Final[dict[str, Any]] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: Final[dict[str, dict[str, Any]]] = COMPOSE["services"]
OURS: Final = {name: service for name, service in SERVICES.items() if "build" in service}
"""The services that run opsmend's own image."""

_INTERPOLATED: Final = re.compile(r"\$\{(?P<name>\w+)(?P<rest>[^}]*)\}")


def environment(service: str) -> dict[str, str | None]:
    """None is a variable that Compose passes on where it is set."""
    given: dict[str, str | None] = SERVICES[service].get("environment", {})
    return given


def role_of(service: str) -> str:
    """Raises ValueError for a service that is no worker."""
    command = SERVICES[service]["command"]
    return str(command[command.index("--role") + 1])


def workers() -> dict[str, str]:
    """Role -> service."""
    return {role_of(name): name for name in OURS if "--role" in SERVICES[name]["command"]}


def variables(value: Any) -> dict[str, str]:
    """What `value` takes from the environment file: name -> what stands behind it, such as `:-8080` or `:?say so`."""
    if isinstance(value, dict):
        passed_on = {k: "" for k, v in value.items() if v is None and k.isupper()}
        return passed_on | {k: rest for v in value.values() for k, rest in variables(v).items()}
    if isinstance(value, list):
        return {k: rest for v in value for k, rest in variables(v).items()}
    return {m["name"]: m["rest"] for m in _INTERPOLATED.finditer(value)} if isinstance(value, str) else {}
