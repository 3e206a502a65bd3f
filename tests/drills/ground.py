"""The cluster that the drills play on, and who watches it: the lab, or any other."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import yaml

from lab.cluster import daemons_of, is_up
from lab.monitoring import load_rules
from lab.pki import Pki
from lab.places import ALERTMANAGER_URL, PROMETHEUS_URL, places

TOLD_BY: Final = ("KUBECONFIG", "OPSMEND_PROMETHEUS_URL", "ALERTMANAGER_URL", "OPSMEND_API_TOKEN")
"""Variables that name another cluster; the last is the token that Alertmanager sends."""


class NoGroundError(Exception):
    """There is nothing to play on; the sentence says what to do."""


@dataclass(frozen=True)
class Ground:
    kubeconfig: Path
    """An administrator's."""
    prometheus_url: str
    alertmanager_url: str
    webhook_token: str
    """What Alertmanager shows to opsmend."""
    audit_log: Path | None = None
    """The API server's, where it can be read."""

    @property
    def server(self) -> str:
        """The API server's host."""
        config = yaml.safe_load(self.kubeconfig.read_text())
        return str(urlsplit(config["clusters"][0]["cluster"]["server"]).hostname)

    @property
    def is_lab(self) -> bool:
        return self.audit_log is not None


def the_lab() -> Ground:
    """With the alert rules as they are in the checkout. Raises NoGroundError."""
    where = places()
    if not is_up(where):
        raise NoGroundError("The lab is down: `make lab-up` first, or `ARGS=--elsewhere` for another cluster (docs/lab.md).")
    load_rules(where, daemons_of(where), Pki(where.state / "pki"))
    return Ground(where.kubeconfig, PROMETHEUS_URL, ALERTMANAGER_URL, where.webhook_token.read_text(), where.audit_log)


def another_cluster(folder: Path) -> Ground:
    """The current context of KUBECONFIG; its credentials are copied into `folder`. Raises NoGroundError."""
    missing = [name for name in TOLD_BY if not os.environ.get(name)]
    if missing:
        raise NoGroundError(f"Another cluster is told by {', '.join(missing)}, which are not set (docs/lab.md).")
    kubectl = str(Path(sys.executable).with_name("kubectl"))
    view = [kubectl, "config", "view", "--raw", "--flatten", "--minify", "--output=json"]
    shown = subprocess.run(view, capture_output=True, text=True, check=False)
    if shown.returncode:
        raise NoGroundError(f"KUBECONFIG cannot be used: {shown.stderr.strip()}")
    user = json.loads(shown.stdout)["users"][0]["user"]
    if not user.keys() & {"token", "client-certificate-data"}:
        raise NoGroundError("The drills need a token or a client certificate in KUBECONFIG, not a plugin that gets them.")
    kubeconfig = folder / "admin.kubeconfig"
    kubeconfig.touch(mode=0o600)
    kubeconfig.write_text(shown.stdout)
    prometheus, alertmanager, token = (os.environ[name] for name in TOLD_BY[1:])
    return Ground(kubeconfig, prometheus, alertmanager, token)
