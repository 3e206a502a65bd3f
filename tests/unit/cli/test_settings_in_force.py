"""`opsmend config`, and what every command says of an environment that cannot be meant."""

import json

import pytest
from tests.desk_in_memory import DeskInMemory
from tests.unit.cli.run_cli import run_cli

from opsmend.cli.commands import COMMANDS
from opsmend.environment import VARIABLES

REST = {
    **{command: ["x"] for command in ("incident", "explain", "approve", "questions", "take-over", "stop", "wrong")},
    **{command: ["deployment/web", "-n", "shop"] for command in ("investigate", "release")},
    "answer": ["x", "approve"],
    "reject": ["x", "--reason", "no"],
    "snooze": ["x", "2h"],
}


def config(*args: str, **environment: str) -> str:
    shown = run_cli(DeskInMemory(), "config", *args, **environment)
    assert shown.exit_code == 0, shown.stderr
    return shown.stdout


def test_each_setting_is_told_with_its_source() -> None:
    lines = {line.split()[0]: line.split()[1:] for line in config(OPSMEND_APPROVAL__REMIND_AFTER="PT20M").splitlines()}
    assert lines.keys() == {"KUBECONFIG", *(variable.name for variable in VARIABLES)}
    assert lines["OPSMEND_APPROVAL__REMIND_AFTER"] == ["environment", "20m"]
    assert lines["OPSMEND_APPROVAL__ESCALATE_AFTER"] == ["default", "2h"]
    assert lines["OPSMEND_MILVUS__URI"] == ["default", "not", "set"]


def test_secrets_are_masked_in_both_forms() -> None:
    secrets = {variable.name: f"hunter2-{index}" for index, variable in enumerate(VARIABLES) if variable.secret}
    environment = secrets | {
        "OPSMEND_SLACK__CHANNEL": "#ops",
        "OPSMEND_PROMETHEUS_URL": "http://admin:hunter2hunter2@prometheus:9090",
    }
    for form in ([], ["--json"]):
        assert "hunter2" not in config(*form, **environment)


def test_a_narrow_terminal_cuts_nothing() -> None:
    url = "http://prometheus.monitoring.svc.cluster.local:9090/a/long/path/that/no/terminal/of/forty/columns/holds"
    (line,) = [line for line in config(OPSMEND_PROMETHEUS_URL=url, COLUMNS="40").splitlines() if "PROMETHEUS" in line]
    assert line.endswith(url)


def test_programs_read_it_as_json() -> None:
    told = {row["variable"]: row for row in json.loads(config("--json"))}
    assert told["OPSMEND_DATA_DIR"] == {"variable": "OPSMEND_DATA_DIR", "source": "default", "value": ".opsmend"}
    assert told["OPSMEND_MILVUS__URI"]["value"] is None


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_refuses_a_wrong_environment_in_sentences(command: str) -> None:
    environment = {"OPSMEND_APROVAL__REMIND_AFTER": "5m", "OPSMEND_PROMETHEUS_URL": "htp:/prometheus"}
    refused = run_cli(DeskInMemory(), command, *REST.get(command, []), **environment)
    assert refused.exit_code == 78
    assert refused.stdout == ""
    first, second = refused.stderr.splitlines()
    assert "OPSMEND_APPROVAL__REMIND_AFTER" in first
    assert "OPSMEND_PROMETHEUS_URL" in second
