"""Prometheus, Alertmanager and the blackbox exporter, with the rules of config/rules.yaml."""

import urllib.request
from pathlib import Path
from typing import Final
from urllib.error import URLError

from lab.daemons import Daemons
from lab.node import fill_in
from lab.packages import unpacked
from lab.pki import Pki
from lab.places import (
    ALERTMANAGER_URL,
    API_URL,
    BLACKBOX_URL,
    CONFIG,
    OPSMEND_URL,
    PROMETHEUS_URL,
    STATE_METRICS_URL,
    Places,
)

_AS_IF_INSTALLED: Final = 'mount -t overlay overlay -o "lowerdir=$1:/usr/share" /usr/share && shift && exec "$@"'
"""Debian's Alertmanager reads its templates from /usr/share, whatever its configuration says: its own view of that has them."""


def start_monitoring(places: Places, daemons: Daemons, pki: Pki, bin_path: str) -> None:
    """Returns once Prometheus and Alertmanager are ready."""
    start_prometheus(places, daemons, pki, bin_path)
    alertmanager = fill_in(
        "alertmanager.yml", places.state / "alertmanager.yml", places, OPSMEND=OPSMEND_URL, TOKEN_FILE=places.webhook_token
    )
    package = unpacked(places.cache, "prometheus-alertmanager")
    daemons.start(
        "alertmanager",
        [
            *("unshare", "--mount", "sh", "-c", _AS_IF_INSTALLED, "sh", package / "usr/share"),
            package / "usr/bin/prometheus-alertmanager",
            f"--config.file={alertmanager}",
            f"--storage.path={places.state}/alertmanager",
            f"--web.listen-address={_address(ALERTMANAGER_URL)}",
            "--cluster.listen-address=",
        ],
    )
    daemons.start(
        "blackbox-exporter",
        [
            unpacked(places.cache, "prometheus-blackbox-exporter") / "usr/bin/prometheus-blackbox-exporter",
            f"--config.file={CONFIG}/blackbox.yml",
            f"--web.listen-address={_address(BLACKBOX_URL)}",
        ],
    )
    daemons.until("alertmanager", lambda: answers(f"{ALERTMANAGER_URL}/-/ready"))


def start_prometheus(places: Places, daemons: Daemons, pki: Pki, bin_path: str) -> None:
    """Alone, because drills take it away. Returns once it is ready."""
    config = _prometheus_configuration(places, pki)
    daemons.start(
        "prometheus",
        [
            f"{bin_path}/prometheus",
            f"--config.file={config}",
            f"--storage.tsdb.path={places.state}/prometheus",
            f"--web.listen-address={_address(PROMETHEUS_URL)}",
            # Ten intervals, as by default: one that was restarted takes for alive whatever it had seen so long ago.
            "--query.lookback-delta=20s",
        ],
    )
    daemons.until("prometheus", lambda: answers(f"{PROMETHEUS_URL}/-/ready"))


def load_rules(places: Places, daemons: Daemons, pki: Pki) -> None:
    """Give a Prometheus that runs the rules as they are now: they may be younger than the lab."""
    _prometheus_configuration(places, pki)
    daemons.reload("prometheus")


def _prometheus_configuration(places: Places, pki: Pki) -> Path:
    return fill_in(
        "prometheus.yml",
        places.state / "prometheus.yml",
        places,
        RULES=CONFIG / "rules.yaml",
        ALERTMANAGER=_address(ALERTMANAGER_URL),
        STATE_METRICS=_address(STATE_METRICS_URL),
        BLACKBOX=_address(BLACKBOX_URL),
        API=API_URL,
        CA=pki.ca,
        TOKEN_FILE=pki.token("prometheus"),
    )


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:
            return bool(answer.status == 200)
    except (URLError, OSError):
        return False


def _address(url: str) -> str:
    return url.removeprefix("http://")
