"""The API, as a terminal asks it."""

import asyncio
from collections.abc import Coroutine
from datetime import datetime, timedelta
from typing import Any, Final, TypeVar
from urllib.parse import quote

import httpx
from pydantic import BaseModel, ValidationError

from opsmend.api.changes_view import ChangesView
from opsmend.api.explanation import Explanation
from opsmend.api.incident_view import IncidentList, IncidentView
from opsmend.api.investigation_view import InvestigationBegun
from opsmend.api.problem import Failure
from opsmend.api.question_view import AnswerTaken, QuestionList
from opsmend.console.command import this_command
from opsmend.console.connection import Connection
from opsmend.domain.approval import Answer
from opsmend.domain.steering import Steered
from opsmend.domain.target import ObjectRef
from opsmend.errors import OpsmendError, bounded

_PATIENCE: Final = timedelta(seconds=30)
"""A decision waits for the workflow to take it, which after a restart of the workers lasts some seconds."""

PAGE: Final = 200
"""Incidents that the API tells at once."""

_A_MOMENT: Final = timedelta(seconds=3)
"""After which it is asked whether anybody is there at all."""

_LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})

View = TypeVar("View", bound=BaseModel)


class ApiUnreachableError(OpsmendError):
    """Nothing that speaks opsmend's API answers there."""


class ApiRefusedError(OpsmendError):
    """The API answered and said no; `status` is HTTP's, `kind` the stable name of the reason."""

    def __init__(self, message: str, *, status: int, kind: str) -> None:
        super().__init__(message)
        self.status = status
        self.kind = kind


