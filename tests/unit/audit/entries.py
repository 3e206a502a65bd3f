"""Entries of an audit log, as kube-apiserver 1.36 writes them at level Metadata, without what nobody reads here."""

from typing import Any

Json = dict[str, Any]

INCIDENT = "incident:lab:shop:deployment:web"
SRE = f"opsmend/0.1.0 (sre; {INCIDENT}:sre:1)"


def entry(audit_id: str = "a1", **changed: Any) -> Json:
    """SRE's `get deployments.apps shop/web`, unless changed."""
    return {
        "auditID": audit_id,
        "stage": "ResponseComplete",
        "requestURI": "/apis/apps/v1/namespaces/shop/deployments/web",
        "verb": "get",
        "user": {"username": "system:serviceaccount:opsmend:opsmend-sre"},
        "userAgent": SRE,
        "objectRef": {
            "resource": "deployments",
            "namespace": "shop",
            "name": "web",
            "apiGroup": "apps",
            "apiVersion": "v1",
        },
        "responseStatus": {"code": 200},
        "requestReceivedTimestamp": "2026-11-25T14:00:00.000000Z",
    } | changed
