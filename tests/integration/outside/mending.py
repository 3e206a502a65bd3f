"""One incident from its alert to its end, answered with yes."""

from typing import Any

from tests.integration.outside.cluster import Cluster
from tests.integration.outside.opsmend import Opsmend


async def mend(opsmend: Opsmend, cluster: Cluster, namespace: str, **alert: str) -> tuple[dict[str, Any], set[str]]:
    """The incident as it asked, and what is declared otherwise once it is remediated."""
    before = await cluster.declared()
    incident = await opsmend.open(namespace, **alert)
    asking = await opsmend.approve(incident)
    closed = await opsmend.closed(incident)
    assert closed["outcome"] == "remediated", closed["closing"]
    after = await cluster.declared()
    return asking, {key for key in before | after if before.get(key) != after.get(key)}
