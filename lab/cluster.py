"""`up`, `down` and `status`: the whole lab in the order in which its parts lean on each other."""

import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from lab import kernel
from lab.binaries import build_binaries
from lab.companions import start_companions
from lab.control_plane import api_answers, make_webhook_token, start_control_plane
from lab.daemons import Daemons
from lab.errors import LabError
from lab.images import build_images
from lab.kube import Kube
from lab.leftovers import clear_leftovers, leftovers
from lab.monitoring import start_monitoring
from lab.node import add_address, start_containerd, start_kubelet, stop_containers
from lab.packages import fetch_packages
from lab.pki import Pki, make_pki
from lab.places import NODE, Places

Tell = Callable[[str], None]


def daemons_of(places: Places) -> Daemons:
    return Daemons(places.state / "daemons", places.logs)


def build(places: Places, kubernetes: str, tell: Tell) -> tuple[Path, list[Path]]:
    """Fetch and make whatever the lab runs that is not in the cache yet: the folder of its programs, and its images.

    Raises:
        LabError: a part could not be built or fetched.
    """
    # Fetching waits for the network and building for the processor, so they go on side by side.
    with ThreadPoolExecutor() as pool:
        fetching = pool.submit(fetch_packages, places.cache, tell)
        binaries = build_binaries(places.cache, kubernetes, tell)
        fetching.result()
    return binaries, build_images(places.cache, tell)


def up(places: Places, kubernetes: str, tell: Tell) -> None:
    """Start whatever does not run yet; returns once the node is ready and everything answers.

    Raises:
        LabError: a part could not be built, fetched or started, or the lab runs in another version than `kubernetes`.
    """
    if places.kubernetes.exists() and (now := places.kubernetes.read_text()) != kubernetes:
        raise LabError(f"The lab is up with Kubernetes {now}, and {kubernetes} was asked for: `make lab-down` first.")
    binaries, images = build(places, kubernetes, tell)
    for folder in (places.state.parent, places.state):
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    places.kubernetes.write_text(kubernetes)
    daemons = daemons_of(places)
    pki = make_pki(places.state / "pki")
    make_webhook_token(places)
    places.kubeconfig.touch(mode=0o600)
    places.kubeconfig.write_text(pki.kubeconfig("admin").read_text())
    kernel.remember(places)
    tell("starting the control plane")
    add_address()
    start_control_plane(places, daemons, pki, str(binaries))
    tell("starting the node")
    start_containerd(places, daemons, images)
    start_kubelet(places, daemons, pki, str(binaries))
    tell("starting DNS, metrics, Prometheus and Alertmanager")
    kube = Kube(places.kubeconfig)
    start_companions(places, daemons, pki, str(binaries), kube)
    start_monitoring(places, daemons, pki, str(binaries))
    tell("waiting for the node")
    daemons.until("kubelet", lambda: _node_ready(kube))


def down(places: Places, tell: Tell) -> list[str]:
    """Stop everything and clear what is left, also after a crash; what could not be cleared."""
    daemons = daemons_of(places)
    tell("stopping the node")
    daemons.stop("kubelet", "kube-proxy", *(name for name in daemons.names() if name.startswith("kwok-")))
    if daemons.running("containerd"):
        stop_containers(places)
    tell("stopping everything else")
    daemons.stop(*daemons.names())
    tell("clearing mounts, interfaces and addresses")
    clear_leftovers(places, places.cache / "bin" / "kube-proxy")
    kernel.put_back(places)
    left = [f"kernel setting {name}" for name in kernel.not_put_back(places)]
    shutil.rmtree(places.state, ignore_errors=True)
    return [*left, *leftovers(places)]


def status(places: Places) -> list[tuple[str, str, float]]:
    """Name, state and memory in MB of each daemon."""
    daemons = daemons_of(places)
    return [(name, "running" if daemons.running(name) else "ended", daemons.memory_mb(name)) for name in daemons.names()]


def is_up(places: Places) -> bool:
    pki = Pki(places.state / "pki")
    return pki.tokens.exists() and api_answers(pki)


def _node_ready(kube: Kube) -> bool:
    asked = kube.attempt("wait", "--for=condition=Ready", f"node/{NODE}", "--timeout=1s")
    return asked.returncode == 0
