"""The one real node: its address, containerd with our images and a registry, kubelet, kube-proxy."""

import os
import subprocess
from collections.abc import Iterable
from pathlib import Path
from string import Template
from typing import Final

from lab.daemons import Daemons
from lab.errors import LabError
from lab.images import PAUSE
from lab.packages import NODE_PACKAGES, search_path, unpacked
from lab.pki import Pki
from lab.places import BRIDGE, CONFIG, NODE, NODE_IP, POD_CIDR, REGISTRY, REGISTRY_URL, Places

CONTAINERD_NAMESPACE: Final = "k8s.io"
"""containerd's own name for what a kubelet runs."""


def add_address() -> None:
    """The node's address on `lo`, and forwarding, without which a pod reaches no Service."""
    shown = subprocess.run(["ip", "addr", "show", "dev", "lo"], capture_output=True, text=True, check=True).stdout
    if f" {NODE_IP}/" not in shown:
        subprocess.run(["ip", "addr", "add", f"{NODE_IP}/32", "dev", "lo"], check=True)


def fill_in(name: str, to: Path, places: Places, **more: object) -> Path:
    """The template `name` of config/ with the places of this lab, written to `to`."""
    values = {
        "STATE": places.state,
        "SOCKET": places.containerd_socket,
        "NODE_IP": NODE_IP,
        "BRIDGE": BRIDGE,
        "POD_CIDR": POD_CIDR,
        **more,
    }
    to.parent.mkdir(parents=True, exist_ok=True)
    to.write_text(Template((CONFIG / name).read_text()).substitute(values))
    return to


def start_containerd(places: Places, daemons: Daemons, images: Iterable[Path]) -> None:
    """Returns once containerd has all `images`."""
    plugins = unpacked(places.cache, "containernetworking-plugins") / "usr" / "lib" / "cni"
    config = fill_in("containerd.toml", places.state / "containerd.toml", places, PAUSE=PAUSE, CNI_PLUGINS=plugins)
    fill_in("cni.conflist", places.state / "cni" / "10-bridge.conflist", places)
    fill_in("hosts.toml", places.state / "registries" / REGISTRY / "hosts.toml", places, REGISTRY_URL=REGISTRY_URL)
    registry = fill_in("registry.yml", places.state / "registry.yml", places)
    environment = node_environment(places)
    daemons.start("docker-registry", [unpacked(places.cache, "docker-registry") / "usr/bin/docker-registry", "serve", registry])
    daemons.start("containerd", ["containerd", "--config", config], environment)
    daemons.until("containerd", lambda: _ctr(places, "version").returncode == 0)
    known = _ctr(places, "images", "list", "--quiet").stdout.split()
    for archive in images:
        marker = places.state / "imported" / archive.name
        if not marker.exists() or not known:
            done = _ctr(places, "images", "import", str(archive))
            if done.returncode:
                raise LabError(f"containerd does not take {archive.name}: {done.stderr.strip()[-300:]}")
            marker.parent.mkdir(parents=True, exist_ok=True)
            marker.touch()


def node_environment(places: Places) -> dict[str, str]:
    """PATH and libraries with what was unpacked first."""
    libraries = unpacked(places.cache, "libseccomp2") / "usr" / "lib" / "x86_64-linux-gnu"
    return {
        "PATH": f"{search_path(places.cache, NODE_PACKAGES)}:{os.environ['PATH']}",
        "LD_LIBRARY_PATH": str(libraries),
    }


def start_kubelet(places: Places, daemons: Daemons, pki: Pki, bin_path: str) -> None:
    config = fill_in("kubelet.yaml", places.state / "kubelet.yaml", places)
    daemons.start(
        "kubelet",
        [
            f"{bin_path}/kubelet",
            f"--config={config}",
            f"--kubeconfig={pki.kubeconfig('kubelet')}",
            f"--hostname-override={NODE}",
            f"--root-dir={places.state}/kubelet",
            f"--node-ip={NODE_IP}",
        ],
        node_environment(places),
    )
    daemons.start(
        "kube-proxy",
        [
            f"{bin_path}/kube-proxy",
            f"--kubeconfig={pki.kubeconfig('proxy')}",
            f"--hostname-override={NODE}",
            f"--cluster-cidr={POD_CIDR}",
            # The kernel's own limit stands: it is the machine's, not the lab's.
            "--conntrack-max-per-core=0",
            "--proxy-mode=iptables",
            f"--healthz-bind-address={NODE_IP}:10256",
            f"--metrics-bind-address={NODE_IP}:10249",
        ],
    )


def push_image(places: Places, image: str, name: str) -> None:
    """Put `image`, which the node has, into the lab's registry as `name`."""
    reference = name.replace(REGISTRY, REGISTRY_URL.removeprefix("http://"))
    for arguments in (("tag", "--force", image, reference), ("push", "--plain-http", reference)):
        done = _ctr(places, "images", *arguments)
        if done.returncode:
            raise LabError(f"{image} could not be pushed as {name}: {done.stderr.strip()[-300:]}")


def stop_containers(places: Places) -> None:
    """SIGKILL to what runs in every pod: shims that are left would hold mounts and processes."""
    for task in _ctr(places, "tasks", "list", "--quiet").stdout.split():
        _ctr(places, "tasks", "kill", "--signal", "SIGKILL", task)


def _ctr(places: Places, *arguments: str) -> subprocess.CompletedProcess[str]:
    argv = ["ctr", "--address", str(places.containerd_socket), "--namespace", CONTAINERD_NAMESPACE, *arguments]
    environment = {**os.environ, **node_environment(places)}
    return subprocess.run(argv, env=environment, capture_output=True, text=True, check=False, timeout=120)
