"""What the environment may say, and what a person reads when it says something else."""

from datetime import timedelta
from typing import Any

import pytest

from opsmend.environment import VARIABLES, read_settings
from opsmend.errors import SettingsError
from opsmend.setting_types import written


@pytest.fixture(autouse=True)
def _nothing_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in VARIABLES:
        monkeypatch.delenv(variable.name, raising=False)


def refusal(monkeypatch: pytest.MonkeyPatch, **environment: str) -> list[str]:
    """The sentences that refuse `environment`."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError) as refused:
        read_settings()
    return str(refused.value).splitlines()


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("OPSMEND_APROVAL__REMIND_AFTER", "OPSMEND_APPROVAL__REMIND_AFTER"),
        ("OPSMEND_APPROVAL__REMINDAFTER", "OPSMEND_APPROVAL__REMIND_AFTER"),
        ("OPSMEND_APPROVAL_REMIND_AFTER", "OPSMEND_APPROVAL__REMIND_AFTER"),
        ("OPSMEND_REMIND_AFTER", "OPSMEND_APPROVAL__REMIND_AFTER"),
        ("opsmend_prometeus_url", "OPSMEND_PROMETHEUS_URL"),
        ("OPSMEND_TEMPORAL_ADDRESS", "TEMPORAL_ADDRESS"),
        ("OPSMEND_API_ADDRESS", "OPSMEND_API_URL"),
        ("OPSMEND_KUBECONFIG", "KUBECONFIG"),
        ("TEMPORAL_ADRESS", "TEMPORAL_ADDRESS"),
        ("TEMPORAL_NAMESPACES", "TEMPORAL_NAMESPACE"),
    ],
)
def test_a_misspelt_variable_is_refused_with_the_nearest_known_name(
    monkeypatch: pytest.MonkeyPatch, given: str, meant: str
) -> None:
    sentence = refusal(monkeypatch, **{given: "10m"})[0]
    assert sentence.startswith(f"{given}: ")
    assert sentence.lower().endswith(f"did you mean {meant.lower()}?")


def test_a_variable_that_resembles_none_leads_to_the_list_of_all(monkeypatch: pytest.MonkeyPatch) -> None:
    (sentence,) = refusal(monkeypatch, OPSMEND_ZZZ="1")
    assert "`opsmend config`" in sentence


def test_a_group_in_one_variable_is_refused_with_a_variable_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    (sentence,) = refusal(monkeypatch, OPSMEND_SLACK='{"api_url": "https://slack.example"}')
    assert "OPSMEND_SLACK__BOT_TOKEN" in sentence
    (sentence,) = refusal(monkeypatch, OPSMEND_SLACK="no JSON")
    assert "OPSMEND_SLACK__BOT_TOKEN" in sentence


@pytest.mark.parametrize(
    "environment",
    [
        pytest.param({"OPSMEND_API_URL": "http://x.example", "OPSMEND_VERSION": "0.1.0", "OPSMEND_PORT": "8080"}, id="ours"),
        pytest.param({"OPSMEND_ZZZ": ""}, id="empty is unset"),
        pytest.param(
            {
                "OPSMEND_SERVICE_HOST": "10.0.0.7",
                "OPSMEND_SERVICE_PORT": "8080",
                "OPSMEND_SERVICE_PORT_HTTP": "8080",
                "OPSMEND_PORT": "tcp://10.0.0.7:8080",
                "OPSMEND_API_PORT": "tcp://10.0.0.7:8080",
                "OPSMEND_API_PORT_8080_TCP": "tcp://10.0.0.7:8080",
                "OPSMEND_API_PORT_8080_TCP_PROTO": "tcp",
                "OPSMEND_API_PORT_8080_TCP_ADDR": "10.0.0.7",
            },
            id="of a Service called opsmend, in its pods",
        ),
        pytest.param(
            {"TEMPORAL_TLS": "true", "TEMPORAL_PROFILE": "prod", "TEMPORAL_API_KEY": "x", "TEMPORAL_CLI_ADDRESS": "x:1"},
            id="Temporal's own",
        ),
    ],
)
def test_what_is_known_elsewhere_is_nobodys_slip(monkeypatch: pytest.MonkeyPatch, environment: dict[str, str]) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    read_settings()


@pytest.mark.parametrize(
    ("variable", "value", "expected"),
    [
        ("OPSMEND_APPROVAL__REMIND_AFTER", "soon", "above zero, such as 30m; got 'soon'."),
        ("OPSMEND_APPROVAL__REMIND_AFTER", "30", "above zero, such as 30m; got '30'."),
        ("OPSMEND_APPROVAL__REMIND_AFTER", "-PT5M", "above zero, such as 30m; got '-PT5M'."),
        ("OPSMEND_APPROVAL__REMIND_AFTER", "0m", "above zero, such as 30m; got '0m'."),
        ("OPSMEND_TEMPORAL__RPC_TIMEOUT", "PT0S", "above zero, such as 5s; got 'PT0S'."),
        ("OPSMEND_INCIDENT__QUIET_AFTER", f"{'9' * 40}d", "above zero, such as 12h; got '999"),
        ("OPSMEND_INCIDENT__INTAKE_WINDOW", "-1s", "not below zero, such as 5s; got '-1s'."),
        ("OPSMEND_PROMETHEUS_URL", "htp:/prometheus:9090", "http:// or https:// address, such as http"),
        ("OPSMEND_PROMETHEUS_URL", "http://", "http:// or https:// address"),
        ("OPSMEND_PROMETHEUS_URL", "prometheus:9090", "http:// or https:// address"),
        ("OPSMEND_PROMETHEUS_URL", "http://prometheus:99999", "http:// or https:// address"),
        ("OPSMEND_PROMETHEUS_URL", "http://prometheus/?x=1", "http:// or https:// address"),
        ("OPSMEND_SLACK__API_URL", "slack.com", "such as https://slack.com/api/; got 'slack.com'."),
        ("OPSMEND_TEMPORAL__UI_URL", "http://[", "such as http://127.0.0.1:8233; got 'http://['."),
        ("TEMPORAL_ADDRESS", "http://temporal:7233", "host:port without a scheme, such as"),
        ("TEMPORAL_ADDRESS", "temporal", "host:port"),
        ("TEMPORAL_ADDRESS", "temporal:0", "host:port"),
        ("OPSMEND_MILVUS__URI", "milvus:19530", "http:// address, or the path of a Milvus Lite file"),
        ("OPSMEND_MILVUS__URI", "htp://milvus", "http:// address, or the path of a Milvus Lite file"),
        ("OPSMEND_BUDGET__TOKENS", "many", "a whole number from 0 up, such as 200000; got 'many'."),
        ("OPSMEND_BUDGET__TOOL_CALLS", "0", "a whole number from 1 up, such as 2000; got '0'."),
        ("OPSMEND_BUDGET__COST_USD", "nan", "an amount in US dollars, such as 2.0; got 'nan'."),
        ("OPSMEND_BUDGET__COST_USD", "-1", "an amount in US dollars"),
        ("OPSMEND_KUBERNETES__CONCURRENCY", "1.5", "a whole number from 1 up, such as 6; got '1.5'."),
        ("OPSMEND_KUBERNETES__EXECUTOR", "Executor", "a name as Kubernetes takes it"),
        ("OPSMEND_LAST_GOOD__NAMESPACES", "shop,../pay", "namespaces separated by commas, such as shop,pay; got '../pay'."),
        ("OPSMEND_LAST_GOOD__INTERVAL", "0.5s", "a second or more, such as 5m; got '0.5s'."),
    ],
)
def test_a_wrong_value_is_refused_with_what_was_expected_and_an_example(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, expected: str
) -> None:
    (sentence,) = refusal(monkeypatch, **{variable: value})
    assert sentence.startswith(f"{variable}: expected ")
    assert expected in sentence


@pytest.mark.parametrize(
    "variable",
    [variable for variable in VARIABLES if variable.expected.example and not variable.secret],
    ids=lambda variable: variable.name,
)
def test_the_example_that_a_refusal_gives_is_taken(monkeypatch: pytest.MonkeyPatch, variable: Any) -> None:
    example = variable.expected.example.split(" or ")[0]
    monkeypatch.setenv(variable.name, example)
    monkeypatch.setattr("opsmend.environment._contradictions", lambda settings: iter(()))
    assert variable.value_in(read_settings()) is not None


def test_every_slip_is_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    told = refusal(monkeypatch, OPSMEND_APROVAL__REMIND_AFTER="5m", OPSMEND_PROMETHEUS_URL="htp:/x", OPSMEND_BUDGET__TOKENS="x")
    assert [line.split(":")[0] for line in told] == [
        "OPSMEND_APROVAL__REMIND_AFTER",
        "OPSMEND_PROMETHEUS_URL",
        "OPSMEND_BUDGET__TOKENS",
    ]


@pytest.mark.parametrize("value", ["two words", "new\nline", "ü", "tab\there"])
def test_a_token_that_fits_into_no_header_is_refused_and_not_shown(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    (sentence,) = refusal(monkeypatch, OPSMEND_OPERATOR_TOKEN=value)
    assert "OPSMEND_OPERATOR_TOKEN" in sentence
    assert value not in sentence


def test_a_password_in_a_refused_address_is_masked(monkeypatch: pytest.MonkeyPatch) -> None:
    (sentence,) = refusal(monkeypatch, OPSMEND_PROMETHEUS_URL="http://admin:hunter2hunter2@prometheus:x/")
    assert "hunter2" not in sentence


@pytest.mark.parametrize(
    ("environment", "named"),
    [
        pytest.param({"OPSMEND_API_TOKEN": "same", "OPSMEND_OPERATOR_TOKEN": "same"}, "OPERATOR_TOKEN", id="the same token"),
        pytest.param({"OPSMEND_SLACK__BOT_TOKEN": "xoxb-1"}, "OPSMEND_SLACK__CHANNEL", id="Slack without a channel"),
        pytest.param({"OPSMEND_SLACK__CHANNEL": "#ops"}, "OPSMEND_SLACK__BOT_TOKEN", id="Slack without a token"),
        pytest.param({"OPSMEND_SLACK__SIGNING_SECRET": "x"}, "OPSMEND_SLACK__BOT_TOKEN", id="only Slack's secret"),
        pytest.param({"OPSMEND_APPROVAL__EXPIRE_AFTER": "1h"}, "30m, 2h, 1h", id="expires before it escalates"),
        pytest.param({"OPSMEND_APPROVAL__REMIND_AFTER": "3h"}, "3h, 2h, 3d", id="reminds after it escalates"),
        pytest.param({"OPSMEND_INCIDENT__VERIFY_INTERVAL": "1h"}, "VERIFY_DEADLINE (10m)", id="no time for a second look"),
    ],
)
def test_settings_that_contradict_each_other_are_refused(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], named: str
) -> None:
    (sentence,) = refusal(monkeypatch, **environment)
    assert named in sentence
    assert "same" not in sentence.split()


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("30m", timedelta(minutes=30)),
        ("2h", timedelta(hours=2)),
        ("90s", timedelta(seconds=90)),
        ("1d", timedelta(days=1)),
        ("1d2h3m4.5s", timedelta(days=1, hours=2, minutes=3, seconds=4.5)),
        ("PT30M", timedelta(minutes=30)),
        ("P1DT1H", timedelta(days=1, hours=1)),
        ("00:01:30", timedelta(seconds=90)),
        (" 30m ", timedelta(minutes=30)),
    ],
)
def test_durations_are_read_as_people_write_them(monkeypatch: pytest.MonkeyPatch, text: str, length: timedelta) -> None:
    monkeypatch.setenv("OPSMEND_INCIDENT__QUIET_AFTER", text)
    assert read_settings().incident.quiet_after == length


@pytest.mark.parametrize("text", ["0s", "0.3s", "1m30s", "30m", "2h", "3d", "1d2h3m4.5s"])
def test_a_duration_is_shown_as_it_may_be_written(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("OPSMEND_LAST_GOOD__STEADY_AFTER", text)
    assert written(read_settings().last_good.steady_after) == text
