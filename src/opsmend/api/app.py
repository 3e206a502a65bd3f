"""The API, put together."""

from collections.abc import Sequence
from importlib.metadata import version
from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.openapi.utils import get_openapi

from opsmend.api.access import Access
from opsmend.api.changes import change_router
from opsmend.api.condition import condition_router
from opsmend.api.cursor import Cursors
from opsmend.api.disk import DiskRoom
from opsmend.api.failures import handle_failures
from opsmend.api.incidents import incident_router
from opsmend.api.questions import question_router
from opsmend.api.readiness import Probe, Readiness
from opsmend.api.steering import steering_router
from opsmend.api.webhooks import AlertIntake, webhook_router
from opsmend.api.worker_watch import WorkerWatch
from opsmend.domain.ports.change_control import ChangeControl
from opsmend.domain.ports.desk import IncidentDesk
from opsmend.domain.ports.steering import IncidentSteering
from opsmend.settings import Settings
from opsmend.telemetry import ApiMetrics


def create_app(
    settings: Settings,
    desk: IncidentDesk,
    control: ChangeControl,
    steering: IncidentSteering,
    routers: Sequence[APIRouter] = (),
    *,
    ready: Probe,
    metrics: ApiMetrics | None = None,
    watch: WorkerWatch | None = None,
) -> FastAPI:
    """The whole HTTP side over `desk`. `routers` are further ones, such as Slack's, which authenticate by themselves;
    `ready` asks Temporal for a sign of life; `watch` tells in /readyz?verbose which roles have workers, and in the list
    of incidents how many wait.

    Raises:
        SettingsError: OPSMEND_API_TOKEN is not set.
    """
    metrics = metrics or ApiMetrics()
    access = Access(settings)
    readiness = Readiness(ready, DiskRoom(settings.data_dir))
    # The interactive pages of FastAPI load scripts from elsewhere; the contract itself is /openapi.json.
    app = FastAPI(title="opsmend", version=version("opsmend"), docs_url=None, redoc_url=None)
    app.include_router(webhook_router(AlertIntake(settings, desk, access, readiness, metrics)))
    app.include_router(incident_router(desk, access, Cursors(settings.api_token), metrics, watch))
    app.include_router(question_router(desk, access, metrics))
    app.include_router(steering_router(steering, access, settings.kubernetes.name))
    app.include_router(change_router(control, access))
    app.include_router(condition_router(metrics, readiness, watch, settings.instance))
    for router in routers:
        app.include_router(router)
    handle_failures(app, metrics)
    _name_tokens(app)
    return app


def _name_tokens(app: FastAPI) -> None:
    """Describe the two bearer tokens in the contract."""

    def contract() -> dict[str, Any]:
        if app.openapi_schema is None:
            schema = get_openapi(title=app.title, version=app.version, routes=app.routes)
            schema.setdefault("components", {})["securitySchemes"] = {
                "apiToken": {"type": "http", "scheme": "bearer", "description": "OPSMEND_API_TOKEN: hands alerts in, reads."},
                "operatorToken": {"type": "http", "scheme": "bearer", "description": "OPSMEND_OPERATOR_TOKEN: decides, reads."},
            }
            app.openapi_schema = schema
        return app.openapi_schema

    app.openapi = contract  # type: ignore[method-assign]  # FastAPI's documented way to extend the contract
