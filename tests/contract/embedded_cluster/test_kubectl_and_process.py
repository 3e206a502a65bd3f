"""kubectl works against it, and it runs as a process of its own that rests while nothing happens."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
import yaml
from tests.contract.embedded_cluster.conftest import Login
from tests.contract.embedded_cluster.kube import Kube, eventually
from tests.contract.embedded_cluster.manifests import a_config_map, a_deployment

from opsmend_cluster.server import write_kubeconfig

KUBECTL = Path(sys.executable).with_name("kubectl")
Kubectl = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def kubectl(kube: Kube, tmp_path: Path) -> Kubectl:
    config = write_kubeconfig(tmp_path / "kubeconfig", kube.url)
    environment = {"HOME": str(tmp_path), "KUBECONFIG": str(config), "PATH": os.environ["PATH"]}

    def run(*arguments: str, given: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [KUBECTL, *arguments], env=environment, input=given, capture_output=True, text=True, timeout=30, check=False
        )

    return run


def test_kubectl_shows_describes_and_logs(kube: Kube, kubectl: Kubectl) -> None:
    kube.deploy(a_deployment(replicas=2))
    kube.healthy(2)
    table = kubectl("get", "deployments,pods").stdout
    assert "deployment.apps/web   2/2     2            2" in table
    assert table.count("1/1     Running") == 2
    described = kubectl("describe", "deployment", "web").stdout
    assert "Scaled up replica set web-" in described
    assert "MinimumReplicasAvailable" in described
    assert "ready for start up" in kubectl("logs", "deployment/web").stdout


def test_kubectl_applies_diffs_scales_and_undoes(kube: Kube, kubectl: Kubectl) -> None:
    kubectl("apply", "-f", "-", given=yaml.safe_dump(a_config_map(a="1")))
    changed = yaml.safe_dump(a_config_map(a="2"), sort_keys=False)
    assert '+  a: "2"' in kubectl("diff", "-f", "-", given=changed).stdout
    assert "configured" in kubectl("apply", "-f", "-", given=changed).stdout
    assert "unknown field" in kubectl("apply", "-f", "-", given=changed.replace("\ndata:", "\ndta:")).stderr
    kube.deploy(a_deployment())
    assert "scaled" in kubectl("scale", "deployment/web", "--replicas=2").stdout
    kubectl("set", "image", "deployment/web", "app=nginx:1.28.0")
    assert "successfully rolled out" in kubectl("rollout", "status", "deployment/web", "--timeout=20s").stdout
    assert "rolled back" in kubectl("rollout", "undo", "deployment/web").stdout
    assert kube.healthy(2).spec.template.spec.containers[0].image == "nginx:1.27.1"


def test_kubectl_is_told_what_is_lacking(kube: Kube, kubectl: Kubectl) -> None:
    kube.deploy(a_deployment())
    kube.healthy()
    answer = kubectl("exec", "deployment/web", "--", "ls")
    assert answer.returncode != 0
    assert "pods/exec is lacking" in answer.stderr


@pytest.fixture
def process(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "opsmend_cluster", "--ready-file", str(tmp_path / "url"),
               "--kubeconfig", str(tmp_path / "kubeconfig"), "--seed-shop"]  # fmt: skip
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as started:
        yield started
        started.terminate()


def test_process_says_when_it_is_ready_rests_and_stops(process: subprocess.Popen[str], login: Login, tmp_path: Path) -> None:
    assert process.stdout is not None
    line = process.stdout.readline()
    url = (tmp_path / "url").read_text().strip()
    assert line == f"ready {url}\n"
    kube = login(url, "")
    eventually(lambda: kube.apps.read_namespaced_deployment("web", "shop").status.ready_replicas == 3)

    def resting() -> bool:
        return psutil.Process(process.pid).cpu_percent(interval=0.5) < 3

    eventually(resting)
    process.terminate()
    assert process.wait(10) == 0
