"""Whatever makes the data directory, only its owner may enter it; one that lets others in is closed or refused."""

import os
import shutil
import stat
import subprocess
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from opsmend.adapters.artifacts.directories import data_directory, private_directory
from opsmend.adapters.artifacts.store import FileArtifacts
from opsmend.console.connection import Connection, write_connection
from opsmend.doctor.checks import data_directory as doctors_check
from opsmend.embedded.processes import start_part
from opsmend.errors import SettingsError
from opsmend.settings import Settings

CHECKOUT = Path(__file__).parents[3]

Way = Callable[[Path], Awaitable[None]]


@pytest.fixture(autouse=True)
def usual_umask() -> Iterator[None]:
    before = os.umask(0o022)
    yield
    os.umask(before)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Two folders below one that everybody may enter; none of the two is there."""
    tmp_path.chmod(0o755)
    return tmp_path / "state" / ".opsmend"


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


async def a_start(place: Path) -> None:
    data_directory(place)


async def an_artifact(place: Path) -> None:
    await FileArtifacts(place / "artifacts").put(b"x", "text/plain")


async def the_tokens(place: Path) -> None:
    write_connection(place, Connection(api="http://127.0.0.1:1", operator_token=SecretStr("made-up")))


async def a_part(place: Path) -> None:
    await (await start_part("true", ["true"], place / "logs")).process.wait()


async def the_doctor(place: Path) -> None:
    await doctors_check(Settings(data_dir=place))


@pytest.mark.parametrize("way", [a_start, an_artifact, the_tokens, a_part, the_doctor])
async def test_every_way_makes_it_for_its_owner_alone(place: Path, way: Way) -> None:
    await way(place)
    made = place.parent
    assert place.is_dir()
    assert [path for path in (made, *made.rglob("*")) if path.is_dir() and mode(path) & 0o077] == []


@pytest.mark.parametrize("way", [a_start, the_tokens, the_doctor])
async def test_one_that_lets_others_in_is_closed(place: Path, way: Way) -> None:
    """As `make` left it where uv was absent, with a database and logs in it since."""
    for folder in (place / "logs", place / "uv"):
        folder.mkdir(parents=True)
    (place / "temporal.db").write_text("histories")
    await way(place)
    assert mode(place) == 0o700
    assert (place / "temporal.db").read_text() == "histories"


def test_closing_is_told(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    place.mkdir(parents=True)
    private_directory(place)
    said = capsys.readouterr().out
    assert "directory.closed" in said
    assert "0755" in said


def test_a_directory_of_other_things_is_refused_and_stays_as_it_is(place: Path) -> None:
    (place / "photos").mkdir(parents=True)
    with pytest.raises(SettingsError, match=r"mode 0755\) and holds other things too \(photos\).*chmod 700"):
        data_directory(place)
    assert mode(place) == 0o755


def test_a_directory_that_everybody_writes_to_is_refused(place: Path) -> None:
    place.mkdir(parents=True)
    place.chmod(0o1777)
    with pytest.raises(SettingsError, match="mode 1777"):
        data_directory(place)
    assert mode(place) == 0o1777


def test_a_directory_of_somebody_else_is_refused(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place.mkdir(parents=True)

    def not_the_owner(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "chmod", not_the_owner)
    with pytest.raises(SettingsError, match=r"lets others in \(mode 0755\) and belongs to user \d+.*chmod 700"):
        data_directory(place)


def test_a_private_directory_of_other_things_is_taken(place: Path) -> None:
    (place / "photos").mkdir(parents=True)
    place.chmod(0o700)
    assert data_directory(place) == place


VENV = """#!/bin/sh
mkdir -p "$3/bin"
for tool in python uv; do printf '#!/bin/sh\\n' >"$3/bin/$tool"; chmod +x "$3/bin/$tool"; done
"""


def test_make_makes_it_for_its_owner_alone_where_uv_is_absent(tmp_path: Path) -> None:
    shutil.copy(CHECKOUT / "Makefile", tmp_path)
    tools = tmp_path / "tools"
    tools.mkdir()
    for tool in ("sh", "mkdir", "install", "chmod"):
        (tools / tool).symlink_to(str(shutil.which(tool)))
    (tools / "python3").write_text(VENV)
    (tools / "python3").chmod(0o755)
    subprocess.run(
        [str(shutil.which("make")), "setup"], cwd=tmp_path, env={"PATH": str(tools)}, check=True, capture_output=True
    )
    assert (tmp_path / ".opsmend" / "uv" / "bin" / "uv").exists()
    assert mode(tmp_path / ".opsmend") == 0o700
