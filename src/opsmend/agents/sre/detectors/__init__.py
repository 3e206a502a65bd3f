"""The rules tier: one small module per class of failure. A new one is listed in DETECTORS.

A detector takes a snapshot and returns what it finds, or nothing: it abstains rather than guess. A lower rank explains higher
ones: 0 maintenance and the node, 1 what a pod needs to exist, 2 to start, to be reached or to call, 3 its probes, 4 the
revision as such, 5 load, 6 the end of a Job, 9 health.
"""

from collections.abc import Callable
from typing import Final

from opsmend.agents.sre.detectors import (
    autoscaler_limited,
    bad_image,
    broken_configuration,
    crash_after_rollout,
    dependency_down,
    failing_probe,
    healthy,
    job_failed,
    maintenance,
    missing_reference,
    name_resolution,
    node_not_ready,
    out_of_memory,
    overloaded,
    quota_exceeded,
    scaled_to_zero,
    service_mismatch,
    unschedulable,
    volume_pending,
)
from opsmend.domain.diagnosis import Finding
from opsmend.domain.snapshot import Snapshot

Detector = Callable[[Snapshot], list[Finding]]

DETECTORS: Final[tuple[Detector, ...]] = (
    maintenance.detect,
    node_not_ready.detect,
    quota_exceeded.detect,
    missing_reference.detect,
    scaled_to_zero.detect,
    volume_pending.detect,
    bad_image.detect,
    broken_configuration.detect,
    out_of_memory.detect,
    unschedulable.detect,
    service_mismatch.detect,
    dependency_down.detect,
    name_resolution.detect,
    failing_probe.detect,
    crash_after_rollout.detect,
    autoscaler_limited.detect,
    overloaded.detect,
    job_failed.detect,
    healthy.detect,
)
