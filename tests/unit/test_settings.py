"""What holds when nothing is set, as the docs promise it, and how variables are read."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from opsmend.domain.alert import Severity
from opsmend.domain.budget import Budget
from opsmend.domain.change_control import ChangeLimits
from opsmend.domain.health import STEADY_AT_LEAST
from opsmend.domain.incident import Patience
from opsmend.domain.mentions import mentioned
from opsmend.environment import read_settings
from opsmend.errors import SettingsError
from opsmend.settings import ApprovalSettings, BudgetSettings, IncidentSettings, LimitsSettings, Settings

PROMISED: dict[str, Any] = {
    "api_token": None,
    "operator_token": None,
    "prometheus_url": None,
    "data_dir": Path(".opsmend"),
    "temporal_address": None,
    "temporal_namespace": "default",
    "langsmith_tracing": False,
    "instance": None,
    "temporal": {"ui_url": "http://127.0.0.1:8233", "retention": timedelta(days=30), "rpc_timeout": timedelta(seconds=5)},
    "kubernetes": {
        "cluster": None,
        "context": None,
        "request_timeout": timedelta(seconds=10),
        "concurrency": 6,
        "executor": None,
        "executor_namespace": "opsmend",
    },
    "approval": {
        "remind_after": timedelta(minutes=30),
        "escalate_after": timedelta(hours=2),
        "expire_after": timedelta(days=3),
    },
    "incident": {
        "intake_window": timedelta(seconds=5),
        "verify_interval": timedelta(seconds=10),
        "verify_checks": 3,
        "verify_deadline": timedelta(minutes=10),
        "finish_within": timedelta(seconds=10),
        "lock_deadline": timedelta(minutes=30),
        "quiet_after": timedelta(hours=12),
        "look_again_after": timedelta(minutes=15),
    },
    "budget": {"tool_calls": 2000, "tokens": 200_000, "cost_usd": 2.0},
    "intake": {
        "heartbeats": ("Watchdog", "InfoInhibitor", "DeadMansSwitch"),
        "heartbeat_severities": ("none",),
        "grafana_secret": None,
    },
    "limits": {"per_namespace": 20, "per_cluster": 60, "remedies_per_target": 3},
    "storm": {"investigations_at_once": 10, "new_messages_per_minute": 20},
    "slack": {
        "bot_token": None,
        "signing_secret": None,
        "app_token": None,
        "channel": None,
        "escalation_channel": None,
        "mentions": (),
        "api_url": "https://slack.com/api/",
    },
    "pager": {
        "timeout": timedelta(seconds=15),
        "pagerduty": {"routing_key": None, "url": "https://events.pagerduty.com/v2/enqueue"},
        "smtp": {
            "host": None,
            "port": 587,
            "security": "starttls",
            "username": None,
            "password": None,
            "sender": None,
            "recipients": (),
        },
        "webhook": {"url": None, "secret": None},
    },
    "milvus": {"uri": None, "token": None, "collection": "opsmend_postmortems", "timeout": timedelta(seconds=5)},
    "policy": {"directory": None},
    "last_good": {"namespaces": (), "interval": timedelta(minutes=5), "steady_after": STEADY_AT_LEAST},
    "metrics": {"port": None, "host": "127.0.0.1"},
}


@pytest.fixture(autouse=True)
def _nothing_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("TEMPORAL_ADDRESS", "TEMPORAL_NAMESPACE"):
        monkeypatch.delenv(name, raising=False)


def test_defaults_are_those_that_the_docs_promise() -> None:
    assert Settings().model_dump() == PROMISED


def test_terms_of_an_incident_are_the_same_with_and_without_settings() -> None:
    assert Patience(**IncidentSettings().model_dump(), **ApprovalSettings().model_dump()) == Patience()
    assert Budget(**BudgetSettings().model_dump()) == Budget()


def test_limits_of_change_are_the_same_with_and_without_settings() -> None:
    assert ChangeLimits(**LimitsSettings().model_dump()) == ChangeLimits()
    assert set(LimitsSettings.model_fields) == set(ChangeLimits.model_fields)


def test_every_term_of_an_incident_can_be_set() -> None:
    assert {*IncidentSettings.model_fields, *ApprovalSettings.model_fields} == set(Patience.model_fields)
    assert set(BudgetSettings.model_fields) == set(Budget.model_fields)


@pytest.mark.parametrize(
    ("variable", "value", "read"),
    [
        ("OPSMEND_APPROVAL__REMIND_AFTER", "PT5M", lambda s: s.approval.remind_after == timedelta(minutes=5)),
        ("OPSMEND_APPROVAL__REMIND_AFTER", "00:01:30", lambda s: s.approval.remind_after == timedelta(seconds=90)),
        ("OPSMEND_KUBERNETES__CLUSTER", "prod", lambda s: (s.kubernetes.cluster, s.kubernetes.name) == ("prod", "prod")),
        ("OPSMEND_KUBERNETES__CLUSTER", "", lambda s: (s.kubernetes.cluster, s.kubernetes.name) == (None, "default")),
        ("OPSMEND_SLACK__BOT_TOKEN", "", lambda s: s.slack.bot_token is None),
        ("OPSMEND_SLACK__MENTIONS", "shop=here", lambda s: mentioned(s.slack.mentions, "shop", Severity.INFO) == ("here",)),
        ("OPSMEND_SLACK__MENTIONS", "", lambda s: s.slack.mentions == ()),
        ("OPSMEND_PAGER__PAGERDUTY__ROUTING_KEY", "k" * 32, lambda s: s.pager.pagerduty.routing_key is not None),
        (
            "OPSMEND_PAGER__SMTP__RECIPIENTS",
            "oncall@example.com, sre@example.com,",
            lambda s: s.pager.smtp.recipients == ("oncall@example.com", "sre@example.com"),
        ),
        ("OPSMEND_LAST_GOOD__NAMESPACES", "shop", lambda s: s.last_good.namespaces == ("shop",)),
        ("OPSMEND_LAST_GOOD__NAMESPACES", " shop, pay ,", lambda s: s.last_good.namespaces == ("shop", "pay")),
        ("OPSMEND_LAST_GOOD__NAMESPACES", "", lambda s: s.last_good.namespaces == ()),
        ("OPSMEND_LAST_GOOD__INTERVAL", "PT90S", lambda s: s.last_good.interval == timedelta(seconds=90)),
        ("TEMPORAL_ADDRESS", "temporal:7233", lambda s: s.temporal_address == "temporal:7233"),
    ],
)
def test_variables_are_read(monkeypatch: pytest.MonkeyPatch, variable: str, value: str, read: Any) -> None:
    monkeypatch.setenv(variable, value)
    assert read(Settings())


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("OPSMEND_INCIDENT__VERIFY_CHECKS", "0"),
        ("OPSMEND_APPROVAL__REMIND_AFTER", "soon"),
        ("OPSMEND_LAST_GOOD__NAMESPACES", "shop,../pay"),
        ("OPSMEND_LAST_GOOD__NAMESPACES", '["shop"]'),
        ("OPSMEND_LAST_GOOD__NAMESPACES", "*"),
        ("OPSMEND_LAST_GOOD__INTERVAL", "PT0S"),
        ("OPSMEND_SLACK__MENTIONS", "critical=@mia"),
        ("OPSMEND_PAGER__PAGERDUTY__URL", "events.pagerduty.com"),
        ("OPSMEND_PAGER__TIMEOUT", "26s"),
        ("OPSMEND_PAGER__TIMEOUT", "PT26S"),
        ("OPSMEND_PAGER__TIMEOUT", "PT0S"),
        ("OPSMEND_PAGER__SMTP__SECURITY", "ssl"),
        ("OPSMEND_PAGER__SMTP__PORT", "0"),
        ("OPSMEND_PAGER__SMTP__HOST", "smtp://mail.example.com"),
        ("OPSMEND_PAGER__SMTP__SENDER", "opsmend"),
        ("OPSMEND_PAGER__SMTP__SENDER", "ops@example.com\nBcc: everybody@example.com"),
        ("OPSMEND_PAGER__SMTP__RECIPIENTS", "oncall@example.com;sre@example.com"),
        ("OPSMEND_PAGER__SMTP__RECIPIENTS", "On call <oncall@example.com>"),
    ],
)
def test_a_value_that_cannot_work_is_named(monkeypatch: pytest.MonkeyPatch, variable: str, value: str) -> None:
    monkeypatch.setenv(variable, value)
    field = variable.rsplit("__", 1)[1].lower()
    with pytest.raises(ValidationError, match=field):
        Settings()


def test_a_person_is_told_which_mention_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPSMEND_SLACK__MENTIONS", "*=here; critical=@mia")
    with pytest.raises(SettingsError) as refused:
        read_settings()
    assert str(refused.value) == (
        "OPSMEND_SLACK__MENTIONS: `critical=@mia` mentions `@mia`: expected ids as Slack shows them (U… or W… for a person, "
        "S… for a user group), `here`, `channel`, or `none` alone."
    )


def test_secrets_are_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPSMEND_API_TOKEN", "hunter2hunter2")
    assert "hunter2" not in repr(Settings())
