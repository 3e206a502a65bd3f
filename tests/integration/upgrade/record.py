"""Record the data directory of a release: `python -m tests.integration.upgrade.record RELEASE --opsmend COMMAND`.

COMMAND is the `opsmend` of that release, e.g. `.venv/bin/opsmend` of a worktree of its tag after `make setup`.
"""

import argparse
import asyncio
import sqlite3
import tempfile
from pathlib import Path

from tests.integration.outside.cluster import a_cluster
from tests.integration.outside.opsmend import Opsmend
from tests.integration.upgrade.recorded import ASKS, REJECTED, TERMS, break_both, pack


async def record(release: str, command: str, folder: Path) -> Path:
    async with a_cluster(folder / "cluster") as cluster:
        await break_both(cluster)
        opsmend = Opsmend(folder / "opsmend", cluster.kubeconfig, TERMS, command=command)
        await opsmend.start()
        try:
            rejected = await opsmend.open(REJECTED)
            plan = (await opsmend.asking(rejected))["plan"]
            await opsmend.decide(rejected, plan_hash=plan["hash"], decision="reject", reason="recorded")
            await opsmend.closed(rejected)
            await opsmend.asking(await opsmend.open(ASKS))
        finally:
            await opsmend.stop()
    with sqlite3.connect(opsmend.data_dir / "temporal.db") as database:
        database.execute("VACUUM")
        database.execute("PRAGMA journal_mode=DELETE")  # into one file; the server sets its own mode again
    return pack(release, opsmend.data_dir)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.integration.upgrade.record", description=__doc__)
    parser.add_argument("release", help="e.g. 0.1")
    parser.add_argument("--opsmend", required=True, help="the command `opsmend` of that release")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = asyncio.run(record(options.release, options.opsmend, Path(folder)))
    print(f"{path}: {path.stat().st_size} bytes")


if __name__ == "__main__":
    main()
