"""Every builder yields a valid object without arguments, so that a test names only what it is about."""

import inspect

import pytest
from tests import builders

from opsmend.domain.record import Record

NULLARY = [
    pytest.param(function, id=name)
    for name, function in inspect.getmembers(builders, inspect.isfunction)
    if function.__module__ == builders.__name__
    and not any(
        p.default is inspect.Parameter.empty and p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)
        for p in inspect.signature(function).parameters.values()
    )
    and inspect.signature(function).return_annotation is not inspect.Signature.empty
]


@pytest.mark.parametrize("build", NULLARY)
def test_builder_needs_no_arguments_and_yields_the_same_twice(build: object) -> None:
    assert callable(build)
    assert build() == build()


def test_plan_of_the_builder_carries_its_true_hash() -> None:
    plan = builders.a_plan()
    assert plan.hash == plan.computed_hash()


def test_records_survive_json() -> None:
    for record in (builders.a_snapshot(), builders.a_plan(), builders.an_incident_awaiting_approval(), builders.an_alert()):
        assert isinstance(record, Record)
        assert type(record).model_validate_json(record.model_dump_json()) == record