class OpsmendApi:
    """Every method raises ApiUnreachableError, ApiRefusedError."""

    def __init__(self, connection: Connection, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self._connection = connection
        self._transport = transport

    @property
    def where(self) -> str:
        """The address, for people."""
        return self._connection.api

    async def incidents(self, status: str | None = None, outcome: str | None = None, most: int = PAGE) -> IncidentList:
        """The newest `most` of them. Whether `next_cursor` is there tells whether there are more."""
        filters = {key: value for key, value in (("status", status), ("outcome", outcome)) if value}
        found = IncidentList(incidents=[])
        while True:
            asked = filters | {"limit": str(min(PAGE, most - len(found.incidents)))}
            asked |= {"cursor": found.next_cursor} if found.next_cursor else {}
            page = await self._ask(IncidentList, "GET", "/v1/incidents", params=asked)
            found = page.model_copy(update={"incidents": [*found.incidents, *page.incidents]})
            if len(found.incidents) >= most or not page.next_cursor:
                return found

    async def incident(self, incident_id: str, run_id: str | None = None) -> IncidentView:
        return await self._ask(IncidentView, "GET", _path(incident_id), params=_run(run_id))

    async def explanation(self, incident_id: str, run_id: str | None = None) -> Explanation:
        return await self._ask(Explanation, "GET", f"{_path(incident_id)}/explain", params=_run(run_id))

    async def decide(self, incident_id: str, *, plan_hash: str, decision: Answer, reason: str = "", name: str = "") -> None:
        """Answer for the plan with this hash; `name` is who says so, for the record."""
        body = {"plan_hash": plan_hash, "decision": decision.value, "reason": reason, "name": name}
        await self._call("POST", f"{_path(incident_id)}/decision", json=body)

    async def questions(self, incident_id: str) -> QuestionList:
        return await self._ask(QuestionList, "GET", f"{_path(incident_id)}/questions")

    async def answer(self, incident_id: str, *, question_id: str, answer: str, reason: str, name: str) -> AnswerTaken:
        body = {"question_id": question_id, "answer": answer, "reason": reason, "name": name}
        return await self._ask(AnswerTaken, "POST", f"{_path(incident_id)}/answer", json=body)

    async def take_over(self, incident_id: str, *, reason: str, name: str) -> Steered:
        body = {"reason": reason, "name": name}
        return await self._ask(Steered, "POST", f"{_path(incident_id)}/take-over", json=body)

    async def stop(self, incident_id: str, *, reason: str, name: str) -> Steered:
        return await self._ask(Steered, "POST", f"{_path(incident_id)}/stop", json={"reason": reason, "name": name})

    async def snooze(self, incident_id: str, *, until: datetime, name: str) -> Steered:
        body = {"until": until.isoformat(), "name": name}
        return await self._ask(Steered, "POST", f"{_path(incident_id)}/snooze", json=body)

    async def mark_wrong(self, incident_id: str, *, run_id: str | None, note: str, name: str) -> Steered:
        body = {"note": note, "run_id": run_id, "name": name}
        return await self._ask(Steered, "POST", f"{_path(incident_id)}/wrong-diagnosis", json=body)

    async def investigate(self, target: ObjectRef, *, name: str) -> InvestigationBegun:
        body = {"kind": target.kind.value, "namespace": target.namespace, "object_name": target.name, "name": name}
        return await self._ask(InvestigationBegun, "POST", "/v1/investigations", json=body)

    async def changes(self) -> ChangesView:
        return await self._ask(ChangesView, "GET", "/v1/changes")

    async def pause(self, *, reason: str, name: str) -> ChangesView:
        return await self._ask(ChangesView, "POST", "/v1/changes/pause", json={"reason": reason, "name": name})

    async def resume(self, *, name: str) -> ChangesView:
        return await self._ask(ChangesView, "POST", "/v1/changes/resume", json={"name": name})

    async def release(self, target: ObjectRef, *, name: str) -> ChangesView:
        body = {"kind": target.kind.value, "namespace": target.namespace, "object_name": target.name, "name": name}
        return await self._ask(ChangesView, "POST", "/v1/changes/release", json=body)

    async def _ask(self, view: type[View], method: str, path: str, **request: Any) -> View:
        response = await self._call(method, path, **request)
        try:
            return view.model_validate_json(response.content)
        except ValidationError as foreign:
            raise self._not_opsmend() from foreign

    async def _call(self, method: str, path: str, **request: Any) -> httpx.Response:
        token = self._connection.operator_token
        headers = {"Authorization": f"Bearer {token.get_secret_value()}"} if token else {}
        timeout = _PATIENCE.total_seconds()
        try:
            # A proxy of the environment is for the network, not for this machine.
            async with httpx.AsyncClient(
                base_url=self._connection.api, transport=self._transport, timeout=timeout, trust_env=not self._is_local()
            ) as client:
                response = await self._answered(client, client.request(method, path, headers=headers, **request))
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise ApiUnreachableError(
                f"opsmend does not answer at {self._connection.api} ({_why(error)}). "
                f"Start it with `{this_command()} up`, or name its address with --api or OPSMEND_API_URL."
            ) from error
        if response.is_success:
            return response
        raise self._refusal(response)

    async def _answered(self, client: httpx.AsyncClient, request: Coroutine[Any, Any, httpx.Response]) -> httpx.Response:
        """The answer, waited for while anybody is there: opsmend answers /healthz at once, whatever else it waits for."""
        asking = asyncio.create_task(request)
        try:
            await asyncio.wait({asking}, timeout=_A_MOMENT.total_seconds())
            if not asking.done():
                await client.get("/healthz", timeout=_A_MOMENT.total_seconds())
            return await asking
        finally:
            asking.cancel()

    def _is_local(self) -> bool:
        return httpx.URL(self._connection.api).host in _LOOPBACK

    def _refusal(self, response: httpx.Response) -> OpsmendError:
        try:
            problem = Failure.model_validate_json(response.content).error
        except ValidationError:
            return self._not_opsmend()
        hint = " Set OPSMEND_OPERATOR_TOKEN." if response.status_code == 401 else ""
        return ApiRefusedError(problem.message + hint, status=response.status_code, kind=problem.type)

    def _not_opsmend(self) -> ApiUnreachableError:
        return ApiUnreachableError(f"What answers at {self._connection.api} is not opsmend's API. Is the address right?")


def _why(error: Exception) -> str:
    """Time-outs bring no text of their own."""
    if isinstance(error, httpx.TimeoutException):
        return "it takes the connection and says nothing" if isinstance(error, httpx.ReadTimeout) else "no connection in time"
    return bounded(str(error) or type(error).__name__)


def _path(incident_id: str) -> str:
    return f"/v1/incidents/{quote(incident_id, safe=':')}"


def _run(run_id: str | None) -> dict[str, str]:
    return {"run_id": run_id} if run_id else {}
