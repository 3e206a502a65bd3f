"""`/opsmend-demo/`: the knobs of the world outside the Kubernetes API. Needs no token: whoever reaches loopback owns the demo.

GET    /opsmend-demo/audit?mutations=true&reads=true   AuditEntry list (see api/audit.py)
DELETE /opsmend-demo/audit                             forget it
GET    /opsmend-demo/requests                          {"verbs": {verb: count}}
GET/POST/DELETE /opsmend-demo/faults                   list, arm (Fault), clear
GET/POST /opsmend-demo/rules, DELETE /opsmend-demo/rules/{name}
PUT    /opsmend-demo/nodes/{name}                      {"ready": bool}
"""

from collections.abc import Callable

from pydantic import BaseModel, ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route

from opsmend_cluster.api.audit import AuditLog
from opsmend_cluster.api.faults import Fault, Faults
from opsmend_cluster.controllers.nodes import node_status
from opsmend_cluster.kubelet.rules import Rule, RuleBook
from opsmend_cluster.objects.kinds import NODES
from opsmend_cluster.writes.registry import Registry


class NodeState(BaseModel):
    ready: bool


class Admin:
    def __init__(
        self, registry: Registry, audit: AuditLog, faults: Faults, rules: RuleBook, touch_all: Callable[[], None]
    ) -> None:
        self._registry = registry
        self._audit = audit
        self._faults = faults
        self._rules = rules
        self._touch_all = touch_all

    def routes(self) -> list[Mount]:
        return [
            Mount("/opsmend-demo", routes=[
                Route("/audit", self._show_audit, methods=["GET"]),
                Route("/audit", self._clear_audit, methods=["DELETE"]),
                Route("/requests", self._show_requests, methods=["GET"]),
                Route("/faults", self._show_faults, methods=["GET"]),
                Route("/faults", self._arm, methods=["POST"]),
                Route("/faults", self._clear_faults, methods=["DELETE"]),
                Route("/rules", self._show_rules, methods=["GET"]),
                Route("/rules", self._add_rule, methods=["POST"]),
                Route("/rules/{name}", self._remove_rule, methods=["DELETE"]),
                Route("/nodes/{name}", self._set_node, methods=["PUT"]),
            ])
        ]  # fmt: skip

    async def _show_audit(self, request: Request) -> Response:
        query = request.query_params
        entries = self._audit.entries(mutations_only=query.get("mutations") == "true", reads=query.get("reads") == "true")
        return JSONResponse([entry.model_dump(mode="json") for entry in entries])

    async def _clear_audit(self, request: Request) -> Response:
        self._audit.clear()
        return JSONResponse({})

    async def _show_requests(self, request: Request) -> Response:
        return JSONResponse({"verbs": self._audit.request_counts()})

    async def _show_faults(self, request: Request) -> Response:
        return JSONResponse(self._faults.report())

    async def _arm(self, request: Request) -> Response:
        try:
            fault = Fault.model_validate_json(await request.body())
        except ValidationError as error:
            return _refused(error)
        self._faults.arm(fault)
        return JSONResponse(fault.model_dump(mode="json"), 201)

    async def _clear_faults(self, request: Request) -> Response:
        self._faults.clear()
        return JSONResponse({})

    async def _show_rules(self, request: Request) -> Response:
        return JSONResponse([rule.model_dump(mode="json") for rule in self._rules.rules()])

    async def _add_rule(self, request: Request) -> Response:
        try:
            rule = Rule.model_validate_json(await request.body())
        except ValidationError as error:
            return _refused(error)
        self._rules.add(rule)
        self._touch_all()
        return JSONResponse(rule.model_dump(mode="json"), 201)

    async def _remove_rule(self, request: Request) -> Response:
        found = self._rules.remove(request.path_params["name"])
        self._touch_all()
        return JSONResponse({}, 200 if found else 404)

    async def _set_node(self, request: Request) -> Response:
        node = self._registry.store.get(NODES, "", request.path_params["name"])
        if node is None:
            return JSONResponse({"error": "no such node"}, 404)
        try:
            state = NodeState.model_validate_json(await request.body())
        except ValidationError as error:
            return _refused(error)
        self._registry.update_status(NODES, node, node_status(node, ready=state.ready), "kubelet")
        return JSONResponse({})


def _refused(error: ValidationError) -> Response:
    return JSONResponse({"error": str(error)}, 422)
