"""What every action owes, demanded of all of them."""

import importlib
import inspect
import json
import pkgutil
from typing import get_args

import pytest
from pydantic import TypeAdapter, ValidationError
from tests.unit.actions.examples import EXAMPLES, Example

from opsmend.domain import actions
from opsmend.domain.actions import ACTIONS, AnyAction
from opsmend.domain.actions.action import Action
from opsmend.domain.target import Kind, ObjectRef

EVERY_ACTION = pytest.mark.parametrize("action", ACTIONS, ids=lambda action: action.__name__)


def _actions_in_the_folder() -> set[type[Action]]:
    modules = [
        importlib.import_module(f"{actions.__name__}.{module.name}") for module in pkgutil.iter_modules(actions.__path__)
    ]
    classes = [cls for module in modules for _, cls in inspect.getmembers(module, inspect.isclass)]
    return {cls for cls in classes if issubclass(cls, Action) and cls is not Action}


def test_every_action_in_the_folder_is_listed() -> None:
    assert set(ACTIONS) == _actions_in_the_folder()


def test_every_listed_action_can_be_part_of_a_plan() -> None:
    assert set(get_args(get_args(AnyAction)[0])) == set(ACTIONS)


def test_no_two_actions_share_the_name_that_policies_use() -> None:
    assert len({action.model_fields["type"].default for action in ACTIONS}) == len(ACTIONS)


@EVERY_ACTION
def test_it_owns_its_effect_its_inverse_and_its_blast_radius(action: type[Action]) -> None:
    assert not inspect.isabstract(action)
    assert action.kinds
    assert action.verb in {"patch", "create", "delete"}
    assert action.__doc__ or inspect.getmodule(action).__doc__


@EVERY_ACTION
def test_it_has_an_example_that_its_promises_are_tested_with(action: type[Action]) -> None:
    assert any(isinstance(example.action, action) for example in EXAMPLES)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.id)
def test_it_tells_values_of_variables_and_config_maps_only_in_the_diff(example: Example) -> None:
    fields = example.action.model_dump(mode="json")
    values = [fields.get("value"), *(variable["value"] for variable in fields.get("env", []))]
    told = json.dumps([example.action.summary(), example.action.parameters()])
    assert not [value for value in values if value and json.dumps(value) in told]
    assert set(example.action.parameters()) == set(fields) - {"type", "target"}


@EVERY_ACTION
def test_it_refuses_an_object_of_another_kind(action: type[Action]) -> None:
    example = next(e.action for e in EXAMPLES if isinstance(e.action, action))
    other = ObjectRef(kind=Kind.SECRET, namespace="shop", name="db")
    with pytest.raises(ValidationError, match="does not work on a Secret"):
        action.model_validate(example.model_dump() | {"target": other.model_dump()})


@EVERY_ACTION
def test_it_refuses_what_it_does_not_know(action: type[Action]) -> None:
    example = next(e.action for e in EXAMPLES if isinstance(e.action, action))
    with pytest.raises(ValidationError, match=r"command\n.*Extra inputs"):
        action.model_validate(example.model_dump() | {"command": "rm -rf /"})


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.id)
def test_it_survives_being_stored_as_json(example: Example) -> None:
    adapter: TypeAdapter[Action] = TypeAdapter(AnyAction)
    assert adapter.validate_json(adapter.dump_json(example.action)) == example.action
