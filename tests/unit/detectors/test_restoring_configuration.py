"""An edited configuration goes back to what is known to have run, exactly that, and to nothing that is only guessed."""

from datetime import datetime
from typing import Any

import pytest
from tests.builders import (
    a_config,
    a_container,
    a_crashing_container,
    a_failed_rollout,
    a_last_good,
    a_mounted_config,
    a_pod,
    a_ref,
    a_snapshot,
    a_template,
    a_waiting_container,
    a_workload,
    a_write,
    ago,
)

from opsmend.agents.architect.remedies import propose
from opsmend.agents.sre.detectors import FAILURES, broken_configuration, missing_reference
from opsmend.agents.sre.diagnose import diagnose
from opsmend.agents.sre.reading.restoring import MOST_KEYS, restorable
from opsmend.domain.actions.patch_config import PatchConfig
from opsmend.domain.actions.restart_workload import RestartWorkload
from opsmend.domain.diagnosis import Diagnosis, Hint, Remedy, RestoreFrom
from opsmend.domain.last_good import GoodValue
from opsmend.domain.snapshot import ConfigReference, Snapshot
from opsmend.policy.redaction import redact_json

LOG = 'nginx: [emerg] unknown directive "lissten" in /etc/nginx/nginx.conf:3'
GOOD, BROKEN, DECLARED = "listen 80;", "lissten 80;", "listen 8080;"


def edited(data: dict[str, str] | None = None, **changes: Any) -> ConfigReference:
    """nginx.conf was broken by hand two minutes ago; it was good until five minutes ago."""
    defaults: dict[str, Any] = {
        "last_good": a_last_good({"nginx.conf": GOOD}),
        "writes": (a_write("data.nginx.conf"), a_write("data", by="helm", at=ago(days=9))),
        "changed_at": ago(minutes=2),
    }
    return a_config("conf", {"nginx.conf": BROKEN} if data is None else data, **(defaults | changes))


def crashing(config: ConfigReference, log: str = LOG, **changes: Any) -> Snapshot:
    """Every pod of a template that is three days old crashes with `log`."""
    template = a_template(**a_mounted_config("conf", "/etc/nginx"))
    pods = (a_pod(template=template, containers=[a_crashing_container(log)], created_at=ago(minutes=1)),)
    workload = a_workload(template=template, ready_replicas=0)
    snapshot = a_snapshot(**({"workload": workload, "pods": pods, "config": (config,)} | changes))
    began = snapshot.revisions[0].model_copy(update={"created_at": ago(days=3)})
    return snapshot.model_copy(update={"revisions": (began, *snapshot.revisions[1:])})


def hints(snapshot: Snapshot) -> tuple[Hint, ...]:
    (finding,) = broken_configuration.detect(snapshot)
    return finding.hints


def sources(found: tuple[Hint, ...]) -> list[RestoreFrom | None]:
    return [hint.restore_from for hint in found]


def believed(snapshot: Snapshot) -> Diagnosis:
    return diagnose(snapshot, [finding for failure in FAILURES for finding in failure.detect(snapshot)])


# --- what is known to have run goes back -----------------------------------------------------------------------------------


def test_the_last_known_good_is_offered_with_when_it_was_good_and_who_changed_it_since() -> None:
    (hint,) = hints(crashing(edited()))
    assert (hint.remedy, hint.restore_from, hint.config_key) == (Remedy.RESTORE_CONFIG, RestoreFrom.LAST_GOOD, "nginx.conf")
    for said in (
        "last known good",
        "Deployment shop/web",
        "last at 2026-03-14 14:55:00 UTC",
        "by kubectl-edit at 2026-03-14 14:58",
    ):
        assert said in hint.reason


def test_the_evidence_says_when_it_was_seen_good() -> None:
    (finding,) = broken_configuration.detect(crashing(edited()))
    (seen,) = [e for e in finding.evidence if e.source == "last known good of ConfigMap shop/conf"]
    assert "2026-03-14 14:55:00 UTC" in seen.excerpt


def test_it_goes_before_what_was_last_applied_which_stays_the_second_way() -> None:
    assert sources(hints(crashing(edited(last_applied={"nginx.conf": DECLARED})))) == [
        RestoreFrom.LAST_GOOD,
        RestoreFrom.LAST_APPLIED,
    ]


@pytest.mark.parametrize(
    ("declared", "said"),
    [
        (GOOD, "says the same"),
        (BROKEN, "correct it too, or the next apply brings it back"),
        (DECLARED, "something else again"),
    ],
)
def test_the_reason_says_how_the_manifest_stands_to_it(declared: str, said: str) -> None:
    assert said in hints(crashing(edited(last_applied={"nginx.conf": declared})))[0].reason


def test_a_record_that_was_not_kept_up_gives_way_to_what_was_applied_since() -> None:
    stale = a_last_good({"nginx.conf": GOOD}, last_seen=ago(days=4), looked_at=ago(days=4))
    found = hints(crashing(edited(last_good=stale, last_applied={"nginx.conf": DECLARED})))
    assert sources(found) == [RestoreFrom.LAST_APPLIED, RestoreFrom.LAST_GOOD]
    assert "nobody looked after" in found[1].reason


