"""A look at a namespace judges its workloads with few calls, and reads nothing beside what they name."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from tests.contract.kubernetes.api_objects import (
    APPS,
    CORE,
    CRASHING,
    a_deployment,
    a_pod,
    a_template,
    an_object,
    owned_by,
)
from tests.contract.kubernetes.scripted_api import Answer, ScriptedApi, connected

from opsmend.adapters.kubernetes.namespaces import KubernetesNamespaces
from opsmend.adapters.kubernetes.reading import MOST_OBJECTS, PAGE
from opsmend.domain.health import assess
from opsmend.domain.snapshot import Snapshot
from opsmend.domain.target import Kind, ObjectRef
from opsmend.domain.verification import Health
from opsmend.errors import ClusterForbiddenError, OtherClusterError, TargetGoneError

CONF = ObjectRef(kind=Kind.CONFIG_MAP, namespace="shop", name="web-conf")
WELL = {"replicas": 2, "readyReplicas": 2, "updatedReplicas": 2, "availableReplicas": 2, "observedGeneration": 3}


@pytest.fixture
def api() -> ScriptedApi:
    """Deployment web is well, with two pods; the pod of another's ReplicaSet, and one of nobody's, are there too."""
    scripted = ScriptedApi()
    scripted.holds(f"{APPS}/deployments", a_deployment() | {"status": WELL})
    scripted.holds(f"{CORE}/pods", a_pod("web-h2-a"), a_pod("web-h2-b"), a_pod("other", "web-api-h2"), an_orphan())
    config = an_object("web-conf", data={"nginx.conf": "listen 80;", "password": "hunter2hunter2"}, binaryData={"logo": "AA=="})
    config["metadata"]["managedFields"] = [{"manager": "helm", "time": "2026-11-22T09:00:00Z", "fieldsV1": {"f:data": {}}}]
    scripted.holds(f"{CORE}/configmaps", config)
    return scripted


def an_orphan() -> dict[str, object]:
    pod = a_pod("orphan")
    del pod["metadata"]["ownerReferences"]
    return pod


@pytest_asyncio.fixture
async def namespaces(api: ScriptedApi) -> AsyncIterator[KubernetesNamespaces]:
    async with connected(api) as connection:
        yield KubernetesNamespaces(connection)


async def only(namespaces: KubernetesNamespaces) -> Snapshot:
    (snapshot,) = (await namespaces.workloads("test", "shop")).workloads
    return snapshot


async def test_a_workload_is_seen_with_its_own_pods_and_judged_as_everywhere(namespaces: KubernetesNamespaces) -> None:
    snapshot = await only(namespaces)
    assert snapshot.target.ref == ObjectRef(kind=Kind.DEPLOYMENT, namespace="shop", name="web")
    assert [pod.name for pod in snapshot.pods] == ["web-h2-a", "web-h2-b"]
    assert assess(snapshot).health is Health.HEALTHY


async def test_a_crashing_pod_makes_it_unwell(api: ScriptedApi, namespaces: KubernetesNamespaces) -> None:
    api.holds(f"{CORE}/pods", a_pod("web-h2-a"), a_pod("web-h2-b", **CRASHING))
    assert assess(await only(namespaces)).health is Health.UNHEALTHY


async def test_the_config_maps_that_its_template_names_are_named_and_no_secret(
    api: ScriptedApi, namespaces: KubernetesNamespaces
) -> None:
    snapshot = await only(namespaces)
    assert [str(config.ref) for config in snapshot.config] == ["ConfigMap shop/web-conf", "ConfigMap shop/flags"]
    assert not any("secret" in target or "configmap" in target for _, target, _ in api.requests)


async def test_a_namespace_takes_four_calls_and_one_for_each_config_map(
    api: ScriptedApi, namespaces: KubernetesNamespaces
) -> None:
    seen = await namespaces.workloads("test", "shop")
    assert seen.api_calls == len(api.requests) == 4
    await namespaces.config_map("test", CONF)
    assert len(api.requests) == 5


async def test_a_config_map_is_read_as_it_is_with_who_wrote_it(namespaces: KubernetesNamespaces) -> None:
    seen = await namespaces.config_map("test", CONF)
    assert seen.data == {"nginx.conf": "listen 80;", "password": "hunter2hunter2"}
    assert (seen.binary_keys, seen.uid, seen.written_by, str(seen.written_at)) == (
        ("logo",), "uid-web-conf", "helm", "2026-11-22 09:00:00+00:00",
    )  # fmt: skip
    assert "hunter2" not in repr(seen)


@pytest.mark.parametrize("kind", ["statefulsets", "daemonsets"])
async def test_other_workloads_own_their_pods_themselves(api: ScriptedApi, namespaces: KubernetesNamespaces, kind: str) -> None:
    owner = {"statefulsets": "StatefulSet", "daemonsets": "DaemonSet"}[kind]
    pod = a_pod("db-0")
    pod["metadata"]["ownerReferences"] = owned_by(owner, "db")
    api.holds(f"{APPS}/deployments")
    api.holds(f"{APPS}/{kind}", an_object("db", spec={"replicas": 1, "template": a_template()}, status={}))
    api.holds(f"{CORE}/pods", pod, a_pod("web-h2-a"))
    snapshot = await only(namespaces)
    assert [str(snapshot.target.ref), *(pod.name for pod in snapshot.pods)] == [f"{owner} shop/db", "db-0"]


async def test_a_long_list_is_read_page_by_page(api: ScriptedApi, namespaces: KubernetesNamespaces) -> None:
    first = Answer({"items": [a_pod("web-h2-a")], "metadata": {"continue": "next"}})
    api.on(f"{CORE}/pods", first, Answer({"items": [a_pod("web-h2-b")], "metadata": {}}))
    snapshot = await only(namespaces)
    assert [pod.name for pod in snapshot.pods] == ["web-h2-a", "web-h2-b"]
    pages = [target for _, target, _ in api.requests if "/pods" in target]
    assert [f"limit={PAGE}" in page for page in pages] == [True, True]
    assert "continue=next" in pages[1]


async def test_an_endless_list_ends_and_says_so(api: ScriptedApi, namespaces: KubernetesNamespaces) -> None:
    page = Answer({"items": [{"metadata": {"name": "p"}, "spec": {}}] * PAGE, "metadata": {"continue": "more"}})
    api.on(f"{CORE}/pods", page)
    seen = await namespaces.workloads("test", "shop")
    assert seen.unseen == (f"pods: only the first {MOST_OBJECTS} were looked at",)
    assert [assess(snapshot).health for snapshot in seen.workloads] == [Health.INCONCLUSIVE]


async def test_a_kind_that_may_not_be_listed_is_unseen(api: ScriptedApi, namespaces: KubernetesNamespaces) -> None:
    api.on(f"{APPS}/daemonsets", Answer({"message": "no"}, 403))
    seen = await namespaces.workloads("test", "shop")
    assert len(seen.workloads) == 1
    assert seen.unseen[0].startswith("DaemonSets of shop: ")


async def test_without_its_pods_a_namespace_cannot_be_judged(api: ScriptedApi, namespaces: KubernetesNamespaces) -> None:
    api.on(f"{CORE}/pods", Answer({"message": "no"}, 403))
    with pytest.raises(ClusterForbiddenError):
        await namespaces.workloads("test", "shop")


@pytest.mark.parametrize("namespace", ["../kube-system", "shop/../pay", "SHOP", "x?limit=1", ".."])
async def test_a_hostile_namespace_is_never_sent(api: ScriptedApi, namespaces: KubernetesNamespaces, namespace: str) -> None:
    with pytest.raises(TargetGoneError):
        await namespaces.workloads("test", namespace)
    with pytest.raises(TargetGoneError):
        await namespaces.config_map("test", CONF.model_copy(update={"namespace": namespace}))
    assert api.requests == []


async def test_another_cluster_is_left_alone(api: ScriptedApi) -> None:
    async with connected(api, cluster="prod") as connection:
        with pytest.raises(OtherClusterError):
            await KubernetesNamespaces(connection).workloads("test", "shop")
        with pytest.raises(OtherClusterError):
            await KubernetesNamespaces(connection).config_map("test", CONF)
    assert api.requests == []
