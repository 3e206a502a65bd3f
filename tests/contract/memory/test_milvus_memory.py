"""What was learned from an incident comes back when something like it happens again, from a real Milvus Lite."""

import asyncio
import signal
from pathlib import Path

import pytest
from pydantic import ValidationError
from tests.builders import a_postmortem
from tests.contract.memory.conftest import MilvusLite

from opsmend.adapters.milvus.memory import WEAK, MilvusMemory
from opsmend.domain.postmortem import PostMortem
from opsmend.errors import MemoryUnavailableError, SettingsError
from opsmend.settings import MilvusSettings

SYMPTOMS = (
    'nginx of Deployment shop/web fails on its configuration: unknown directive "servre" in /etc/nginx/nginx.conf:12. '
    "KubePodCrashLooping: pods of shop/web restart"
)
OTHER_WORDING = (
    "Deployment blog/front crashes at start because nginx.conf line 7 holds an unknown directive 'lisen'. Crash looping"
)
CONFIG = "broken_configuration"


def an_incident(run_id: str = "run-1", **changes: object) -> PostMortem:
    return a_postmortem(**({"run_id": run_id, "category": CONFIG, "symptoms": SYMPTOMS} | changes))


async def test_an_incident_is_recalled_as_it_was_remembered(memory: MilvusMemory) -> None:
    incident = an_incident(cause="nginx.conf line 12", remedy="Roll Deployment shop/web back to revision 1")
    await memory.remember(incident)
    (recalled,) = await memory.recall(SYMPTOMS, CONFIG)
    assert recalled.score > 0.99
    assert recalled.model_dump(exclude={"score"}) == {
        "incident_id": incident.incident_id,
        "run_id": "run-1",
        "category": CONFIG,
        "summary": "nginx.conf line 12",
        "remedy": "Roll Deployment shop/web back to revision 1",
        "outcome": incident.outcome,
        "closed_at": incident.closed_at,
    }


async def test_remembered_twice_is_there_once_with_the_newest_text(memory: MilvusMemory) -> None:
    await memory.remember(an_incident(remedy="old"))
    await memory.remember(an_incident(remedy="new"))
    assert [r.remedy for r in await memory.recall(SYMPTOMS, CONFIG)] == ["new"]


async def test_other_wording_of_the_same_failure_is_recalled(memory: MilvusMemory) -> None:
    await memory.remember(an_incident())
    (recalled,) = await memory.recall(OTHER_WORDING, CONFIG)
    assert WEAK <= recalled.score < 0.99


async def test_the_most_similar_come_first_and_no_more_than_asked_for(memory: MilvusMemory) -> None:
    await memory.remember(an_incident("near"))
    await memory.remember(an_incident("far", symptoms=OTHER_WORDING))
    assert [r.run_id for r in await memory.recall(SYMPTOMS, CONFIG)] == ["near", "far"]
    assert [r.run_id for r in await memory.recall(SYMPTOMS, CONFIG, limit=1)] == ["near"]


async def test_another_kind_of_failure_is_not_recalled(memory: MilvusMemory) -> None:
    await memory.remember(an_incident(category="out_of_memory"))
    assert await memory.recall(SYMPTOMS, CONFIG) == ()


async def test_a_weak_match_of_the_same_kind_is_left_out(memory: MilvusMemory) -> None:
    await memory.remember(an_incident(symptoms="Certificate of the mail relay expired and its cron job fails every night"))
    assert await memory.recall(SYMPTOMS, CONFIG) == ()


async def test_an_empty_memory_recalls_nothing(memory: MilvusMemory) -> None:
    assert await memory.recall(SYMPTOMS, CONFIG) == ()


async def test_a_category_is_a_name_and_no_expression(memory: MilvusMemory) -> None:
    await memory.remember(an_incident(category="out_of_memory"))
    with pytest.raises(ValidationError):
        await memory.recall(SYMPTOMS, 'x" or category != "')


