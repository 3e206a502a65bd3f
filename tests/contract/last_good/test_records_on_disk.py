"""The record is whole or not there, whoever else writes at the same time, and leads to no file but its own."""

import asyncio
import fcntl
import json
import os
import sys
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

import pytest
from tests.builders import NOW, a_ref, ago

from opsmend.adapters.artifacts.last_good import FileLastGood
from opsmend.adapters.artifacts.store import FileArtifacts
from opsmend.domain.last_good import VERSIONS_KEPT, Content, Runner, Sighting
from opsmend.domain.target import ObjectRef
from opsmend.errors import ArtifactMissingError, LastGoodUnavailableError

CONF: Final = a_ref("ConfigMap", "web-conf")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "last-good"


@pytest.fixture
def artifacts(tmp_path: Path) -> FileArtifacts:
    return FileArtifacts(tmp_path / "artifacts")


@pytest.fixture
def last_good(folder: Path, artifacts: FileArtifacts) -> FileLastGood:
    return FileLastGood(folder, "demo", artifacts)


async def a_sighting(artifacts: FileArtifacts, value: str = "listen 80;", ref: ObjectRef = CONF, **changes: Any) -> Sighting:
    """With a pod that was created right after the write, a minute before the look."""
    at: datetime = changes.get("at", NOW)
    kept = await artifacts.put(Content(data={"nginx.conf": value}).model_dump_json().encode(), "application/json")
    runner = Runner(workload=a_ref(), oldest_pod_at=at - timedelta(minutes=1))
    written = at - timedelta(minutes=2)
    defaults: dict[str, Any] = {"ref": ref, "uid": "uid-1", "at": at, "content": kept, "written_at": written}
    return Sighting(**(defaults | {"runners": (runner,)} | changes))


def records_in(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file() and path.name != "lock"]


async def test_what_was_noted_is_there_for_another_process(
    folder: Path, artifacts: FileArtifacts, last_good: FileLastGood
) -> None:
    await last_good.note(await a_sighting(artifacts))
    found = await FileLastGood(folder, "demo", artifacts).newest(CONF, "uid-1")
    assert found
    assert found.content == Content(data={"nginx.conf": "listen 80;"})
    assert (found.version.workloads, found.looked_at) == (("Deployment shop/web",), NOW)


@pytest.mark.parametrize(
    ("ref", "uid"),
    [
        pytest.param(a_ref("ConfigMap", "other"), "uid-1", id="another name"),
        pytest.param(a_ref("ConfigMap", "web-conf", "pay"), "uid-1", id="another namespace"),
        pytest.param(CONF, "uid-2", id="another object of the same name"),
    ],
)
async def test_nothing_is_known_of_another_object(
    artifacts: FileArtifacts, last_good: FileLastGood, ref: ObjectRef, uid: str
) -> None:
    await last_good.note(await a_sighting(artifacts))
    assert await last_good.newest(ref, uid) is None


async def test_nothing_is_known_of_another_cluster(folder: Path, artifacts: FileArtifacts, last_good: FileLastGood) -> None:
    await last_good.note(await a_sighting(artifacts))
    assert await FileLastGood(folder, "prod", artifacts).newest(CONF, "uid-1") is None


async def test_the_same_content_is_kept_once(tmp_path: Path, artifacts: FileArtifacts, last_good: FileLastGood) -> None:
    for name in ("a", "b", "c"):
        await last_good.note(await a_sighting(artifacts, ref=a_ref("ConfigMap", name)))
    assert len(records_in(tmp_path / "artifacts")) == 1


HOSTILE = [
    pytest.param("../../../etc/passwd", "shop", id="path"),
    pytest.param("a/b", "../..", id="folder in a name"),
    pytest.param("x" * 5000, "y" * 5000, id="long"),
    pytest.param("\x00\n\u202e", "shop", id="control characters"),
    pytest.param("", "", id="empty"),
    pytest.param("lock", "shop", id="the name of the lock"),
]


