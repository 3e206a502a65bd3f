"""A planned step shows exactly what it does, without secrets, and knows when it is stale."""

import re

import pytest
from tests.unit.actions.examples import EXAMPLES, Example
from tests.unit.actions.objects import a_config, a_live_workload, a_ref, a_workload

from opsmend.domain.actions.object_digest import change_digest, spec_digest
from opsmend.domain.actions.patch_config import PatchConfig
from opsmend.domain.actions.planned_step import plan_step, projected
from opsmend.domain.actions.readable_diff import DIFF_LIMIT, readable_diff
from opsmend.domain.actions.scale_workload import ScaleWorkload
from opsmend.domain.actions.set_image import SetImage
from opsmend.domain.plan import PlannedStep
from opsmend.domain.target import Kind
from opsmend.errors import PlanStaleError
from opsmend.policy.redaction import redact

IMAGE = SetImage(target=a_ref(), container="app", image="shop/web:2")
CONFIG = a_ref(Kind.CONFIG_MAP)


def _unchanged(text: str) -> str:
    return text


def _planned(example: Example) -> PlannedStep:
    return plan_step(example.action, example.live, reason="e1", step_id="1", redact=_unchanged)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.id)
def test_every_action_can_be_planned_and_stored(example: Example) -> None:
    step = _planned(example)
    assert step.precondition.spec_digest == spec_digest(example.live.object)
    assert step.diff_digest == change_digest(example.live.object, example.action.project(example.live))
    assert PlannedStep.model_validate_json(step.model_dump_json()) == step


def test_the_diff_shows_the_lines_that_differ() -> None:
    diff = plan_step(IMAGE, a_live_workload(), reason="e1", step_id="1", redact=_unchanged).diff
    assert [line for line in diff.splitlines() if line[0] in "+-"] == [
        "--- Deployment/web now",
        "+++ Deployment/web planned",
        "-        image: shop/web:1",
        "+        image: shop/web:2",
    ]


def test_one_line_of_a_long_value_is_one_line_of_the_diff() -> None:
    live = a_config(**{"nginx.conf": "server {\n  listen 80;\n  root /srv;\n}\n"})
    action = PatchConfig(target=CONFIG, key="nginx.conf", value="server {\n  listen 8080;\n  root /srv;\n}\n")
    diff = plan_step(action, live, reason="e1", step_id="1", redact=_unchanged).diff
    changed = [line.strip("+- ") for line in diff.splitlines()[2:] if line[0] in "+-"]
    assert changed == ["listen 80;", "listen 8080;"]


def test_letters_and_signs_of_any_script_are_shown_as_they_are() -> None:
    """libyaml, which is faster, writes a whole text with one such sign as a single escaped line."""
    live = a_config(motd="Grüße 🚀\nport: 80\n")
    action = PatchConfig(target=CONFIG, key="motd", value="Grüße 🛠\nport: 80\n")
    diff = plan_step(action, live, reason="e1", step_id="1", redact=_unchanged).diff
    assert "-    Grüße 🚀\n+    Grüße 🛠\n" in diff


def test_the_diff_is_redacted() -> None:
    live = a_config(url="postgres://shop:hunter2@db")
    action = PatchConfig(target=CONFIG, key="url", value="postgres://shop:hunter3@db")
    step = plan_step(action, live, reason="e1", step_id="1", redact=lambda text: text.replace("hunter2", "***"))
    assert "hunter2" not in step.diff
    assert "***" in step.diff


def test_a_secret_that_changes_among_other_lines_is_seen_to_change_and_not_shown() -> None:
    live = a_live_workload(image="shop/web:2", env=[{"name": "DB_PASSWORD", "value": "staple-horse"}])
    desired = a_workload(image="shop/web:1", env=[{"name": "DB_PASSWORD", "value": "correct-battery"}])
    diff = readable_diff(live.object, desired, redact)
    assert [line.split(maxsplit=1) for line in diff.splitlines()[3:] if line[0] in "+-"] == [
        ["-", "value: [redacted:password]"],
        ["-", "image: shop/web:2"],
        ["+", "value: [redacted:password]"],
        ["+", "image: shop/web:1"],
    ]


def test_values_of_a_config_are_shown_where_the_plan_changes_them_and_nowhere_around() -> None:
    live = a_config(**{"a.conf": "listen 80;\nroot /srv;\n", "b.conf": "ask orders;\n", "mode": "quiet indeed"})
    action = PatchConfig(target=CONFIG, key="a.conf", value="listen 8080;\nroot /srv;\n")
    diff = plan_step(action, live, reason="e1", step_id="1", redact=_unchanged).diff
    assert "-    listen 80;\n+    listen 8080;\n     [not shown]\n   b.conf: |\n     [not shown]" in diff
    assert not {"root", "orders", "quiet"} & set(re.findall(r"\w+", diff))


def test_variables_are_shown_where_the_plan_changes_them_and_nowhere_around() -> None:
    before = a_workload(env=[{"name": "A", "value": "alpha"}, {"name": "B", "value": "beta"}, {"name": "C", "value": "gamma"}])
    after = a_workload(env=[{"name": "A", "value": "alpha"}, {"name": "B", "value": "delta"}, {"name": "C", "value": "gamma"}])
    diff = readable_diff(before, after, _unchanged)
    assert "-          value: beta\n+          value: delta\n" in diff
    assert not {"alpha", "gamma"} & set(re.findall(r"\w+", diff))


def test_a_variable_that_only_moves_is_not_shown() -> None:
    first, second = {"name": "A", "value": "alpha"}, {"name": "B", "value": "beta\nlines"}
    diff = readable_diff(a_workload(env=[first, second]), a_workload(env=[second, first]), _unchanged)
    assert "+        - name: A\n+          value: [not shown]\n" in diff
    assert not {"alpha", "beta", "lines"} & set(re.findall(r"\w+", diff))


def test_a_long_value_that_yaml_folds_is_hidden_to_its_end() -> None:
    kept = {"name": "LONG", "value": " ".join(f"word{number}" for number in range(80))}
    diff = readable_diff(
        a_workload(env=[kept, {"name": "B", "value": "1"}]), a_workload(env=[kept, {"name": "B", "value": "2"}]), _unchanged
    )
    assert "word" not in diff
    assert "-          value: '1'\n+          value: '2'\n" in diff


def test_a_long_diff_is_cut_and_says_how_much_is_missing() -> None:
    live = a_config(big="old\n" * 5000)
    step = plan_step(
        PatchConfig(target=CONFIG, key="big", value="new\n" * 5000), live, reason="e1", step_id="1", redact=_unchanged
    )
    assert len(step.diff) < DIFF_LIMIT + 200
    assert "more lines" in step.diff.splitlines()[-1]


def test_what_is_already_so_is_no_plan() -> None:
    with pytest.raises(PlanStaleError, match="already is"):
        plan_step(ScaleWorkload(target=a_ref(), replicas=3), a_live_workload(), reason="e1", step_id="1", redact=_unchanged)


def test_a_second_step_on_the_same_object_expects_what_the_first_leaves_behind() -> None:
    live = a_live_workload()
    after = projected(IMAGE, live)
    second = plan_step(ScaleWorkload(target=a_ref(), replicas=5), after, reason="e1", step_id="2", redact=_unchanged)
    assert second.precondition.spec_digest == spec_digest(IMAGE.project(live))
    assert "shop/web" not in "".join(line for line in second.diff.splitlines() if line[0] in "+-")
