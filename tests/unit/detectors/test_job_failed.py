"""A Job that failed is told with what failed it, and what a person has to do; one that made it in the end is well."""

from typing import Any

import pytest
from tests.builders import (
    a_config,
    a_container,
    a_job_run,
    a_mounted_config,
    a_pod,
    a_ref,
    a_snapshot,
    a_target,
    a_template,
    a_termination,
    a_waiting_container,
    ago,
)

from opsmend.agents.architect.remedies import propose
from opsmend.agents.sre.causes import find_causes
from opsmend.agents.sre.diagnose import diagnose
from opsmend.domain.diagnosis import Category, Diagnosis
from opsmend.domain.health import assess
from opsmend.domain.job import JobRun
from opsmend.domain.snapshot import Container, Pod, Snapshot
from opsmend.domain.verification import Health


def ended(log: str = "", code: int = 1, **changes: Any) -> Container:
    """A container of a pod that is not restarted."""
    defaults = {"name": "import", "ready": False, "running": False, "log": log, "terminated": a_termination(exit_code=code)}
    return a_container(**(defaults | changes))


def a_failed_pod(*containers: Container, **changes: Any) -> Pod:
    return a_pod("import-x7k2p", phase="Failed", containers=containers or (ended(),), revision_hash="", **changes)


def of_job(job: JobRun | None = None, *pods: Pod, **changes: Any) -> Snapshot:
    defaults: dict[str, Any] = {"target": a_target("Job", "import"), "workload": None, "revisions": (), "services": ()}
    return a_snapshot(**(defaults | {"job": job or a_job_run(), "pods": pods or (a_failed_pod(),)} | changes))


def diagnosed(snapshot: Snapshot) -> Diagnosis:
    return diagnose(snapshot, find_causes(snapshot))


@pytest.mark.parametrize(
    ("reason", "advice"),
    [
        pytest.param("BackoffLimitExceeded", "as often as it allows", id="tried-too-often"),
        pytest.param("DeadlineExceeded", "activeDeadlineSeconds", id="too-slow"),
        pytest.param("PodFailurePolicy", "podFailurePolicy", id="its-own-policy"),
        pytest.param("FailedIndexes", "as often as it allows", id="a-reason-of-newer-versions"),
    ],
)
def test_the_reason_is_told_and_what_a_person_has_to_do(reason: str, advice: str) -> None:
    snapshot = of_job(a_job_run(failed_reason=reason))
    found = diagnosed(snapshot)
    assert (found.category, found.resource) == ("job_failed", a_ref("Job", "import"))
    assert reason in found.summary
    assert advice in found.hints[-1].reason
    assert "cannot know that a second run is harmless" in found.hints[-1].reason
    assert all(candidate.rejected_because for candidate in propose(found, snapshot))


def test_exit_code_and_last_words_are_cited() -> None:
    found = diagnosed(of_job(None, a_failed_pod(ended("step 1 done\nsegmentation fault", 139))))
    assert "exited with 139" in found.summary
    assert any("segmentation fault" in evidence.excerpt for evidence in found.evidence)


def test_a_run_of_a_cron_job_is_started_again_from_it() -> None:
    found = diagnosed(of_job(a_job_run(cron_job=a_ref("CronJob", "nightly"))))
    assert "kubectl create job -n shop --from=cronjob/nightly" in found.hints[-1].reason


BAD_IMAGE = a_pod("import-1", containers=[a_waiting_container("ImagePullBackOff", name="import")], revision_hash="")
BAD_CONFIG = a_failed_pod(
    ended('yaml: line 3: mapping values are not allowed in "/etc/import/app.yaml"'),
    template=a_template(name="import", **a_mounted_config("import-conf", "/etc/import")),
)


@pytest.mark.parametrize(
    ("snapshot", "category"),
    [
        pytest.param(of_job(None, BAD_IMAGE), "bad_image", id="image"),
        pytest.param(
            of_job(None, BAD_CONFIG, config=(a_config("import-conf", {"app.yaml": "a: b: c"}),)),
            "broken_configuration",
            id="configuration",
        ),
        pytest.param(
            of_job(None, a_failed_pod(ended(terminated=a_termination("OOMKilled", 137)))), "out_of_memory", id="memory"
        ),
    ],
)
def test_what_failed_its_pods_goes_first_and_the_way_to_run_it_again_stays(snapshot: Snapshot, category: Category) -> None:
    found = diagnosed(snapshot)
    assert found.category == category
    assert "then delete it and apply its manifest again" in found.hints[-1].reason


SUCCEEDED = a_pod("import-b", phase="Succeeded", conditions=(), revision_hash="", containers=[ended(code=0)])


@pytest.mark.parametrize(
    "snapshot",
    [
        pytest.param(of_job(a_job_run(failed_reason="", complete=True, failed=1), SUCCEEDED), id="at-the-second-try"),
        pytest.param(of_job(a_job_run(succeeded_later_at=ago(minutes=1)), SUCCEEDED), id="a-later-run-succeeded"),
    ],
)
def test_a_job_that_made_it_in_the_end_is_well(snapshot: Snapshot) -> None:
    assert assess(snapshot).health is Health.HEALTHY
    assert diagnosed(snapshot).category == "healthy"


def test_a_job_that_is_still_tried_has_not_failed_for_good() -> None:
    trying = of_job(a_job_run(failed_reason="", failed=1, active=1))
    assert assess(trying).health is not Health.HEALTHY
    assert "job_failed" not in {finding.category for finding in find_causes(trying)}
