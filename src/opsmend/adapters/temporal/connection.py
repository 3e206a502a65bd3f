"""The client that everything of ours talks to Temporal with."""

from temporalio.client import Client

from opsmend.adapters.temporal.large_payloads import converter_with
from opsmend.adapters.temporal.payloads import DATA_CONVERTER
from opsmend.domain.ports.artifacts import Artifacts


async def connect(address: str, namespace: str, *, lazy: bool = False, artifacts: Artifacts | None = None) -> Client:
    """A client that speaks pydantic models. `lazy` puts the connection off to the first call, so that an API can start
    (and answer 503) while Temporal is away. A worker brings the `artifacts` in which large payloads are kept."""
    converter = converter_with(artifacts) if artifacts else DATA_CONVERTER
    return await Client.connect(address, namespace=namespace, data_converter=converter, lazy=lazy)
