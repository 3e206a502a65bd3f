"""Which workload made a pod, told from the pod's generated name.

A guess that is right for names that Kubernetes generated; the investigation looks the true owner up.
"""

import re
from typing import Final

from opsmend.domain.target import Kind

_SAFE: Final = "[bcdfghjklmnpqrstvwxz2456789]"
"""The alphabet of generated suffixes: no vowels, no 0, 1 or 3 (k8s.io/apimachinery/pkg/util/rand)."""

_MINUTES: Final = r"(?:2[6-9]|3\d|4[0-4])\d{6}"
"""A CronJob names its Jobs by the scheduled minute since 1970: 26 to 45 million from 2019 to 2055, unlike any date YYYYMMDD."""

_BY_FORM: Final = (
    (re.compile(rf"(?P<owner>.+)-{_MINUTES}-{_SAFE}{{5}}"), Kind.CRON_JOB),
    (re.compile(rf"(?P<owner>.+)-{_SAFE}{{6,10}}-{_SAFE}{{5}}"), Kind.DEPLOYMENT),
    (re.compile(r"(?P<owner>.+)-\d{1,4}"), Kind.STATEFUL_SET),
    (re.compile(rf"(?P<owner>.+)-{_SAFE}{{5}}"), Kind.DAEMON_SET),
)

_REPLICA_SET: Final = re.compile(rf"(?P<owner>.+)-{_SAFE}{{6,10}}")
_CRON_RUN: Final = re.compile(rf"(?P<owner>.+)-{_MINUTES}")


def owner_of_pod(pod: str) -> tuple[Kind, str]:
    """Kind and name of the workload; the pod itself when its name is not a generated one."""
    for form, kind in _BY_FORM:
        if match := form.fullmatch(pod):
            return kind, match["owner"]
    return Kind.POD, pod


def owner_of_replica_set(name: str) -> tuple[Kind, str]:
    """The Deployment of a generated ReplicaSet name, else the ReplicaSet itself."""
    match = _REPLICA_SET.fullmatch(name)
    return (Kind.DEPLOYMENT, match["owner"]) if match else (Kind.REPLICA_SET, name)


def owner_of_job(name: str) -> tuple[Kind, str]:
    """The CronJob of a scheduled run, so that every failing run joins one incident; else the Job itself."""
    match = _CRON_RUN.fullmatch(name)
    return (Kind.CRON_JOB, match["owner"]) if match else (Kind.JOB, name)
