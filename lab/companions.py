"""What stands beside the cluster: DNS, kube-state-metrics, metrics-server, and kwok for nodes that are only pretended."""

from lab.daemons import Daemons
from lab.kube import Kube
from lab.node import fill_in
from lab.pki import Pki
from lab.places import CONFIG, NODE_IP, STATE_METRICS_URL, Places


def start_companions(places: Places, daemons: Daemons, pki: Pki, bin_path: str, kube: Kube) -> None:
    """All run on the machine itself and reach the API server with tokens of their own."""
    corefile = fill_in("Corefile", places.state / "Corefile", places, KUBECONFIG=pki.kubeconfig("dns"))
    daemons.start("coredns", [f"{bin_path}/coredns", "-conf", corefile])
    port = STATE_METRICS_URL.rpartition(":")[2]
    daemons.start(
        "kube-state-metrics",
        [
            f"{bin_path}/kube-state-metrics",
            f"--kubeconfig={pki.kubeconfig('state-metrics')}",
            "--host=127.0.0.1",
            f"--port={port}",
            "--telemetry-host=127.0.0.1",
            f"--telemetry-port={int(port) + 1}",
        ],
    )
    holder = pki.kubeconfig("metrics-server")
    certificate, key = pki.server
    daemons.start(
        "metrics-server",
        [
            f"{bin_path}/metrics-server",
            f"--kubeconfig={holder}",
            f"--authentication-kubeconfig={holder}",
            f"--authorization-kubeconfig={holder}",
            f"--bind-address={NODE_IP}",
            "--secure-port=14443",
            f"--tls-cert-file={certificate}",
            f"--tls-private-key-file={key}",
            "--kubelet-insecure-tls",
            "--kubelet-preferred-address-types=InternalIP",
            "--metric-resolution=10s",
            "--kubelet-request-timeout=5s",
        ],
    )
    kube.apply(CONFIG / "metrics-server.yaml", NODE_IP=NODE_IP)
    start_kwok(daemons, pki, bin_path, "fake", port=10247)


def start_kwok(daemons: Daemons, pki: Pki, bin_path: str, pool: str, port: int) -> None:
    """Keeps the nodes that say `kwok.x-k8s.io/node: <pool>` alive, as long as it lives itself (daemon `kwok-<pool>`)."""
    daemons.start(
        f"kwok-{pool}",
        [
            f"{bin_path}/kwok",
            f"--config={CONFIG}/kwok.yaml",
            f"--kubeconfig={pki.kubeconfig('kwok')}",
            "--manage-all-nodes=false",
            f"--manage-nodes-with-annotation-selector=kwok.x-k8s.io/node={pool}",
            "--node-lease-duration-seconds=20",
            f"--node-ip={NODE_IP}",
            f"--server-address=127.0.0.1:{port}",
        ],
    )
