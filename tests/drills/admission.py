"""An admission webhook that refuses, over TLS, as a company's own would."""

import base64
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import trustme
from aiohttp import web

from opsmend.embedded.processes import free_port
from tests.drills.kubernetes import Kubernetes

_CONFIGURATIONS = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations"


@asynccontextmanager
async def refusing(admin: Kubernetes, namespace: str, why: str) -> AsyncIterator[None]:
    """Every change of a Deployment in `namespace` is refused with `why`."""
    authority = trustme.CA()
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(context)

    async def review(request: web.Request) -> web.Response:
        asked = await request.json()
        response = {"uid": asked["request"]["uid"], "allowed": False, "status": {"message": why}}
        return web.json_response({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "response": response})

    app = web.Application()
    app.router.add_post("/", review)
    runner = web.AppRunner(app)
    await runner.setup()
    port = free_port()
    await web.TCPSite(runner, "127.0.0.1", port, ssl_context=context).start()
    client = {"url": f"https://127.0.0.1:{port}/", "caBundle": base64.b64encode(authority.cert_pem.bytes()).decode()}
    try:
        await admin.create(_CONFIGURATIONS, _configuration(namespace, client))
        yield
    finally:
        await admin.delete(f"{_CONFIGURATIONS}/{namespace}")
        await runner.cleanup()


def _configuration(namespace: str, client: dict[str, str]) -> dict[str, object]:
    rule = {"apiGroups": ["apps"], "apiVersions": ["v1"], "resources": ["deployments"], "operations": ["UPDATE"]}
    hook = {
        "name": "freeze.company.example",
        "clientConfig": client,
        "rules": [rule],
        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}},
        "admissionReviewVersions": ["v1"],
        "sideEffects": "None",
    }
    return {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingWebhookConfiguration",
        "metadata": {"name": namespace},
        "webhooks": [hook],
    }
