"""A real Temporal server whose limits are so low that a test reaches them, and the desk at it. Nobody works there."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from temporalio.client import Client
from temporalio.testing import WorkflowEnvironment

from opsmend.adapters.temporal.desk import TemporalDesk
from opsmend.adapters.temporal.payloads import DATA_CONVERTER
from opsmend.domain.budget import Budget
from opsmend.domain.incident import Patience
from opsmend.embedded.temporal_server import temporal_binary
from opsmend.workflows.search_attributes import ALL

LONGEST_ID = 100
LARGEST_PAYLOAD = 2 * 1024 * 1024
"""Temporal's default, which it takes no other value for here."""
MOST_SIGNALS = 3


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    limits = {
        "limit.maxIDLength": LONGEST_ID,
        "history.maximumSignalsPerExecution": MOST_SIGNALS,
    }
    extra = [part for name, value in limits.items() for part in ("--dynamic-config-value", f"{name}={value}")]
    async with await WorkflowEnvironment.start_local(
        data_converter=DATA_CONVERTER,
        dev_server_existing_path=str(temporal_binary()),
        ip="127.0.0.1",
        search_attributes=list(ALL),
        dev_server_extra_args=extra,
    ) as env:
        yield env.client


@pytest.fixture
def desk(client: Client) -> TemporalDesk:
    return a_desk(client)


def a_desk(client: Client, rpc_timeout: timedelta = timedelta(seconds=5)) -> TemporalDesk:
    return TemporalDesk(client, ui_url="http://127.0.0.1:1", patience=Patience(), budget=Budget(), rpc_timeout=rpc_timeout)
