"""The rules tier: one file and one line for each class of failure. agents/sre/failure_class.py says what a class tells."""

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
from opsmend.agents.sre.failure_class import FailureClass
from opsmend.domain.diagnosis import Category

FAILURES: Final[tuple[FailureClass, ...]] = (
    maintenance.FAILURE,
    node_not_ready.FAILURE,
    quota_exceeded.FAILURE,
    missing_reference.FAILURE,
    scaled_to_zero.FAILURE,
    volume_pending.FAILURE,
    bad_image.FAILURE,
    broken_configuration.FAILURE,
    out_of_memory.FAILURE,
    unschedulable.FAILURE,
    service_mismatch.FAILURE,
    dependency_down.FAILURE,
    name_resolution.FAILURE,
    failing_probe.FAILURE,
    crash_after_rollout.FAILURE,
    autoscaler_limited.FAILURE,
    overloaded.FAILURE,
    job_failed.FAILURE,
    healthy.FAILURE,
)


def class_of(category: Category) -> FailureClass | None:
    """None for one that only a model or another version knows."""
    return next((failure for failure in FAILURES if failure.name == category), None)
