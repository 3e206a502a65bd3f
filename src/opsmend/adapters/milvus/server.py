"""Milvus Lite as a server of its own. One process may open its files, so all workers share it over loopback."""

import sys
from pathlib import Path


def milvus_command(data_dir: Path, port: int) -> list[str]:
    """The argv that serves the files of `data_dir` on 127.0.0.1:`port` until SIGTERM.

    It is ready once the port accepts connections (2 s after the start, mostly imports). A second one on the same files ends
    at once with code 1. It may be killed at any moment: what was acknowledged is in its log on disk.

    It answers one call at a time: Milvus Lite 3.2 makes and opens collections without a lock (milvus_lite/db.py), so two first
    calls at once could open one collection twice, and rows that one of the two took would be missing from the other.
    """
    return [
        sys.executable,
        "-m",
        "milvus_lite",
        "server",
        "--data-dir",
        str(data_dir),
        "--host",
        "127.0.0.1",
        "--port",
        str(port),
        "--max-workers",
        "1",
    ]
