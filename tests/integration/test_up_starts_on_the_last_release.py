"""An upgrade: `opsmend up` starts on what the last release left, and its open incidents go on."""

from pathlib import Path

import pytest
from tests.integration.outside.cluster import GOOD, a_cluster, deployment_path
from tests.integration.outside.opsmend import CLUSTER, opsmend_up
from tests.integration.upgrade.recorded import ASKS, REJECTED, RELEASES, break_both, unpack

pytestmark = [pytest.mark.asyncio, pytest.mark.timeout(300)]


def incident(namespace: str) -> str:
    return f"incident:{CLUSTER}:{namespace}:deployment:web"


@pytest.mark.parametrize("release", RELEASES)
async def test_a_question_of_the_last_release_is_answered_in_this_one(release: str, tmp_path: Path) -> None:
    unpack(release, tmp_path / "opsmend" / "data")
    async with a_cluster(tmp_path / "cluster") as cluster:
        await break_both(cluster)
        async with opsmend_up(tmp_path / "opsmend", cluster.kubeconfig) as opsmend:
            rejected = await opsmend.incident(incident(REJECTED))
            assert (rejected["status"], rejected["outcome"]) == ("closed", "escalated")
            assert await opsmend.alert(REJECTED) == {"id": incident(REJECTED), "created": False}
            assert (await opsmend.incident(incident(REJECTED)))["run_id"] == rejected["run_id"]

            asked = await opsmend.approve(incident(ASKS))
            closed = await opsmend.closed(incident(ASKS))

        assert (closed["outcome"], closed["run_id"]) == ("remediated", asked["run_id"]), closed["closing"]
        assert closed["plan"]["hash"] == asked["plan"]["hash"], "it was carried out as it was asked about"
        containers = (await cluster.get(deployment_path(ASKS)))["spec"]["template"]["spec"]["containers"]
        assert containers[0]["image"] == GOOD
        assert await cluster.mutations(REJECTED) == []
