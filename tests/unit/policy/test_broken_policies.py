"""A broken policy stops opsmend at its start, with the file and the line, and never weakens a decision."""

from pathlib import Path

import pytest
from tests.unit.policy.plans import a_restart_plan

from opsmend.domain.verdict import Autonomy
from opsmend.errors import SettingsError
from opsmend.policy.engine import CedarJudge

GOOD = '// leave\n@id("ask")\npermit (\n  principal,\n  action in Action::"change",\n  resource\n);\n\n'

BROKEN = {
    "does not parse": ('@id("x")\npermit (principal, action, resource', "b.cedar:9: "),
    "unknown variable": ('// why\n@id("x")\npermit (oops);\n', "b.cedar:10: "),
    "unknown attribute": ('@id("x")\nforbid (principal, action, resource) when { resource.namspace == "a" };', "b.cedar:9: "),
    "unknown action": ('@id("x")\nforbid (principal, action == Action::"restart", resource);', "b.cedar:9: "),
    "no id": ("\nforbid (principal, action, resource);", "b.cedar:10: "),
    "id used twice": ('@id("ask")\nforbid (principal, action, resource);', 'b.cedar:9: @id("ask") is already used at '),
}


@pytest.mark.parametrize(("policy", "place"), BROKEN.values(), ids=BROKEN.keys())
def test_broken_policy_is_named_by_file_and_line(tmp_path: Path, policy: str, place: str) -> None:
    (tmp_path / "a.cedar").write_text("// nothing yet\n")
    (tmp_path / "b.cedar").write_text(GOOD + policy)
    with pytest.raises(SettingsError) as caught:
        CedarJudge(tmp_path)
    assert str(caught.value).startswith(f"{tmp_path}/{place}")


def test_policy_file_that_is_not_text_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.cedar").write_bytes(b"\xff\xfe")
    with pytest.raises(SettingsError, match=r"a\.cedar: cannot be read"):
        CedarJudge(tmp_path)


@pytest.mark.parametrize("exists", [True, False], ids=["empty", "missing"])
def test_folder_without_policies_is_a_mistake(tmp_path: Path, exists: bool) -> None:
    folder = tmp_path if exists else tmp_path / "nowhere"
    with pytest.raises(SettingsError, match="OPSMEND_POLICY__DIRECTORY"):
        CedarJudge(folder)


def test_without_a_permit_opsmend_only_observes(tmp_path: Path) -> None:
    (tmp_path / "a.cedar").write_text('@id("no")\nforbid (principal, action == Action::"set_image", resource);')
    decision = CedarJudge(tmp_path).judge_plan(a_restart_plan(), cluster="demo", severity="info", hour_utc=0)
    assert decision.autonomy is Autonomy.OBSERVE
    assert decision.policies == ()


def test_auto_without_approve_is_not_reached(tmp_path: Path) -> None:
    (tmp_path / "a.cedar").write_text(
        '@id("odd")\npermit (principal, action in Action::"change", resource) when { context.mode == "auto" };'
    )
    decision = CedarJudge(tmp_path).judge_plan(a_restart_plan(), cluster="demo", severity="info", hour_utc=0)
    assert decision.autonomy is Autonomy.OBSERVE


def test_a_forbid_that_cannot_be_evaluated_denies(tmp_path: Path) -> None:
    """Cedar itself skips such a policy, which would let the plan through."""
    overflow = f"context.pods * {2**62} > 5"
    (tmp_path / "a.cedar").write_text(
        GOOD + f'@id("sum")\nforbid (principal, action in Action::"change", resource) when {{ {overflow} }};'
    )
    decision = CedarJudge(tmp_path).judge_plan(a_restart_plan(pods=9), cluster="demo", severity="info", hour_utc=0)
    assert decision.autonomy is Autonomy.OBSERVE
    assert "not evaluated" in decision.reason
