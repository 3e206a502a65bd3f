"""Where everything of the lab lies, and the loopback addresses on which it answers."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

HERE: Final = Path(__file__).parent
GO_MODULES: Final = HERE / "go"
CONFIG: Final = HERE / "config"

NODE: Final = "node1"
NODE_IP: Final = "10.243.0.1"
"""Added to `lo` while the lab runs: a kubelet does not take a loopback address for its node."""
POD_CIDR: Final = "10.244.0.0/24"
SERVICE_CIDR: Final = "10.96.0.0/16"
API_SERVICE_IP: Final = "10.96.0.1"
BRIDGE: Final = "opsmend-lab0"

REGISTRY: Final = "registry.lab"
REGISTRY_URL: Final = f"http://{NODE_IP}:5000"
"""Where containerd asks for images of that name."""

API_URL: Final = f"https://{NODE_IP}:16443"
ETCD_URL: Final = "http://127.0.0.1:12379"
ETCD_PEER_URL: Final = "http://127.0.0.1:12380"
PROMETHEUS_URL: Final = "http://127.0.0.1:19090"
ALERTMANAGER_URL: Final = "http://127.0.0.1:19093"
BLACKBOX_URL: Final = "http://127.0.0.1:19115"
STATE_METRICS_URL: Final = "http://127.0.0.1:18081"
OPSMEND_URL: Final = "http://127.0.0.1:17080"
"""Where Alertmanager sends its webhooks: start opsmend there."""


@dataclass(frozen=True)
class Places:
    """`cache` outlives the lab (what was built and fetched); `state` is all of one running lab and goes with it."""

    cache: Path
    state: Path

    @property
    def kubeconfig(self) -> Path:
        """The administrator's."""
        return self.state / "kubeconfig"

    @property
    def kubernetes(self) -> Path:
        """Which minor version of it this lab is."""
        return self.state / "kubernetes"

    @property
    def webhook_token(self) -> Path:
        """What Alertmanager shows to opsmend: OPSMEND_API_TOKEN."""
        return self.state / "webhook-token"

    @property
    def logs(self) -> Path:
        return self.state / "logs"

    @property
    def audit_log(self) -> Path:
        """Every request that kube-apiserver answered, a JSON object a line."""
        return self.state / "audit.log"

    @property
    def containerd_socket(self) -> Path:
        """Not below `state`: the path of a socket may have 107 characters."""
        return Path("/run/opsmend-lab/containerd.sock")


def places() -> Places:
    """The cache follows XDG_CACHE_HOME; the state is in the checkout."""
    caches = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return Places(cache=caches / "opsmend-lab", state=HERE.parent / ".opsmend" / "lab")
