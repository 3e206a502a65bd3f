"""What a container said before it was started again."""

from typing import Any

from tests.contract.api_server.answers import refused
from tests.contract.api_server.pods import a_waiting_pod, until_pods_are_taken
from tests.contract.api_server.sides import Side, adapter
from tests.contract.embedded_cluster.kube import Kube, eventually
from tests.contract.embedded_cluster.manifests import a_container, a_deployment
from tests.integration.outside.waiting import eventually as until

from opsmend.adapters.kubernetes.reader import KubernetesReader
from opsmend.domain.target import Kind, Target

LAST_WORDS = "no such host"


def crashing(kube: Kube) -> Any:
    """A pod whose container has crashed and was started again."""
    container = a_container(kube.image, env=[{"name": "FAIL_WITH", "value": LAST_WORDS}])
    kube.deploy(a_deployment(container=container, terminationGracePeriodSeconds=0))

    def restarted() -> Any:
        return next((p for p in kube.pods() if any(c.restart_count for c in p.status.container_statuses or ())), None)

    return eventually(restarted)


def previous(kube: Kube, pod: str, **more: Any) -> Any:
    return kube.core.read_namespaced_pod_log(pod, kube.namespace, previous=True, **more)


def test_crashed_container_is_heard_after_it_was_started_again(kube: Kube) -> None:
    pod = crashing(kube)
    # A node that has just cleaned the container away which the status names says so, with 200, until the status follows.
    eventually(lambda: LAST_WORDS in previous(kube, pod.metadata.name))
    eventually(lambda: previous(kube, pod.metadata.name, tail_lines=1).count("\n") == 1)
    ended = kube.core.read_namespaced_pod(pod.metadata.name, kube.namespace).status.container_statuses[0].last_state.terminated
    assert (ended.exit_code, ended.reason) == (1, "Error")


async def test_snapshot_of_a_crashing_workload_holds_its_last_words(side: Side) -> None:
    crashing(side.kube)
    target = Target(cluster="lab", kind=Kind.DEPLOYMENT, namespace=side.kube.namespace, name="web")
    async with adapter(side) as connection:

        async def heard() -> str | None:
            (pod,) = (await KubernetesReader(connection).snapshot(target)).pods
            said = pod.containers[0].log + pod.containers[0].previous_log
            return said if LAST_WORDS in said else None

        await until(heard, "the last words in a snapshot")


def test_container_that_never_restarted_has_no_previous_log(kube: Kube) -> None:
    kube.deploy(a_deployment(container=a_container(kube.image)))
    kube.healthy()
    name = kube.pods()[0].metadata.name
    status = refused(previous, kube, name)
    assert (status["code"], status["reason"]) == (400, "BadRequest")
    assert status["message"] == f'previous terminated container "app" in pod "{name}" not found'


def test_previous_log_of_a_container_or_pod_that_is_not_there_says_so(kube: Kube) -> None:
    kube.deploy(a_deployment(container=a_container(kube.image)))
    kube.healthy()
    name = kube.pods()[0].metadata.name
    status = refused(previous, kube, name, container="sidecar")
    assert (status["code"], status["message"]) == (400, f"container sidecar is not valid for pod {name}")
    assert refused(previous, kube, "gone")["code"] == 404


def test_pod_without_a_node_has_an_empty_log(kube: Kube) -> None:
    until_pods_are_taken(kube)
    kube.core.create_namespaced_pod(kube.namespace, a_waiting_pod(kube, "waiting", "web"))
    assert not kube.core.read_namespaced_pod_log("waiting", kube.namespace)
    assert not previous(kube, "waiting")