@pytest.mark.parametrize(("name", "namespace"), HOSTILE)
async def test_hostile_names_lead_to_no_file_but_their_own(
    tmp_path: Path, folder: Path, artifacts: FileArtifacts, last_good: FileLastGood, name: str, namespace: str
) -> None:
    ref = a_ref("ConfigMap", name, namespace)
    await last_good.note(await a_sighting(artifacts, ref=ref))
    assert await last_good.newest(ref, "uid-1")
    (record,) = records_in(folder)
    assert len(record.name) == 64
    assert record.parent == folder / record.name[:2]
    assert {path.name for path in tmp_path.iterdir()} == {"last-good", "artifacts"}


async def test_only_the_owner_can_read_it(folder: Path, artifacts: FileArtifacts, last_good: FileLastGood) -> None:
    await last_good.note(await a_sighting(artifacts))
    assert [path for path in (folder, *folder.rglob("*")) if path.stat().st_mode & 0o077] == []


WRITER: Final = """
import asyncio, sys
from pathlib import Path
from opsmend.adapters.artifacts.last_good import FileLastGood
from opsmend.adapters.artifacts.store import FileArtifacts
from opsmend.domain.last_good import Sighting

async def main() -> None:
    root = Path(sys.argv[1])
    last_good = FileLastGood(root / "last-good", "demo", FileArtifacts(root / "artifacts"))
    for line in sys.stdin:
        await last_good.note(Sighting.model_validate_json(line))

asyncio.run(main())
"""


