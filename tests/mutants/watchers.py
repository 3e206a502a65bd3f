"""Which tests watch which module: paths for pytest, by the module's path below src/opsmend."""

from typing import Final

_WORKFLOWS: Final = "tests/workflows"
_ALERT_TO_FIX: Final = f"{_WORKFLOWS}/test_an_alert_becomes_a_fix.py"
_BILLED: Final = f"{_WORKFLOWS}/test_calls_are_billed.py"
_CAUSE_ENDS: Final = f"{_WORKFLOWS}/test_a_cause_that_ends.py"
_LOST_NODE: Final = f"{_WORKFLOWS}/test_alerts_are_grouped_under_a_lost_node.py"
_READ_BACK: Final = f"{_WORKFLOWS}/test_changes_are_read_back.py"
_SHARED_CAUSE: Final = f"{_WORKFLOWS}/test_targets_that_share_a_cause.py"
_UNDONE: Final = f"{_WORKFLOWS}/test_a_wrong_fix_is_undone.py"

_NEAR: Final[dict[str, tuple[str, ...]]] = {
    "policy": ("tests/unit/policy",),
    "agents": (_BILLED, _ALERT_TO_FIX),
    "agents/architect": (_ALERT_TO_FIX,),
    "agents/architect/remedies.py": ("tests/unit/remedies", "tests/unit/detectors"),
    "agents/deployment": (_READ_BACK, _UNDONE),
    "agents/security": (_ALERT_TO_FIX,),
    "agents/security/checks": ("tests/unit/security",),
    "agents/security/scene.py": ("tests/unit/security",),
    "agents/sre": ("tests/unit/detectors", "tests/unit/health", "tests/unit/remedies"),
    "agents/sre/graph.py": (_ALERT_TO_FIX, _UNDONE, _BILLED),
    "agents/sre/last_good.py": ("tests/unit/last_good",),
    "agents/sre/looks": ("tests/unit/looks",),
    "agents/sre/reading": ("tests/unit/changes", "tests/unit/detectors"),
    "workflows": (_ALERT_TO_FIX, _UNDONE),
    "workflows/aftermath.py": (f"{_WORKFLOWS}/test_chores_hold_nothing_up.py", f"{_WORKFLOWS}/test_people_are_called.py"),
    "workflows/agent_runs.py": (_BILLED, _UNDONE),
    "workflows/change_control.py": (f"{_WORKFLOWS}/test_changes_are_paused_and_limited.py",),
    "workflows/feedback.py": (f"{_WORKFLOWS}/test_people_steer_an_incident.py",),
    "workflows/first_messages.py": (f"{_WORKFLOWS}/test_a_storm_in_chat.py",),
    "workflows/incoming.py": (f"{_WORKFLOWS}/test_alerts_join_incidents.py", f"{_WORKFLOWS}/test_alerts_that_were_left_out.py"),
    "workflows/keep_last_good.py": (f"{_WORKFLOWS}/test_good_configuration_is_kept.py",),
    "workflows/phases/closing.py": (f"{_WORKFLOWS}/test_chores_hold_nothing_up.py", _ALERT_TO_FIX),
    "workflows/phases/crew.py": (_BILLED, _UNDONE),
    "workflows/phases/grouping.py": (_SHARED_CAUSE, _CAUSE_ENDS),
    "workflows/phases/guests.py": (_LOST_NODE,),
    "workflows/phases/paging.py": (f"{_WORKFLOWS}/test_people_are_called.py",),
    "workflows/phases/question.py": (f"{_WORKFLOWS}/test_approvals.py",),
    "workflows/phases/sitting_out.py": (
        f"{_WORKFLOWS}/test_planned_maintenance.py",
        f"{_WORKFLOWS}/test_a_look_in_the_wrong_moment.py",
        _LOST_NODE,
    ),
    "workflows/phases/steering.py": (f"{_WORKFLOWS}/test_people_steer_an_incident.py",),
    "workflows/phases/telling.py": (f"{_WORKFLOWS}/test_people_are_called.py", f"{_WORKFLOWS}/test_a_storm_in_chat.py"),
    "workflows/priority.py": (f"{_WORKFLOWS}/test_who_goes_first_in_a_storm.py",),
    "workflows/shared_cause.py": (_SHARED_CAUSE, _CAUSE_ENDS),
    "workflows/target_lock.py": (
        f"{_WORKFLOWS}/test_a_lock_outlives_a_run_and_not_its_holder.py",
        f"{_WORKFLOWS}/test_one_question_for_one_problem.py",
    ),
    "workflows/watchdog.py": (f"{_WORKFLOWS}/test_the_watchdog.py",),
}

_FAR: Final[dict[str, tuple[str, ...]]] = {
    "policy": ("tests/unit/security", "tests/unit/last_good", "tests/unit/api/test_secrets_in_alerts.py"),
    "agents": tuple(
        f"tests/unit/{folder}" for folder in ("changes", "detectors", "health", "last_good", "looks", "remedies", "security")
    ),
    "workflows": ("tests/replay", _WORKFLOWS),
}

PACKAGES: Final = tuple(_FAR)


def near(module: str) -> tuple[str, ...]:
    """Tried first: most mutants die here within seconds. The longest known beginning of the path counts."""
    return _NEAR[max((known for known in _NEAR if module == known or module.startswith(f"{known}/")), key=len)]


def far(module: str) -> tuple[str, ...]:
    """Tried on what survived the tests near by: the others of the suite that are about the package."""
    return _FAR[module.partition("/")[0]]
