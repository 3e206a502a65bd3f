"""Probes: what the kubelet would see if it asked."""

from typing import Any

from opsmend_cluster.kubelet.behaviour import Behaviour
from opsmend_cluster.kubelet.container_view import ContainerView
from opsmend_cluster.kubelet.rules import ProbeFails, Rule, RuleBook
from opsmend_cluster.objects.kinds import JsonObject


def probe_failure(
    kind: str, container: JsonObject, view: ContainerView, behaviour: Behaviour, rules: list[Rule], book: RuleBook
) -> str:
    """Why the probe `kind` (readiness, liveness, startup) fails right now; empty when it succeeds or is not there."""
    probe = container.get(f"{kind}Probe")
    if probe is not None and (unheard := _unheard(probe, container, view, behaviour)):
        return unheard
    for rule in book.active(rules, view):
        if isinstance(rule.then, ProbeFails) and rule.then.probe == kind and (probe is not None or kind == "readiness"):
            return rule.then.message
    return ""


def _unheard(probe: JsonObject, container: JsonObject, view: ContainerView, behaviour: Behaviour) -> str:
    for handler in ("httpGet", "tcpSocket", "grpc"):
        target = probe.get(handler)
        if target is None:
            continue
        port = _port_number(target.get("port"), container)
        if port is None:
            return f"invalid port: couldn't find port: {target.get('port')!r}"
        host = target.get("host") or view.ip
        path = target.get("path", "/")
        url = f"{target.get('scheme', 'HTTP').lower()}://{host}:{port}{path}"
        if not behaviour.listens_on(port):
            refused = f"dial tcp {host}:{port}: connect: connection refused"
            return f'Get "{url}": {refused}' if handler == "httpGet" else refused
        if handler == "httpGet" and not behaviour.serves(path):
            return "HTTP probe failed with statuscode: 404"
    return ""


def _port_number(port: Any, container: JsonObject) -> int | None:
    if isinstance(port, int):
        return port
    named = {p.get("name"): p["containerPort"] for p in container.get("ports") or []}
    return named.get(port)