HOSTILE = {
    "quotes": '" or category != "',
    "backslash": "\\" * 50,
    "secret": "password=hunter2-Tr0ub4dor",
    "empty": "",
    "long": "é" * 20_000,
    "nul": "a\x00b",
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
async def test_hostile_text_is_kept_as_text(memory: MilvusMemory, text: str) -> None:
    await memory.remember(an_incident(cause=text, remedy=text, title=text or "t", symptoms=text + SYMPTOMS[:200]))
    recalled = await memory.recall(text + SYMPTOMS[:200], CONFIG)
    assert [r.run_id for r in recalled] == ["run-1"]
    assert "hunter2" not in repr(recalled)


@pytest.mark.parametrize("attempt", range(5))
async def test_workers_at_once_make_one_collection_and_lose_no_row(milvus: MilvusLite, attempt: int) -> None:
    settings = MilvusSettings(uri=milvus.uri, collection=f"made_together_{attempt}")
    workers = [MilvusMemory(settings) for _ in range(6)]
    await asyncio.gather(*(worker.remember(an_incident(f"run-{n}")) for n, worker in enumerate(workers)))
    assert len(await workers[0].recall(SYMPTOMS, CONFIG, limit=10)) == len(workers)
    await asyncio.gather(*(worker.close() for worker in workers))


async def test_what_was_remembered_survives_the_death_of_the_server(tmp_path: Path) -> None:
    server = MilvusLite(tmp_path / "data")
    server.start()
    memory = MilvusMemory(MilvusSettings(uri=server.uri))
    await memory.remember(an_incident())
    server.end(signal.SIGKILL)
    with pytest.raises(MemoryUnavailableError):
        await memory.recall(SYMPTOMS, CONFIG)
    server.start()
    try:
        assert [r.run_id for r in await memory.recall(SYMPTOMS, CONFIG)] == ["run-1"]
    finally:
        await memory.close()
        server.end(signal.SIGTERM)


async def test_a_restart_between_two_calls_is_not_noticed(tmp_path: Path) -> None:
    server = MilvusLite(tmp_path / "data")
    server.start()
    memory = MilvusMemory(MilvusSettings(uri=server.uri))
    await memory.remember(an_incident())
    server.end(signal.SIGKILL)
    server.start()
    try:
        assert [r.run_id for r in await memory.recall(SYMPTOMS, CONFIG)] == ["run-1"]
    finally:
        await memory.close()
        server.end()


async def test_files_that_another_process_has_open_are_unavailable(milvus: MilvusLite) -> None:
    # A Milvus Lite path ends in .db for pymilvus; the link names the folder of the running server.
    path = milvus.folder.with_suffix(".db")
    path.symlink_to(milvus.folder)
    memory = MilvusMemory(MilvusSettings(uri=str(path)))
    with pytest.raises(MemoryUnavailableError, match="another process"):
        await memory.recall(SYMPTOMS, CONFIG)


async def test_a_file_works_without_any_server(tmp_path: Path) -> None:
    memory = MilvusMemory(MilvusSettings(uri=str(tmp_path / "memory.db")))
    await memory.remember(an_incident())
    assert len(await memory.recall(OTHER_WORDING, CONFIG)) == 1
    await memory.close()


@pytest.mark.parametrize(
    "uri", ["http://127.0.0.1:1", "http://user:hunter2@127.0.0.1:1"], ids=["nobody there", "with a secret"]
)
async def test_nobody_there_is_unavailable_and_tells_no_secret(uri: str) -> None:
    memory = MilvusMemory(MilvusSettings(uri=uri))
    with pytest.raises(MemoryUnavailableError) as caught:
        await memory.remember(an_incident())
    assert "hunter2" not in str(caught.value)


async def test_a_collection_of_somebody_else_is_left_alone(milvus: MilvusLite, memory: MilvusMemory) -> None:
    from pymilvus import MilvusClient  # noqa: PLC0415 - 2 s of import that only this test needs here

    client = MilvusClient(milvus.uri)
    client.create_collection("theirs", dimension=8)
    with pytest.raises(MemoryUnavailableError, match="OPSMEND_MILVUS__COLLECTION"):
        await MilvusMemory(MilvusSettings(uri=milvus.uri, collection="theirs")).remember(an_incident())
    client.close()


def test_no_address_is_a_mistake_of_the_configuration() -> None:
    with pytest.raises(SettingsError, match="OPSMEND_MILVUS__URI"):
        MilvusMemory(MilvusSettings())


async def test_what_is_forgotten_is_not_recalled_and_its_neighbour_is(memory: MilvusMemory) -> None:
    for run_id in ("run-1", "run-2"):
        await memory.remember(an_incident(run_id=run_id))
    await memory.forget("run-1")
    await memory.forget("run-1")
    assert [found.run_id for found in await memory.recall(SYMPTOMS, CONFIG)] == ["run-2"]


@pytest.mark.parametrize("run_id", ['" or run_id != "', "run-1' or '1'=='1", "never-there", ""])
async def test_a_run_id_of_any_shape_forgets_nothing_else(memory: MilvusMemory, run_id: str) -> None:
    await memory.remember(an_incident(run_id="run-1"))
    await memory.forget(run_id)
    assert [found.run_id for found in await memory.recall(SYMPTOMS, CONFIG)] == ["run-1"]
