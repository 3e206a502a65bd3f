"""What an action changes, its inverse brings back exactly."""

from copy import deepcopy

import pytest
from tests.unit.actions.examples import EXAMPLES, Example

from opsmend.domain.actions.action import LiveObject
from opsmend.domain.actions.object_digest import spec_digest
from opsmend.domain.actions.planned_step import projected

EVERY_EXAMPLE = pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.id)


@EVERY_EXAMPLE
def test_the_action_changes_something(example: Example) -> None:
    assert spec_digest(example.action.project(example.live)) != spec_digest(example.live.object)


@EVERY_EXAMPLE
def test_projecting_leaves_the_live_object_alone(example: Example) -> None:
    before = deepcopy(example.live)
    example.action.project(example.live)
    example.action.inverse(example.live)
    assert example.live == before


@EVERY_EXAMPLE
def test_the_inverse_restores_the_object(example: Example) -> None:
    changed = projected(example.action, example.live)
    restored = projected(example.action.inverse(example.live), changed)
    assert restored.object == example.live.object


@EVERY_EXAMPLE
def test_the_inverse_of_the_inverse_does_it_again(example: Example) -> None:
    changed = projected(example.action, example.live)
    inverse = example.action.inverse(example.live)
    restored = projected(inverse, changed)
    assert projected(inverse.inverse(changed), restored).object == changed.object


@EVERY_EXAMPLE
def test_doing_it_twice_is_doing_it_once(example: Example) -> None:
    changed = projected(example.action, example.live)
    assert example.action.project(changed) == changed.object


@EVERY_EXAMPLE
def test_its_inverse_is_made_for_the_same_object(example: Example) -> None:
    assert example.action.inverse(example.live).target == example.action.target
    assert example.action.target in example.action.blast_radius(example.live).objects


@EVERY_EXAMPLE
def test_edits_of_other_fields_survive_the_way_back(example: Example) -> None:
    changed = projected(example.action, example.live)
    edited = deepcopy(changed.object)
    edited["metadata"]["labels"]["owner"] = "somebody-else"
    restored = example.action.inverse(example.live).project(LiveObject(object=edited, revisions=changed.revisions))
    assert restored["metadata"]["labels"]["owner"] == "somebody-else"
