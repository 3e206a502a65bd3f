"""A real API server, named by OPSMEND_TEST_KUBECONFIG: a namespace for each test."""

import base64
import json
import os
import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
import yaml
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from kubernetes import client
from tests.contract.api_server.answers import answer_of
from tests.contract.embedded_cluster.kube import Kube, eventually
from urllib3.exceptions import ProtocolError

from lab.pki import Pki

IMAGE = "registry.lab/app:1"
_FLOW_CONTROL = "/apis/flowcontrol.apiserver.k8s.io/v1"
_WEBHOOKS = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations"
_REVIEWS = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"


@dataclass(frozen=True)
class RealSide:
    """Implements Side."""

    kube: Kube
    config: dict[str, Any]
    folder: Path
    stack: ExitStack

    def login(self, token: str) -> Kube:
        return replace(self.kube, api=self.stack.enter_context(_client(self.config, token)))

    def kubeconfig(self, token: str = "") -> Path:
        users = [{"name": user["name"], "user": {"token": token} if token else user["user"]} for user in self.config["users"]]
        path = self.folder / "kubeconfig"
        path.write_text(yaml.safe_dump({**self.config, "users": users}))
        return path

    def expired_token(self, account: str) -> str:
        """Signed by the server's own key, which the lab keeps beside its CA: the server itself grants ten minutes at least."""
        key_file = Pki(Path(_cluster(self.config)["certificate-authority"]).parent).service_account_key
        if not key_file.exists():
            pytest.skip("the key that signs the real cluster's tokens is not at hand")
        key = load_pem_private_key(key_file.read_bytes(), None)
        assert isinstance(key, RSAPrivateKey)
        head, claims, _ = self._token(account).split(".")
        then = int(time.time()) - 7200
        late = json.loads(_unpacked(claims)) | {"iat": then, "nbf": then, "exp": then + 3600}
        signed = f"{head}.{_packed(json.dumps(late).encode())}"
        return f"{signed}.{_packed(key.sign(signed.encode(), PKCS1v15(), SHA256()))}"

    @contextmanager
    def throttled(self, account: str) -> Iterator[str]:
        """By a priority level without a seat: it still serves one request, so that one is held by never sending its body."""
        token, name = self._token(account), self.kube.namespace
        self.kube.send("POST", f"{_FLOW_CONTROL}/prioritylevelconfigurations", _a_level_without_seats(name))
        try:
            schema = self.kube.send("POST", f"{_FLOW_CONTROL}/flowschemas", _a_schema_of(account, name))
            held = self.login(token)

            def flow() -> str:
                return answer_of(held, "POST", _REVIEWS, {}).headers.get("X-Kubernetes-Pf-Flowschema-Uid", "")

            eventually(lambda: flow() == schema["metadata"]["uid"])
            with ExitStack() as stack:
                # One that comes while the last answer is still on its way out is refused itself.
                eventually(lambda: _is_unanswered(stack.enter_context(self._unfinished_request(token))))
                yield token
        finally:
            self.kube.send("DELETE", f"{_FLOW_CONTROL}/flowschemas/{name}", None)
            self.kube.send("DELETE", f"{_FLOW_CONTROL}/prioritylevelconfigurations/{name}", None)

    @contextmanager
    def hanging_writes(self) -> Iterator[None]:
        """By an admission webhook that takes the connection and says nothing."""
        path, name = f"/api/v1/namespaces/{self.kube.namespace}/configmaps", self.kube.namespace

        asking = self.login("")  # over connections of its own, which nobody else then finds closed

        def answered() -> int:
            """By the API server itself, when the second is over that it is given."""
            try:
                return answer_of(asking, "POST", path, {"metadata": {"name": "probe"}}, dryRun="All", timeout="1s").status
            except ProtocolError:
                return 0  # busy servers close the connection instead

        with socket.create_server(("127.0.0.1", 0)) as silent:
            self.kube.send("POST", _WEBHOOKS, _a_webhook_of(name, silent.getsockname()[1]))
            try:
                eventually(lambda: answered() == 504)
                yield
            finally:
                self.kube.send("DELETE", f"{_WEBHOOKS}/{name}", None)
                eventually(lambda: answered() == 201)

    @contextmanager
    def _unfinished_request(self, token: str) -> Iterator[ssl.SSLSocket]:
        where = urlsplit(self.kube.url)
        context = ssl.create_default_context(cafile=_cluster(self.config)["certificate-authority"])
        head = (
            f"POST {_REVIEWS} HTTP/1.1\r\nHost: {where.netloc}\r\nAuthorization: Bearer {token}\r\n"
            "Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n"
        )
        plain = socket.create_connection((where.hostname or "", where.port or 443))
        with plain, context.wrap_socket(plain, server_hostname=where.hostname) as secure:
            secure.sendall(head.encode())
            yield secure

    def _token(self, account: str) -> str:
        request: dict[str, Any] = {"spec": {"audiences": []}}
        minted = self.kube.core.create_namespaced_service_account_token(account, self.kube.namespace, request)
        return str(minted.status.token)


