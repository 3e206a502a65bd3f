"""Whether this machine can run the lab. If not, one sentence says why and what serves instead."""

import os
import platform
import shutil
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

INSTEAD: Final = (
    "Any other cluster (kind, k3d, a development cluster) with Prometheus and Alertmanager serves instead: docs/lab.md."
)

_TOOLS: Final = ("ip", "iptables", "mount", "umount", "unshare", "apt-get", "dpkg-deb")
_CONTROLLERS: Final = ("cpu", "memory", "pids")
_PROBE: Final = "opsmend-probe0"
_GIGABYTES: Final = 15
"""Go's caches and modules take twelve, what is built and unpacked two, containers and etcd the rest."""


def what_is_missing() -> str | None:
    """One sentence, or None where the lab may run."""
    if platform.system() != "Linux" or platform.machine() != "x86_64":
        return f"The lab needs Linux on x86_64, and this is {platform.system()} on {platform.machine()}."
    if os.geteuid() != 0:
        return "The lab needs root: a kubelet mounts volumes and makes control groups and network interfaces."
    missing = [tool for tool in _TOOLS if shutil.which(tool) is None]
    if missing:
        packages = "iproute2, iptables, mount, util-linux, apt, dpkg"
        return f"The lab needs a Debian-like system with {', '.join(missing)} (packages {packages})."
    absent = [name for name in _CONTROLLERS if name not in _controllers()]
    if absent:
        return f"The kernel offers no control group for {', '.join(absent)}, which a kubelet needs."
    return None


def what_does_not_work(state: Path) -> str | None:
    """As `what_is_missing`, but found out by trying it: what kernel and rights allow, where the lab keeps its `state`."""
    return _no_interfaces() or _no_namespaces() or _no_firewall() or _no_overlay(state) or _no_room(state)


def _controllers() -> set[str]:
    """Names of cgroup controllers, of version 2 or 1."""
    unified = Path("/sys/fs/cgroup/cgroup.controllers")
    if unified.exists():
        return set(unified.read_text().split())
    return {entry.name for entry in Path("/sys/fs/cgroup").iterdir()} if Path("/sys/fs/cgroup").is_dir() else set()


def _no_interfaces() -> str | None:
    refused = _refused("ip", "link", "add", _PROBE, "type", "bridge")
    if refused:
        return f"No network bridge can be made here ({refused}), and pods need one."
    subprocess.run(["ip", "link", "delete", _PROBE], check=True)
    return None


def _no_namespaces() -> str | None:
    # Not by `ip netns add`, which mounts /run/netns over itself and leaves it so.
    refused = _refused("unshare", "--net", "true")
    return f"No network namespace can be made here ({refused}), and each pod needs one." if refused else None


def _no_firewall() -> str | None:
    refused = _refused("iptables", "--table", "nat", "--list-rules")
    return f"The firewall cannot be changed here ({refused}), and Services are made of its rules." if refused else None


def _no_overlay(state: Path) -> str | None:
    state.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with TemporaryDirectory(dir=state.parent) as folder:
        below, above, work, merged = (Path(folder) / name for name in ("below", "above", "work", "merged"))
        for path in (below, above, work, merged):
            path.mkdir()
        options = f"lowerdir={below},upperdir={above},workdir={work}"
        refused = _refused("mount", "-t", "overlay", "overlay", "-o", options, str(merged))
        if refused:
            return f"No overlay file system can be mounted in {state.parent} ({refused}), and containers are made of them."
        subprocess.run(["umount", str(merged)], check=True)
    return None


def _no_room(state: Path) -> str | None:
    free = shutil.disk_usage(state.parent).free / 1e9
    return f"The lab needs {_GIGABYTES} GB of disk, and {state.parent} has {free:.0f} left." if free < _GIGABYTES else None


def _refused(*command: str) -> str:
    """What the command complained of; empty when it succeeded."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return (done.stderr.strip() or f"exit code {done.returncode}") if done.returncode else ""
