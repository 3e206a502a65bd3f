"""An object tells which steps of ours changed it."""

from copy import deepcopy

from opsmend.domain.actions.object_digest import MARKER_ANNOTATION, has_marker, marker_of, spec_digest, with_marker
from opsmend.domain.record import JsonObject

BARE: JsonObject = {"metadata": {"name": "web"}, "spec": {"replicas": 1}}


def test_a_marked_object_says_so_and_keeps_its_content() -> None:
    marked = with_marker(BARE, "h1#1")
    assert marker_of(marked) == "h1#1"
    assert has_marker(marked, "h1#1")
    assert spec_digest(marked) == spec_digest(BARE)
    assert not has_marker(BARE, "h1#1")


def test_a_second_step_on_the_same_object_does_not_hide_the_first() -> None:
    marked = with_marker(with_marker(BARE, "h1#1"), "h1#2")
    assert has_marker(marked, "h1#1")
    assert has_marker(marked, "h1#2")


def test_an_undone_step_is_no_longer_claimed() -> None:
    both = with_marker(with_marker(BARE, "h1#1"), "h1#2")
    once = with_marker(both, "h1#undo-2", undone="h1#2")
    assert has_marker(once, "h1#1")
    assert not has_marker(once, "h1#2")
    twice = with_marker(once, "h1#undo-1", undone="h1#1")
    assert twice["metadata"]["annotations"][MARKER_ANNOTATION] == "h1#undo-2,undo-1"


def test_another_plan_starts_afresh() -> None:
    marked = with_marker(with_marker(BARE, "h1#1"), "h2#1")
    assert marker_of(marked) == "h2#1"
    assert not has_marker(marked, "h1#1")


def test_a_step_is_not_mistaken_for_one_whose_id_contains_it() -> None:
    assert not has_marker(with_marker(BARE, "h1#undo-1"), "h1#1")
    assert not has_marker(with_marker(BARE, "h1#12"), "h1#1")


def test_a_taint_of_the_node_controller_is_not_an_edit_of_the_node() -> None:
    node: JsonObject = {"kind": "Node", "metadata": {"name": "n"}, "spec": {"taints": [{"key": "gpu", "effect": "NoSchedule"}]}}
    tainted = deepcopy(node)
    tainted["spec"]["taints"].append({"key": "node.kubernetes.io/not-ready", "effect": "NoExecute"})
    assert spec_digest(tainted) == spec_digest(node)
    tainted["spec"]["taints"].pop(0)
    assert spec_digest(tainted) != spec_digest(node)