@contextmanager
def real_side(folder: Path) -> Iterator[RealSide]:
    """Skips the test where there is none."""
    path = os.environ.get("OPSMEND_TEST_KUBECONFIG")
    if not path:
        pytest.skip("OPSMEND_TEST_KUBECONFIG names no real cluster (make lab-up)")
    config = yaml.safe_load(Path(path).read_text())
    with ExitStack() as stack:
        api = stack.enter_context(_client(config))
        kube = Kube(_cluster(config)["server"], api, f"contract-{uuid4().hex[:8]}", IMAGE, "listening on port")
        kube.core.create_namespace({"metadata": {"name": kube.namespace}})
        try:
            yield RealSide(kube, config, folder, stack)
        finally:
            kube.core.delete_namespace(kube.namespace)


def _cluster(config: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = config["clusters"][0]["cluster"]
    return found


def _client(config: dict[str, Any], token: str = "") -> client.ApiClient:
    settings = client.Configuration(host=_cluster(config)["server"])
    settings.ssl_ca_cert = _cluster(config)["certificate-authority"]
    settings.api_key = {"authorization": f"Bearer {token or config['users'][0]['user']['token']}"}
    settings.retries = False
    return client.ApiClient(settings)


def _is_unanswered(connection: ssl.SSLSocket) -> bool:
    connection.settimeout(0.3)
    try:
        connection.recv(1)
    except TimeoutError:
        return True
    return False


def _a_level_without_seats(name: str) -> dict[str, Any]:
    limited = {"nominalConcurrencyShares": 0, "lendablePercent": 0, "borrowingLimitPercent": 0}
    spec = {"type": "Limited", "limited": {**limited, "limitResponse": {"type": "Reject"}}}
    return {"metadata": {"name": name}, "spec": spec}


def _a_schema_of(account: str, namespace: str) -> dict[str, Any]:
    """All that the account of the namespace asks, in the priority level of the namespace's name."""
    subject = {"kind": "ServiceAccount", "serviceAccount": {"name": account, "namespace": namespace}}
    everything = {"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"], "namespaces": ["*"], "clusterScope": True}
    spec = {
        # 1 is reserved.
        "matchingPrecedence": 2,
        "priorityLevelConfiguration": {"name": namespace},
        "rules": [{"subjects": [subject], "resourceRules": [everything]}],
    }
    return {"metadata": {"name": namespace}, "spec": spec}


def _a_webhook_of(namespace: str, port: int) -> dict[str, Any]:
    """Asked before a ConfigMap of the namespace is written, and of no other."""
    rule = {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE", "UPDATE"], "resources": ["configmaps"]}
    webhook = {
        "name": "silent.example.com",
        "clientConfig": {"url": f"https://127.0.0.1:{port}/"},
        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}},
        "rules": [rule],
        "failurePolicy": "Fail",
        "sideEffects": "None",
        "admissionReviewVersions": ["v1"],
        "timeoutSeconds": 30,
    }
    return {"metadata": {"name": namespace}, "webhooks": [webhook]}


def _packed(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def _unpacked(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
