"""How a terminal finds the opsmend of its machine, and whom it tells the token."""

from pathlib import Path

import pytest
from pydantic import SecretStr

from opsmend.console.connection import DEFAULT_API, Connection, find_connection, write_connection
from opsmend.errors import SettingsError

LEFT = Connection(api="http://127.0.0.1:9000", operator_token=SecretStr("left-token"))


def found(data_dir: Path, *, api: str | None = None, token: str | None = None) -> tuple[str, str | None]:
    connection = find_connection(data_dir, api=api, operator_token=SecretStr(token) if token else None)
    secret = connection.operator_token
    return connection.api, secret.get_secret_value() if secret else None


def test_running_opsmend_is_found_by_the_file_that_it_left(tmp_path: Path) -> None:
    write_connection(tmp_path / "state", LEFT)
    assert found(tmp_path / "state") == ("http://127.0.0.1:9000", "left-token")


def test_file_is_readable_by_its_owner_alone_even_when_it_was_there_before(tmp_path: Path) -> None:
    (tmp_path / "connection.json").write_text("{}")
    (tmp_path / "connection.json").chmod(0o644)
    assert write_connection(tmp_path, LEFT).stat().st_mode & 0o777 == 0o600


def test_without_a_file_the_default_address_is_asked(tmp_path: Path) -> None:
    assert found(tmp_path) == (DEFAULT_API, None)


def test_what_is_said_explicitly_wins(tmp_path: Path) -> None:
    write_connection(tmp_path, LEFT)
    assert found(tmp_path, api="http://other:1/", token="mine") == ("http://other:1", "mine")


def test_token_of_the_file_is_not_sent_to_another_address(tmp_path: Path) -> None:
    write_connection(tmp_path, LEFT)
    assert found(tmp_path, api="http://elsewhere.test") == ("http://elsewhere.test", None)
    assert found(tmp_path, api="http://127.0.0.1:9000/") == ("http://127.0.0.1:9000", "left-token")


def test_broken_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "connection.json").write_text("not json")
    with pytest.raises(SettingsError, match=r"connection\.json"):
        found(tmp_path)


def test_token_does_not_show_when_a_connection_is_printed() -> None:
    assert "left-token" not in f"{LEFT} {LEFT!r}"
