"""How a terminal finds the opsmend that runs on this machine: a file that `up` and `demo` leave in their data directory."""

import os
from pathlib import Path
from typing import Final

from pydantic import BaseModel, SecretStr, ValidationError, field_serializer

from opsmend.adapters.artifacts.directories import private_directory
from opsmend.errors import SettingsError, bounded
from opsmend.setting_types import is_web_address

DEFAULT_API: Final = "http://127.0.0.1:8080"
_FILE_NAME: Final = "connection.json"


class Connection(BaseModel):
    """Where the API is, and the tokens to use there: the operator's for people, the API token for webhooks."""

    api: str
    operator_token: SecretStr | None = None
    api_token: SecretStr | None = None
    temporal_address: str | None = None
    """The Temporal that this opsmend works with, for commands that ask it themselves."""

    @field_serializer("operator_token", "api_token", when_used="json")
    def _reveal(self, token: SecretStr | None) -> str | None:
        return token.get_secret_value() if token else None


def write_connection(data_dir: Path, connection: Connection) -> Path:
    """Leave `connection` in `data_dir`, readable by its owner alone from the first byte on."""
    private_directory(data_dir)
    path = data_dir / _FILE_NAME
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(connection.model_dump_json())
    return path


def find_connection(data_dir: Path, *, api: str | None, operator_token: SecretStr | None) -> Connection:
    """What was said explicitly, else what a running opsmend left in `data_dir`, else the default address.

    The token of the file goes only to the address of the file: never to one that was typed in.

    Raises:
        SettingsError: the file is there and is not one of ours, or `api` is no address.
    """
    if api is not None and not is_web_address(api):
        raise SettingsError(
            "--api or OPSMEND_API_URL: expected an http:// or https:// address, "
            f"such as {DEFAULT_API}; got {bounded(repr(api), 120)}."
        )
    left = read_connection(data_dir)
    address = (api or (left.api if left else DEFAULT_API)).rstrip("/")
    same_place = left is not None and left.api.rstrip("/") == address
    token = operator_token or (left.operator_token if left and same_place else None)
    return Connection(api=address, operator_token=token)


def read_connection(data_dir: Path) -> Connection | None:
    """What `write_connection` left in `data_dir`, None where there is nothing.

    Raises:
        SettingsError: it cannot be read.
    """
    path = data_dir / _FILE_NAME
    try:
        return Connection.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return None
    except PermissionError as denied:
        raise SettingsError(f"{path} belongs to somebody else. Set OPSMEND_API_URL and OPSMEND_OPERATOR_TOKEN.") from denied
    except OSError as broken:
        raise SettingsError(
            f"{path} cannot be read: {broken.strerror}. Name another data directory with --data-dir."
        ) from broken
    except ValidationError as broken:
        raise SettingsError(
            f"{path} is not what opsmend left there. Remove it; the next `opsmend up` writes it again."
        ) from broken