async def test_a_second_writer_waits_for_the_first_and_builds_on_what_it_wrote(
    tmp_path: Path, folder: Path, artifacts: FileArtifacts, last_good: FileLastGood
) -> None:
    """The first is another process in the middle of its work: it holds the lock, and then puts its record in place."""
    await last_good.note(await a_sighting(artifacts, at=ago(minutes=9)))
    (record,) = records_in(folder)
    elsewhere = FileLastGood(tmp_path / "other", "demo", artifacts)
    await elsewhere.note(await a_sighting(artifacts, at=ago(minutes=9)))
    await elsewhere.note(await a_sighting(artifacts, "listen 81;", at=ago(minutes=5)))
    (written_by_the_first,) = records_in(tmp_path / "other")
    with (record.parent / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        second = asyncio.create_task(last_good.note(await a_sighting(artifacts, "listen 82;")))
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(asyncio.shield(second), 0.3)
        written_by_the_first.rename(record)
    assert [version.last_seen for version in (await second).versions] == [NOW, ago(minutes=5), ago(minutes=9)]


async def test_two_processes_can_note_the_same_at_the_same_time(
    tmp_path: Path, artifacts: FileArtifacts, last_good: FileLastGood
) -> None:
    looks = [(await a_sighting(artifacts, at=NOW + timedelta(minutes=n))).model_dump_json() for n in range(40)]
    writers = [
        await asyncio.create_subprocess_exec(sys.executable, "-c", WRITER, str(tmp_path), stdin=asyncio.subprocess.PIPE)
        for _ in range(2)
    ]
    said = "\n".join(looks).encode()
    await asyncio.gather(*(writer.communicate(said) for writer in writers))
    assert [writer.returncode for writer in writers] == [0, 0]
    found = await last_good.newest(CONF, "uid-1")
    assert found
    assert (found.version.first_seen, found.version.last_seen) == (NOW, NOW + timedelta(minutes=39))


async def test_looks_at_the_same_time_in_one_process_are_all_noted(artifacts: FileArtifacts, last_good: FileLastGood) -> None:
    looks = [await a_sighting(artifacts, f"listen {n};", at=NOW + timedelta(minutes=5 * n)) for n in range(12)]
    await asyncio.gather(*(last_good.note(look) for look in looks))
    again = await last_good.note(looks[0])
    assert again.looked_at == looks[-1].at
    assert len(again.versions) <= VERSIONS_KEPT


async def test_a_crash_before_the_record_is_in_place_leaves_the_old_one_and_room_for_the_next(
    artifacts: FileArtifacts, last_good: FileLastGood, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await last_good.note(await a_sighting(artifacts))

    def crash(*args: object, **kwargs: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(os, "rename", crash)
        with pytest.raises(KeyboardInterrupt):
            await last_good.note(await a_sighting(artifacts, "listen 81;", at=NOW + timedelta(minutes=5)))
    found = await last_good.newest(CONF, "uid-1")
    assert found
    assert found.content.data == {"nginx.conf": "listen 80;"}
    after = await last_good.note(await a_sighting(artifacts, "listen 82;", at=NOW + timedelta(minutes=9)))
    assert len(after.versions) == 2


DAMAGE = [
    pytest.param(b"", id="empty"),
    pytest.param(b"{", id="cut"),
    pytest.param(b'{"some": "json"}', id="another shape"),
    pytest.param(b"\xff\xfe", id="no text"),
    pytest.param(b"[" * 100_000, id="deep"),
]


@pytest.mark.parametrize("damage", DAMAGE)
async def test_a_damaged_record_counts_as_none_and_is_written_anew(
    folder: Path, artifacts: FileArtifacts, last_good: FileLastGood, damage: bytes
) -> None:
    await last_good.note(await a_sighting(artifacts, at=ago(minutes=5)))
    (record,) = records_in(folder)
    record.write_bytes(damage)
    assert await last_good.newest(CONF, "uid-1") is None
    await last_good.note(await a_sighting(artifacts))
    assert await last_good.newest(CONF, "uid-1")


async def test_a_link_in_place_of_a_record_is_not_followed(
    tmp_path: Path, folder: Path, artifacts: FileArtifacts, last_good: FileLastGood
) -> None:
    await last_good.note(await a_sighting(artifacts, at=ago(minutes=5)))
    (record,) = records_in(folder)
    outside = tmp_path / "outside"
    record.rename(outside)
    record.symlink_to(outside)
    before = outside.read_bytes()
    assert await last_good.newest(CONF, "uid-1") is None
    await last_good.note(await a_sighting(artifacts))
    assert not record.is_symlink()
    assert outside.read_bytes() == before


@pytest.mark.parametrize("what", ["shelf", "lock"])
async def test_a_link_in_place_of_a_folder_or_the_lock_is_not_followed(
    tmp_path: Path, folder: Path, artifacts: FileArtifacts, last_good: FileLastGood, what: str
) -> None:
    await last_good.note(await a_sighting(artifacts, at=ago(minutes=5)))
    (record,) = records_in(folder)
    place = record.parent if what == "shelf" else record.parent / "lock"
    place.rename(tmp_path / "elsewhere")
    place.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(LastGoodUnavailableError):
        await last_good.note(await a_sighting(artifacts))


@pytest.mark.parametrize("name", ["record", "lock"])
async def test_a_pipe_in_place_of_a_file_does_not_hang(
    folder: Path, artifacts: FileArtifacts, last_good: FileLastGood, name: str
) -> None:
    await last_good.note(await a_sighting(artifacts, at=ago(minutes=5)))
    (record,) = records_in(folder)
    place = record if name == "record" else record.parent / "lock"
    place.unlink()
    os.mkfifo(place)
    if name == "record":
        assert await last_good.newest(CONF, "uid-1") is None
    else:
        with pytest.raises(LastGoodUnavailableError):
            await last_good.note(await a_sighting(artifacts))


async def test_a_record_that_leads_to_something_else_offers_nothing(
    folder: Path, artifacts: FileArtifacts, last_good: FileLastGood
) -> None:
    other = await artifacts.put(json.dumps({"no": "content"}).encode(), "application/json")
    await last_good.note(await a_sighting(artifacts, content=other))
    with pytest.raises(ArtifactMissingError):
        await last_good.newest(CONF, "uid-1")


async def test_content_that_is_gone_is_said_so(tmp_path: Path, artifacts: FileArtifacts, last_good: FileLastGood) -> None:
    await last_good.note(await a_sighting(artifacts))
    for path in records_in(tmp_path / "artifacts"):
        path.unlink()
    with pytest.raises(ArtifactMissingError):
        await last_good.newest(CONF, "uid-1")


async def test_a_disk_that_takes_nothing_is_said_so(tmp_path: Path, artifacts: FileArtifacts) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(LastGoodUnavailableError, match="cannot be used"):
        await FileLastGood(tmp_path / "file", "demo", artifacts).note(await a_sighting(artifacts))