def test_a_record_that_was_kept_up_stands_however_long_ago_the_version_was_last_good() -> None:
    """It was looked at all the time; what was applied meanwhile never ran well."""
    kept_up = a_last_good({"nginx.conf": GOOD}, last_seen=ago(days=4), looked_at=ago(minutes=5))
    assert (
        sources(hints(crashing(edited(last_good=kept_up, last_applied={"nginx.conf": DECLARED}))))[0] is RestoreFrom.LAST_GOOD
    )


def test_a_template_that_ran_well_with_it_proves_the_edit_even_without_a_dated_write() -> None:
    undated = edited(writes=(), changed_at=ago(days=30), changed_by="helm")
    assert sources(hints(crashing(undated))) == [RestoreFrom.LAST_GOOD]


def test_a_fresh_release_that_ran_well_before_the_edit_is_not_rolled_back() -> None:
    old, new = (a_template(image, **a_mounted_config("conf", "/etc/nginx")) for image in ("nginx:1", "nginx:2"))
    config = edited(last_good=a_last_good({"nginx.conf": GOOD}, first_seen=ago(minutes=9)), writes=(), changed_at=ago(days=30))
    (finding,) = broken_configuration.detect(
        a_failed_rollout(old, new, containers=[a_crashing_container(LOG)], config=(config,))
    )
    assert [hint.remedy for hint in finding.hints] == [Remedy.RESTORE_CONFIG]


def test_the_plan_puts_back_exactly_what_was_kept_and_replaces_the_pods_once() -> None:
    value = "listen 80;\n\tserver_name ü;\r\n\n" + "# comment\n" * 2000
    snapshot = crashing(edited(last_good=a_last_good({"nginx.conf": value})))
    stored = Snapshot.model_validate(redact_json(snapshot.model_dump(mode="json")))
    best = propose(believed(stored), stored)[0]
    assert best.rejected_because is None
    restore, restart = best.actions
    assert restore == PatchConfig(target=a_ref("ConfigMap", "conf"), key="nginx.conf", value=value)
    assert isinstance(restart, RestartWorkload)


# --- several keys ----------------------------------------------------------------------------------------------------------

EDIT = a_write("data.nginx.conf", "data.mime.types", "data.unread.sh")
TWO = {"nginx.conf": BROKEN, "mime.types": "typse {}", "unread.sh": "rm"}
WERE = {"nginx.conf": GOOD, "mime.types": "types {}", "unread.sh": "ls"}


def in_one_edit(template: dict[str, Any] | None = None, **changes: Any) -> Snapshot:
    config = edited(TWO, **({"last_good": a_last_good(WERE), "writes": (EDIT,)} | changes))
    items = [{"key": key, "path": key} for key in ("nginx.conf", "mime.types")]
    mounted = a_mounted_config("conf", "/etc/nginx")
    mounted["spec"]["volumes"][0]["configMap"]["items"] = items
    body = a_template(**(template or mounted))
    snapshot = crashing(config, workload=a_workload(template=body, ready_replicas=0))
    pods = tuple(pod.model_copy(update={"spec": body["spec"]}) for pod in snapshot.pods)
    return snapshot.model_copy(update={"pods": pods})


def test_keys_of_the_same_edit_that_the_container_reads_go_back_together_the_blamed_one_first() -> None:
    snapshot = in_one_edit()
    actions = propose(believed(snapshot), snapshot)[0].actions
    assert [getattr(action, "key", action.type) for action in actions] == ["nginx.conf", "mime.types", "restart_workload"]
    assert [action.value for action in actions if isinstance(action, PatchConfig)] == [GOOD, "types {}"]


def test_a_key_that_somebody_else_changed_is_left_alone() -> None:
    others = (a_write("data.nginx.conf"), a_write("data.mime.types", by="helm", at=ago(minutes=4)))
    (hint,) = hints(in_one_edit(writes=others))
    assert hint.config_keys == ()


def test_more_keys_than_one_plan_should_change_are_left_and_counted() -> None:
    many = {f"k{n}.conf": "new" for n in range(MOST_KEYS)}
    config = edited(
        {"nginx.conf": BROKEN} | many,
        last_good=a_last_good({"nginx.conf": GOOD} | dict.fromkeys(many, "old")),
        writes=(a_write("data"),),
    )
    (hint,) = hints(crashing(config))
    assert hint.config_keys == ()
    assert f"{MOST_KEYS} other keys differ too" in hint.reason


# --- what is not offered ---------------------------------------------------------------------------------------------------

MASKED = a_last_good().model_copy(update={"values": {"nginx.conf": GoodValue(value="[redacted:token]", sha256="0" * 64)}})

NOT_OFFERED = [
    pytest.param(edited(last_good=None), "kept nowhere", id="nothing is known"),
    pytest.param(edited(last_good=MASKED), "kept nowhere", id="masked on the way"),
    pytest.param(edited(last_good=a_last_good({"mime.types": "x"})), "kept nowhere", id="another key differs"),
    pytest.param(edited(immutable=True), "immutable", id="immutable"),
    pytest.param(
        edited(last_good=a_last_good(left_out={"nginx.conf": "it looks as if it held a secret"})),
        "not kept: it looks as if it held a secret",
        id="left out as a secret",
    ),
    pytest.param(edited(last_good=a_last_good(added=("nginx.conf",))), "was added after", id="added by a person since"),
]


