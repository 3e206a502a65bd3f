"""A pager that is set up by half is refused at start, with the names of the variables; its secrets are never shown."""

from contextlib import AsyncExitStack
from typing import Final

import pytest

from opsmend.adapters.pager.pagers import pager_of
from opsmend.adapters.pager.several import NoPager, SeveralPagers
from opsmend.errors import SettingsError
from opsmend.settings import Settings

MAIL: Final = {"SMTP__HOST": "mail", "SMTP__SENDER": "opsmend@example.com", "SMTP__RECIPIENTS": "oncall@example.com"}
SECRET: Final = f"whsec_{'QUJD' * 8}"
HOOK: Final = {"WEBHOOK__URL": "https://hooks.example.com/s3cr3tpath", "WEBHOOK__SECRET": SECRET}


async def configured(monkeypatch: pytest.MonkeyPatch, variables: dict[str, str]) -> NoPager | SeveralPagers:
    for name, value in variables.items():
        monkeypatch.setenv(f"OPSMEND_PAGER__{name}", value)
    async with AsyncExitStack() as stack:
        pager = pager_of(Settings().pager, stack)
    assert isinstance(pager, NoPager | SeveralPagers)
    return pager


@pytest.mark.parametrize(
    "variables",
    [
        {"PAGERDUTY__ROUTING_KEY": "k" * 32},
        {"PAGERDUTY__ROUTING_KEY": "k" * 32, "PAGERDUTY__URL": "https://events.eu.pagerduty.com/v2/enqueue"},
        MAIL,
        MAIL | {"SMTP__USERNAME": "opsmend", "SMTP__PASSWORD": "hunter2hunter2"},
        MAIL | {"SMTP__SECURITY": "none", "SMTP__PORT": "25"},
        HOOK,
        MAIL | HOOK | {"PAGERDUTY__ROUTING_KEY": "k" * 32},
    ],
    ids=" ".join,
)
async def test_what_is_set_up_is_used(monkeypatch: pytest.MonkeyPatch, variables: dict[str, str]) -> None:
    assert isinstance(await configured(monkeypatch, variables), SeveralPagers)


@pytest.mark.parametrize("variables", [{}, {"PAGERDUTY__ROUTING_KEY": "", "SMTP__HOST": "", "TIMEOUT": "PT5S"}])
async def test_nothing_set_is_no_pager(monkeypatch: pytest.MonkeyPatch, variables: dict[str, str]) -> None:
    assert isinstance(await configured(monkeypatch, variables), NoPager)


@pytest.mark.parametrize(
    ("variables", "named"),
    [
        ({"PAGERDUTY__URL": "https://events.eu.pagerduty.com/v2/enqueue"}, "PAGERDUTY__ROUTING_KEY"),
        ({"SMTP__HOST": "mail"}, "SMTP__SENDER"),
        ({"SMTP__PORT": "25"}, "SMTP__HOST"),
        ({"SMTP__HOST": "mail", "SMTP__SENDER": "opsmend@example.com"}, "SMTP__RECIPIENTS"),
        ({"SMTP__PASSWORD": "hunter2hunter2"}, "SMTP__HOST"),
        (MAIL | {"SMTP__PASSWORD": "hunter2hunter2"}, "SMTP__USERNAME"),
        (MAIL | {"SMTP__USERNAME": "opsmend"}, "SMTP__PASSWORD"),
        (
            MAIL | {"SMTP__USERNAME": "opsmend", "SMTP__PASSWORD": "hunter2hunter2", "SMTP__SECURITY": "none"},
            "SMTP__SECURITY is none",
        ),
        ({"WEBHOOK__URL": "https://hooks.example.com/s3cr3tpath"}, "WEBHOOK__SECRET"),
        ({"WEBHOOK__SECRET": SECRET}, "WEBHOOK__URL"),
        (HOOK | {"WEBHOOK__URL": "htp:/hooks.example.com/s3cr3tpath"}, "WEBHOOK__URL"),
        (HOOK | {"WEBHOOK__URL": "https://"}, "WEBHOOK__URL"),
        (HOOK | {"WEBHOOK__SECRET": "hunter2hunter2"}, "WEBHOOK__SECRET"),
        (HOOK | {"WEBHOOK__SECRET": "whsec_hunter2hunter2!"}, "WEBHOOK__SECRET"),
        (HOOK | {"WEBHOOK__SECRET": "whsec_c2hvcnQ="}, "WEBHOOK__SECRET"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_half_a_pager_is_refused_by_name(monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], named: str) -> None:
    with pytest.raises(SettingsError) as refused:
        await configured(monkeypatch, variables)
    assert f"OPSMEND_PAGER__{named}" in str(refused.value)
    for secret in ("hunter2", "s3cr3tpath", SECRET, "k" * 32):
        assert secret not in str(refused.value)


def test_secrets_are_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (HOOK | {"SMTP__PASSWORD": "hunter2hunter2", "PAGERDUTY__ROUTING_KEY": "k" * 32}).items():
        monkeypatch.setenv(f"OPSMEND_PAGER__{name}", value)
    shown = repr(Settings())
    assert not any(secret in shown for secret in ("hunter2", "s3cr3tpath", SECRET, "k" * 32))
