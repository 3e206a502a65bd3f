"""`python -m tests.drills.crash`: the lab dies with pods on it, and `lab down` leaves nothing all the same.

Needs the lab; it is down afterwards. Exits with 1 if anything is left.
"""

import asyncio
import sys

from lab.cluster import daemons_of, down
from lab.leftovers import leftovers
from lab.places import places
from tests.drills.kubernetes import kubernetes
from tests.drills.manifests import collection, container, deployment, namespace
from tests.integration.outside.waiting import eventually


async def main() -> int:
    where = places()
    async with kubernetes(where.kubeconfig) as admin:
        await admin.create("/api/v1/namespaces", namespace("crash"))
        web = f"{collection('Deployment', 'crash')}/web"
        await admin.create(collection("Deployment", "crash"), deployment("web", container(), replicas=3))

        async def runs() -> bool | None:
            return True if (await admin.get(web))["status"].get("availableReplicas") == 3 else None

        await eventually(runs, "three pods")
    daemons = daemons_of(where)
    for name in daemons.names():
        daemons.kill(name)
    orphaned = leftovers(where)
    print(f"killed {len(daemons.names())} daemons; they leave {len(orphaned)} things behind, e.g. {orphaned[0]}")
    left = down(where, print)
    print("\n".join(f"left behind: {line}" for line in left) or "nothing is left")
    return 1 if left or not orphaned else 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
