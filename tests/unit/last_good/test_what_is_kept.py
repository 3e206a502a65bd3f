"""Only healthy workloads of watched namespaces vouch for a configuration, and nothing that looks secret is kept."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.builders import a_crashing_container, a_pod, a_ref, a_snapshot, a_workload
from tests.workflows.fakes import ArtifactsInMemory, LastGoodInMemory

from opsmend.agents.sre.last_good import MOST_CONFIG_MAPS, GoodKeeper, keepable
from opsmend.domain.actions.patch_config import VALUE_LIMIT
from opsmend.domain.last_good import Content
from opsmend.domain.ports.namespaces import ConfigMapSeen, NamespaceSeen
from opsmend.domain.snapshot import ConfigReference, Snapshot
from opsmend.domain.target import ObjectRef
from opsmend.errors import ClusterForbiddenError, ClusterUnavailableError, NotWatchedError, TargetGoneError

CONF = a_ref("ConfigMap", "web-conf")


def now() -> datetime:
    return datetime.now(UTC)


def running(*configs: str, pods: Iterable[Any] | None = None, **changes: Any) -> Snapshot:
    """Deployment shop/web, well for an hour."""
    taken, born = now(), now() - timedelta(hours=1)
    made = (a_pod(created_at=born), a_pod("web-6d4cf-bbbbb", created_at=born)) if pods is None else tuple(pods)
    reads = tuple(ConfigReference(ref=a_ref("ConfigMap", name)) for name in configs or ("web-conf",))
    bare: dict[str, Any] = {"services": (), "revisions": (), "nodes": ()}
    return a_snapshot(**(bare | {"taken_at": taken, "pods": made, "config": reads} | changes))


class Shop:
    """A namespace in which every ConfigMap holds `data`, written two hours ago."""

    def __init__(self, *workloads: Snapshot, data: dict[str, str] | None = None, failing: Exception | None = None) -> None:
        self.workloads_seen = workloads
        self.data = data or {"nginx.conf": "listen 80;"}
        self.failing = failing
        self.read: list[str] = []

    async def workloads(self, cluster: str, namespace: str) -> NamespaceSeen:
        return NamespaceSeen(workloads=self.workloads_seen, api_calls=4)

    async def config_map(self, cluster: str, ref: ObjectRef) -> ConfigMapSeen:
        self.read.append(ref.name)
        if self.failing and ref.name.startswith("bad"):
            raise self.failing
        return ConfigMapSeen(ref=ref, uid=f"uid-{ref.name}", data=self.data, written_at=now() - timedelta(hours=2))


class Keeping:
    def __init__(self, shop: Shop, **settings: Any) -> None:
        self.artifacts = ArtifactsInMemory()
        self.last_good = LastGoodInMemory(self.artifacts)
        self.keeper = GoodKeeper(shop, self.last_good, self.artifacts, **({"namespaces": ["shop"]} | settings))

    async def content(self, name: str = "web-conf") -> Content | None:
        found = await self.last_good.newest(a_ref("ConfigMap", name), f"uid-{name}")
        return found.content if found else None


async def test_what_a_healthy_workload_reads_is_kept() -> None:
    keeping = Keeping(Shop(running()))
    kept = await keeping.keeper.keep("demo", "shop")
    assert await keeping.content() == Content(data={"nginx.conf": "listen 80;"})
    assert (kept.workloads, kept.healthy, kept.config_maps, kept.good, kept.unseen) == (1, 1, 1, 1, ())
    assert kept.api_calls == 5


NOT_WELL = [
    pytest.param({"pods": (a_pod(containers=[a_crashing_container()]),)}, id="crashing"),
    pytest.param({"workload": a_workload(ready_replicas=1)}, id="a replica is missing"),
    pytest.param({"workload": a_workload(paused=True)}, id="paused"),
    pytest.param({"workload": a_workload(generation=4)}, id="its controller has not seen it yet"),
    pytest.param({"workload": a_workload(desired_replicas=0), "pods": ()}, id="scaled to zero"),
    pytest.param({"pods": ()}, id="no pod was seen"),
    pytest.param({"pods": (a_pod(created_at=None), a_pod("b", created_at=None))}, id="pods without an age"),
]


@pytest.mark.parametrize("state", NOT_WELL)
async def test_a_workload_that_is_not_well_vouches_for_nothing_and_its_configuration_is_not_even_read(
    state: dict[str, Any],
) -> None:
    shop = Shop(running(**state))
    kept = await Keeping(shop).keeper.keep("demo", "shop")
    assert (kept.healthy, kept.good, shop.read) == (0, 0, [])


async def test_pods_that_have_just_started_vouch_for_nothing_yet() -> None:
    young = running(pods=[a_pod(created_at=now() - timedelta(seconds=20)), a_pod("b", created_at=now() - timedelta(hours=1))])
    keeping = Keeping(Shop(young), steady_after=timedelta(seconds=30))
    assert (await keeping.keeper.keep("demo", "shop")).healthy == 0


async def test_an_evicted_pod_of_last_week_does_not_hold_the_record_up() -> None:
    evicted = a_pod("web-6d4cf-eeeee", phase="Failed", reason="Evicted", created_at=now() - timedelta(days=7), containers=())
    well = running()
    keeping = Keeping(Shop(well.model_copy(update={"pods": (*well.pods, evicted)})))
    assert (await keeping.keeper.keep("demo", "shop")).good == 1


@pytest.mark.parametrize("namespace", ["kube-system", "pay", ""])
async def test_a_namespace_that_nobody_named_is_never_read(namespace: str) -> None:
    shop = Shop(running())
    with pytest.raises(NotWatchedError, match="OPSMEND_LAST_GOOD__NAMESPACES"):
        await Keeping(shop).keeper.keep("demo", namespace)
    assert shop.read == []


SECRET = [
    pytest.param("db.env", "DB_PASSWORD=hunter2hunter2", id="password"),
    pytest.param("db_password", "correct horse battery staple", id="named so"),
    pytest.param("app.yaml", "upstream:\n  url: postgres://shop:hunter2hunter2@db/shop\n", id="in a url"),
    pytest.param("key.pem", "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqh\n-----END PRIVATE KEY-----\n", id="private key"),
    pytest.param("conf.json", '{"apiKey": "sk-abcdefgh12345678abcdefgh"}', id="json"),
]


@pytest.mark.parametrize(("key", "value"), SECRET)
async def test_a_secret_in_a_value_is_left_out_and_nothing_of_it_is_stored(key: str, value: str) -> None:
    keeping = Keeping(Shop(running(), data={key: value, "nginx.conf": "listen 80;"}))
    await keeping.keeper.keep("demo", "shop")
    kept = await keeping.content()
    assert kept is not None
    assert (kept.data, kept.left_out) == ({"nginx.conf": "listen 80;"}, {key: "it looks as if it held a secret"})
    stored = b"".join(keeping.artifacts.kept.values()) + str(keeping.last_good.records).encode()
    assert value.encode() not in stored
    assert b"hunter2" not in stored


def test_what_one_key_says_of_another_counts() -> None:
    content = keepable(ConfigMapSeen(ref=CONF, uid="u", data={"name": "DB_PASSWORD", "value": "correct horse"}))
    assert (content.data, list(content.left_out)) == ({"name": "DB_PASSWORD"}, ["value"])


def test_a_name_that_holds_a_secret_is_masked_too() -> None:
    seen = ConfigMapSeen(ref=CONF, uid="u", data={"AKIAIOSFODNN7EXAMPLE": "x"}, binary_keys=("AKIAIOSFODNN7EXAMPLE.bin",))
    assert "AKIAIOSFODNN7EXAMPLE" not in keepable(seen).model_dump_json()


LEFT_OUT = [
    pytest.param({"data": {"big": "x" * (VALUE_LIMIT + 1)}}, "big", "more than", id="too large to be written back"),
    pytest.param({"data": {"umlauts": "ü" * VALUE_LIMIT}}, "umlauts", "more than", id="too many bytes"),
    pytest.param({"binary_keys": ("logo.png",)}, "logo.png", "binary", id="binary"),
]


@pytest.mark.parametrize(("fields", "key", "why"), LEFT_OUT)
def test_what_could_not_be_written_back_is_left_out_with_the_reason(fields: dict[str, Any], key: str, why: str) -> None:
    content = keepable(ConfigMapSeen(ref=CONF, uid="u", **fields))
    assert content.data == {}
    assert why in content.left_out[key]


async def test_a_value_is_kept_to_the_last_byte() -> None:
    value = " listen 80;\r\n\tserver_name ü;\n\n"
    keeping = Keeping(Shop(running(), data={"nginx.conf": value}))
    await keeping.keeper.keep("demo", "shop")
    kept = await keeping.content()
    assert kept is not None
    assert kept.data == {"nginx.conf": value}


@pytest.mark.parametrize(
    "failure", [TargetGoneError("it is gone"), ClusterForbiddenError("no"), ClusterUnavailableError("no answer")]
)
async def test_one_config_map_that_cannot_be_read_leaves_the_others_alone(failure: Exception) -> None:
    keeping = Keeping(Shop(running("bad", "web-conf"), failing=failure))
    kept = await keeping.keeper.keep("demo", "shop")
    assert await keeping.content() is not None
    assert kept.config_maps == 1
    assert kept.unseen == (f"ConfigMap shop/bad: {failure}",)


async def test_what_two_workloads_share_is_read_once() -> None:
    other = running(target=a_snapshot().target.model_copy(update={"name": "api"}))
    shop = Shop(running(), other)
    await Keeping(shop).keeper.keep("demo", "shop")
    assert shop.read == ["web-conf"]


async def test_a_namespace_with_too_many_is_looked_at_in_part_and_says_so() -> None:
    shop = Shop(running(*(f"c{n}" for n in range(MOST_CONFIG_MAPS + 1))))
    kept = await Keeping(shop).keeper.keep("demo", "shop")
    assert len(shop.read) == MOST_CONFIG_MAPS
    assert f"only {MOST_CONFIG_MAPS} of {MOST_CONFIG_MAPS + 1}" in kept.unseen[0]


async def test_the_result_stays_small_whatever_fails() -> None:
    shop = Shop(running(*(f"bad-{n}" for n in range(100))), failing=ClusterUnavailableError("x" * 5000))
    kept = await Keeping(shop).keeper.keep("demo", "shop")
    assert len(kept.model_dump_json()) < 4000