@pytest.mark.parametrize(("config", "why"), NOT_OFFERED)
def test_without_a_value_that_is_known_a_person_is_asked_and_told_why(config: ConfigReference, why: str) -> None:
    (hint,) = hints(crashing(config))
    assert hint.remedy is Remedy.NONE
    assert why in hint.reason


def test_a_cut_or_masked_value_never_gets_into_a_plan() -> None:
    snapshot = crashing(edited(last_good=MASKED))
    hint = Hint(
        remedy=Remedy.RESTORE_CONFIG,
        object=a_ref("ConfigMap", "conf"),
        config_key="nginx.conf",
        restore_from=RestoreFrom.LAST_GOOD,
        reason="made up",
    )
    diagnosis = believed(snapshot).model_copy(update={"hints": (hint,)})
    candidates = propose(diagnosis, snapshot)
    assert all(candidate.rejected_because for candidate in candidates)
    assert any("masked or cut" in (candidate.rejected_because or "") for candidate in candidates)


NEAR_MISSES = [
    pytest.param("ERROR could not connect to database db:5432: connection refused", id="dependency down"),
    pytest.param("panic: nil pointer dereference", id="a bug"),
    pytest.param("", id="silent"),
]


@pytest.mark.parametrize("log", NEAR_MISSES)
def test_a_difference_alone_is_no_fault_when_the_log_blames_something_else(log: str) -> None:
    assert broken_configuration.detect(crashing(edited(), log)) == []


def test_a_running_container_is_not_broken_by_an_edit_that_it_has_not_read() -> None:
    assert broken_configuration.detect(crashing(edited(), pods=(a_pod(containers=[a_container(log=LOG)]),))) == []


def test_a_release_that_brought_another_configuration_is_still_rolled_back() -> None:
    old, new = (a_template(**a_mounted_config(name, "/etc/nginx")) for name in ("conf-v1", "conf"))
    config = edited(last_good=None, writes=(a_write("data", created=True, at=ago(minutes=11)),), changed_at=ago(minutes=11))
    (finding,) = broken_configuration.detect(
        a_failed_rollout(old, new, containers=[a_crashing_container(LOG)], config=(config,))
    )
    assert finding.hints[0].remedy is Remedy.ROLL_BACK


# --- a key that is gone ----------------------------------------------------------------------------------------------------


def gone(**changes: Any) -> ConfigReference:
    """Key `mode` is needed and not there; it was, until five minutes ago."""
    defaults: dict[str, Any] = {"needed_keys": ("mode",), "last_good": a_last_good({"mode": "fast"}), "writes": ()}
    return a_config("conf", {"other": "1"}, **(defaults | changes))


def stuck(config: ConfigReference) -> Snapshot:
    message = "couldn't find key mode in ConfigMap shop/conf"
    pod = a_pod(containers=[a_waiting_container("CreateContainerConfigError", message)])
    return a_snapshot(pods=(pod,), config=(config,))


def test_a_key_that_was_taken_out_by_hand_goes_back_as_it_was_seen_good() -> None:
    snapshot = stuck(gone())
    (finding,) = missing_reference.detect(snapshot)
    (hint,) = finding.hints
    assert (hint.remedy, hint.restore_from) == (Remedy.RESTORE_CONFIG, RestoreFrom.LAST_GOOD)
    assert "it is not there any more" in hint.reason
    restore = propose(believed(snapshot), snapshot)[0].actions[0]
    assert restore == PatchConfig(target=a_ref("ConfigMap", "conf"), key="mode", value="fast")


def an_apply(at: datetime) -> Any:
    return a_write("data.other", by="kustomize-controller", at=at, applied=True)


ON_PURPOSE = [
    pytest.param(gone(last_applied={"other": "1"}), "the manifest last applied", id="kubectl apply without it"),
    pytest.param(gone(writes=(an_apply(ago(minutes=1)),)), "the manifest of kustomize-controller", id="server-side apply"),
]


@pytest.mark.parametrize(("config", "who"), ON_PURPOSE)
def test_a_key_that_a_declaration_gave_up_is_not_put_back(config: ConfigReference, who: str) -> None:
    (finding,) = missing_reference.detect(stuck(config))
    (hint,) = finding.hints
    assert hint.remedy is Remedy.NONE
    assert "on purpose" in hint.reason
    assert who in hint.reason


def test_a_declaration_from_before_it_was_last_good_says_nothing_about_the_removal() -> None:
    (finding,) = missing_reference.detect(stuck(gone(writes=(an_apply(ago(days=2)),))))
    assert finding.hints[0].remedy is Remedy.RESTORE_CONFIG


def test_a_secret_is_never_restored() -> None:
    assert restorable(a_config("conf", {}, kind="Secret", last_good=a_last_good({"a": "1"})), "a") == ()
