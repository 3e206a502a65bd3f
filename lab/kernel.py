"""Kernel settings that the node's parts turn for themselves: remembered before, put back afterwards."""

import json
from pathlib import Path
from typing import Final

from lab.places import Places

SETTINGS: Final = (
    "kernel/keys/root_maxbytes",
    "kernel/keys/root_maxkeys",
    "kernel/panic",
    "kernel/panic_on_oops",
    "net/bridge/bridge-nf-call-iptables",
    "net/ipv4/conf/all/route_localnet",
    "net/ipv4/ip_forward",
    "vm/overcommit_memory",
    "vm/panic_on_oom",
)
"""By the bridge plugin, kube-proxy and the kubelet (pkg/kubelet/cm, setupKernelTunables)."""


def remember(places: Places) -> None:
    """Note how they are, unless a lab that runs or crashed has noted it."""
    note = _note(places)
    if not note.exists():
        note.write_text(json.dumps({name: path.read_text().strip() for name in SETTINGS if (path := _path(name)).exists()}))


def put_back(places: Places) -> None:
    """As they were when the lab was started; nothing where it never was."""
    note = _note(places)
    if note.exists():
        for name, value in json.loads(note.read_text()).items():
            if _differs(name, value):
                _path(name).write_text(value)


def not_put_back(places: Places) -> list[str]:
    """Names of the settings that differ from what was noted."""
    note = _note(places)
    return [name for name, value in json.loads(note.read_text()).items() if _differs(name, value)] if note.exists() else []


def _differs(name: str, value: str) -> bool:
    path = _path(name)
    return path.exists() and path.read_text().strip() != value


def _path(name: str) -> Path:
    return Path("/proc/sys") / name


def _note(places: Places) -> Path:
    return places.state / "kernel-settings.json"
