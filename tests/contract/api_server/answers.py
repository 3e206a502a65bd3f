"""Whole answers, where the typed client would show less than the server said."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import pytest
from kubernetes.client import ApiException
from tests.contract.embedded_cluster.kube import Kube, status_of


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    text: str

    @property
    def json(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.text)
        return found


def answer_of(kube: Kube, method: str, path: str, body: Any = None, kind: str = "application/json", **query: Any) -> Answer:
    """Whatever its status."""
    url = f"{path}?{urlencode(query)}" if query else path
    asked = kube.api.param_serialize(
        method, url, body=body, header_params={"Content-Type": kind}, auth_settings=["BearerToken"]
    )
    answer = kube.api.call_api(*asked)
    return Answer(answer.status, answer.getheaders(), (answer.read() or b"").decode())


def refused(call: Any, *args: Any, **kwargs: Any) -> dict[str, Any]:
    """The Status body of the error that `call` must end with."""
    with pytest.raises(ApiException) as caught:
        call(*args, **kwargs)
    return status_of(caught.value)
