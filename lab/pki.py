"""Certificates, keys and tokens of one lab, made anew for each: nothing of them is worth keeping."""

import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import trustme
import yaml

from lab.places import API_SERVICE_IP, API_URL, NODE, NODE_IP

USERS: Final = {
    "admin": ("admin", "system:masters"),
    "controller-manager": ("system:kube-controller-manager", ""),
    "scheduler": ("system:kube-scheduler", ""),
    "kubelet": (f"system:node:{NODE}", "system:nodes"),
    "proxy": ("system:kube-proxy", ""),
    # What watches the cluster from outside of it. They are not what is tested, so they may do everything.
    "dns": ("lab:dns", "system:masters"),
    "state-metrics": ("lab:state-metrics", "system:masters"),
    "metrics-server": ("lab:metrics-server", "system:masters"),
    "prometheus": ("lab:prometheus", "system:masters"),
    "kwok": ("lab:kwok", "system:masters"),
}
"""Holder of a token → user and group in Kubernetes."""


@dataclass(frozen=True)
class Pki:
    """Files below `folder`; see the properties."""

    folder: Path

    @property
    def ca(self) -> Path:
        return self.folder / "ca.crt"

    @property
    def server(self) -> tuple[Path, Path]:
        """Certificate and key of the API server."""
        return self.folder / "server.crt", self.folder / "server.key"

    @property
    def front_proxy(self) -> tuple[Path, Path]:
        """Certificate and key by which the API server introduces itself to metrics-server."""
        return self.folder / "front-proxy.crt", self.folder / "front-proxy.key"

    @property
    def service_account_key(self) -> Path:
        """Signs and checks the tokens of ServiceAccounts."""
        return self.server[1]

    @property
    def tokens(self) -> Path:
        """The API server's --token-auth-file."""
        return self.folder / "tokens.csv"

    def kubeconfig(self, holder: str) -> Path:
        return self.folder / f"{holder}.kubeconfig"

    def token(self, holder: str) -> Path:
        return self.folder / f"{holder}.token"


def make_pki(folder: Path) -> Pki:
    """All files, unless they are there."""
    pki = Pki(folder)
    if pki.tokens.exists():
        return pki
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    authority = trustme.CA(key_type=trustme.KeyType.RSA)
    authority.cert_pem.write_to_path(str(pki.ca))
    names = (NODE_IP, API_SERVICE_IP, "127.0.0.1", "localhost", "kubernetes.default.svc")
    _issue(authority, pki.server, *names)
    _issue(authority, pki.front_proxy, "front-proxy-client", common_name="front-proxy-client")
    lines = []
    for holder, (user, group) in USERS.items():
        token = secrets.token_hex(24)
        lines.append(f'{token},{user},{user},"{group}"\n')
        _write_secret(pki.token(holder), token)
        _write_secret(pki.kubeconfig(holder), yaml.safe_dump(kubeconfig_for(pki, token)))
    _write_secret(pki.tokens, "".join(lines))
    return pki


def kubeconfig_for(pki: Pki, token: str) -> dict[str, Any]:
    """Whoever holds `token`, at the lab's API server."""
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "lab",
        "clusters": [{"name": "lab", "cluster": {"server": API_URL, "certificate-authority": str(pki.ca)}}],
        "users": [{"name": "holder", "user": {"token": token}}],
        "contexts": [{"name": "lab", "context": {"cluster": "lab", "user": "holder"}}],
    }


def _issue(authority: trustme.CA, to: tuple[Path, Path], *names: str, common_name: str | None = None) -> None:
    issued = authority.issue_cert(*names, common_name=common_name, key_type=trustme.KeyType.RSA)
    certificate, key = to
    certificate.write_bytes(b"".join(pem.bytes() for pem in issued.cert_chain_pems))
    _write_secret(key, issued.private_key_pem.bytes().decode())


def _write_secret(path: Path, content: str) -> None:
    path.touch(mode=0o600)
    path.write_text(content)
