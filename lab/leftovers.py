"""What a lab leaves in the machine besides processes, and taking it away: mounts, interfaces, addresses, firewall rules."""

import os
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import psutil

from lab.places import BRIDGE, NODE_IP, Places

_CGROUP: Final = "kubepods"
"""The kubelet's own name for the control group of all pods."""


def leftovers(places: Places) -> list[str]:
    """One line for each thing that is still there; empty when the machine is as before."""
    found = [f"process {p.pid} {' '.join(p.cmdline()[:3])}" for p in _processes(places)]
    found += [f"mount {mount}" for mount in _mounts(places)]
    found += [f"interface {BRIDGE}" for _ in range(_shows("ip", "link", "show", BRIDGE))]
    found += [f"address {NODE_IP} on lo" for _ in range(f" {NODE_IP}/" in _output("ip", "addr", "show", "dev", "lo"))]
    found += [f"firewall chain {chain} of table {table}" for table, chain in _firewall_chains()]
    found += [f"control group {group}" for group in _control_groups()]
    return found


def clear_leftovers(places: Places, kube_proxy: Path) -> None:
    """Take it all away. Safe to repeat, and after any crash."""
    for process in _processes(places):
        process.kill()
    psutil.wait_procs(list(_processes(places)), timeout=10)
    # The newest mounts lie on older ones.
    mounts = _mounts(places)
    for mount in reversed(mounts):
        subprocess.run(["umount", "--lazy", mount], check=False)
    for mount in mounts:
        if mount.startswith("/run/netns/"):
            Path(mount).unlink(missing_ok=True)
    if _shows("ip", "link", "show", BRIDGE):
        subprocess.run(["ip", "link", "delete", BRIDGE], check=True)
    if f" {NODE_IP}/" in _output("ip", "addr", "show", "dev", "lo"):
        subprocess.run(["ip", "addr", "delete", f"{NODE_IP}/32", "dev", "lo"], check=True)
    if kube_proxy.exists() and list(_firewall_chains()):
        subprocess.run([str(kube_proxy), "--cleanup"], capture_output=True, check=False)
    _clear_firewall()
    for group in sorted(_control_groups(), key=lambda path: len(path.parts), reverse=True):
        group.rmdir()
    for link in Path("/var/log/containers").glob("*.log"):
        if str(os.readlink(link)).startswith(str(places.state)):
            link.unlink()
    shutil.rmtree(places.containerd_socket.parent, ignore_errors=True)


def _processes(places: Places) -> Iterator[psutil.Process]:
    """Shims and containers: those of our containerd, and what runs in our pods' control groups."""
    for process in psutil.process_iter():
        try:
            if _is_ours(process, places):
                yield process
        except psutil.NoSuchProcess:
            continue


def _is_ours(process: psutil.Process, places: Places) -> bool:
    if any(str(places.containerd_socket) in word for word in process.cmdline()):
        return True
    try:
        return f"/{_CGROUP}" in Path(f"/proc/{process.pid}/cgroup").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False


def _mounts(places: Places) -> list[str]:
    """Mount points below the state folder, and the pods' network namespaces, oldest first; one that bears two, twice."""
    points = [line.split()[1] for line in Path("/proc/mounts").read_text().splitlines()]
    return [
        point
        for point in points
        if point.startswith((str(places.state), str(places.containerd_socket.parent), "/run/netns/cni-"))
    ]


def _control_groups() -> list[Path]:
    root = Path("/sys/fs/cgroup")
    tops = [path for pattern in (_CGROUP, f"*/{_CGROUP}") for path in root.glob(pattern)]
    return [Path(folder) for top in tops for folder, _, _ in os.walk(top)]


def _firewall_chains() -> Iterator[tuple[str, str]]:
    """Table and name of kube-proxy's chains: each begins with KUBE-."""
    for table in ("filter", "nat", "mangle"):
        for line in _output("iptables", "--table", table, "--list-rules").splitlines():
            if line.startswith("-N KUBE-"):
                yield table, line.removeprefix("-N ")


def _clear_firewall() -> None:
    """What kube-proxy's own cleanup leaves: it keeps a chain that it shares with the kubelet."""
    chains = list(_firewall_chains())
    for table, chain in chains:
        for line in _output("iptables", "--table", table, "--list-rules").splitlines():
            if line.startswith("-A ") and f"-j {chain}" in line:
                subprocess.run(["iptables", "--table", table, "-D", *shlex.split(line)[1:]], check=True)
        subprocess.run(["iptables", "--table", table, "--flush", chain], check=True)
    for table, chain in chains:
        subprocess.run(["iptables", "--table", table, "--delete-chain", chain], check=True)


def _shows(*argv: str) -> bool:
    return subprocess.run(argv, capture_output=True, check=False).returncode == 0


def _output(*argv: str) -> str:
    return subprocess.run(argv, capture_output=True, text=True, check=False).stdout
