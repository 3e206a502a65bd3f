"""`python -m opsmend_cluster`: the embedded cluster in a process of its own, until SIGTERM or SIGINT."""

import argparse
import asyncio
import os
import signal
import sys
from pathlib import Path

from opsmend_cluster.config import ClusterConfig, read_config
from opsmend_cluster.server import RunningCluster, running_cluster
from opsmend_cluster.shop import seed_shop


def main() -> None:
    asyncio.run(_serve(_arguments()))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="opsmend_cluster", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free port")
    parser.add_argument("--config", type=Path, help="YAML or JSON file: timing, rules, access, nodes")
    parser.add_argument("--ready-file", type=Path, help="the URL is written here once it answers")
    parser.add_argument("--kubeconfig", type=Path, help="a kubeconfig is written here once it answers")
    parser.add_argument("--seed-shop", action="store_true", help="start with the namespace shop and its workloads")
    return parser.parse_args()


async def _serve(arguments: argparse.Namespace) -> None:
    config = read_config(arguments.config) if arguments.config else ClusterConfig()
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    async with running_cluster(config, host=arguments.host, port=arguments.port) as cluster:
        if arguments.seed_shop:
            await asyncio.to_thread(seed_shop, cluster.url)
        _announce(cluster, arguments)
        await _until_stopped(stopping, cluster.controlling)


async def _until_stopped(stopping: asyncio.Event, controlling: "asyncio.Task[None]") -> None:
    """Until a signal, or a fault in the controllers: a cluster that no longer controls must not go on answering."""
    stop = asyncio.create_task(stopping.wait())
    await asyncio.wait({stop, controlling}, return_when=asyncio.FIRST_COMPLETED)
    stop.cancel()
    if controlling.done():
        await controlling


def _announce(cluster: RunningCluster, arguments: argparse.Namespace) -> None:
    if arguments.kubeconfig:
        cluster.kubeconfig(arguments.kubeconfig)
    if arguments.ready_file:
        partial = arguments.ready_file.with_suffix(".partial")
        partial.write_text(cluster.url + "\n")
        os.replace(partial, arguments.ready_file)
    sys.stdout.write(f"ready {cluster.url}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
