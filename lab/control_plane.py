"""etcd, the API server, controllers and the scheduler."""

import secrets
import ssl
import urllib.request
from urllib.error import HTTPError, URLError

from lab.daemons import Daemons
from lab.pki import Pki
from lab.places import (
    API_URL,
    CONFIG,
    ETCD_PEER_URL,
    ETCD_URL,
    NODE_IP,
    SERVICE_CIDR,
    Places,
)


def start_control_plane(places: Places, daemons: Daemons, pki: Pki, bin_path: str) -> None:
    """Returns once the API server says that it is ready."""
    daemons.start(
        "etcd",
        [
            f"{bin_path}/etcd",
            f"--data-dir={places.state}/etcd",
            f"--listen-client-urls={ETCD_URL}",
            f"--advertise-client-urls={ETCD_URL}",
            f"--listen-peer-urls={ETCD_PEER_URL}",
            f"--initial-advertise-peer-urls={ETCD_PEER_URL}",
            f"--initial-cluster=default={ETCD_PEER_URL}",
            # A lab that loses power is made anew.
            "--unsafe-no-fsync",
        ],
    )
    start_api_server(places, daemons, pki, bin_path)
    daemons.start(
        "kube-controller-manager",
        [
            f"{bin_path}/kube-controller-manager",
            f"--kubeconfig={pki.kubeconfig('controller-manager')}",
            f"--service-account-private-key-file={pki.service_account_key}",
            f"--root-ca-file={pki.ca}",
            "--use-service-account-credentials=true",
            "--leader-elect=false",
            "--secure-port=0",
            # Minutes in production; drills wait for what follows from these.
            "--node-monitor-grace-period=20s",
            "--node-monitor-period=2s",
            "--horizontal-pod-autoscaler-sync-period=5s",
            "--horizontal-pod-autoscaler-cpu-initialization-period=15s",
            "--horizontal-pod-autoscaler-initial-readiness-delay=5s",
        ],
    )
    daemons.start(
        "kube-scheduler",
        [
            f"{bin_path}/kube-scheduler",
            f"--kubeconfig={pki.kubeconfig('scheduler')}",
            "--leader-elect=false",
            "--secure-port=0",
        ],
    )


def start_api_server(places: Places, daemons: Daemons, pki: Pki, bin_path: str) -> None:
    """Alone, because drills restart it."""
    certificate, key = pki.server
    proxy_certificate, proxy_key = pki.front_proxy
    daemons.start(
        "kube-apiserver",
        [
            f"{bin_path}/kube-apiserver",
            f"--etcd-servers={ETCD_URL}",
            f"--bind-address={NODE_IP}",
            f"--advertise-address={NODE_IP}",
            f"--secure-port={API_URL.rpartition(':')[2]}",
            f"--tls-cert-file={certificate}",
            f"--tls-private-key-file={key}",
            f"--token-auth-file={pki.tokens}",
            "--service-account-issuer=https://kubernetes.default.svc",
            f"--service-account-key-file={pki.service_account_key}",
            f"--service-account-signing-key-file={pki.service_account_key}",
            "--authorization-mode=Node,RBAC",
            f"--service-cluster-ip-range={SERVICE_CIDR}",
            # The node's name is known to no DNS, and logs and exec go to the node.
            "--kubelet-preferred-address-types=InternalIP",
            f"--audit-policy-file={CONFIG}/audit-policy.yaml",
            f"--audit-log-path={places.audit_log}",
            "--audit-log-mode=blocking",
            f"--requestheader-client-ca-file={pki.ca}",
            "--requestheader-allowed-names=front-proxy-client",
            "--requestheader-extra-headers-prefix=X-Remote-Extra-",
            "--requestheader-group-headers=X-Remote-Group",
            "--requestheader-username-headers=X-Remote-User",
            f"--proxy-client-cert-file={proxy_certificate}",
            f"--proxy-client-key-file={proxy_key}",
            # Straight to the endpoint: there is no kube-proxy below the API server itself.
            "--enable-aggregator-routing=true",
            "--event-ttl=1h",
        ],
    )
    daemons.until("kube-apiserver", lambda: api_answers(pki))


def api_answers(pki: Pki) -> bool:
    """Whether /readyz is ok."""
    request = urllib.request.Request(f"{API_URL}/readyz", headers={"Authorization": f"Bearer {pki.token('admin').read_text()}"})
    context = ssl.create_default_context(cafile=str(pki.ca))
    try:
        with urllib.request.urlopen(request, timeout=2, context=context) as answer:
            return bool(answer.status == 200)
    except (HTTPError, URLError, OSError):
        return False


def make_webhook_token(places: Places) -> None:
    """Kept over restarts: opsmend may run on while the lab is started again."""
    if not places.webhook_token.exists():
        places.webhook_token.touch(mode=0o600)
        places.webhook_token.write_text(secrets.token_urlsafe(32))
