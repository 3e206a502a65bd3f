"""What the documents name exists: files, commands, targets of make, variables, routes of the code."""

import re
from pathlib import Path
from typing import Final

import pytest
from tests.unit.deploy.compose_file import ROOT
from tests.unit.deploy.settings_variables import SETTINGS

from opsmend.api.alerts import SOURCES
from opsmend.cli.commands import COMMANDS
from opsmend.domain.actions import ACTIONS
from opsmend.workflows.search_attributes import ALL

DOCUMENTS: Final = sorted(
    path
    for path in (*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("deploy/**/*.md"))
    if "secrets" not in path.parts
)
PACKAGE: Final = ROOT / "src/opsmend"
PLACES: Final = (ROOT, PACKAGE, PACKAGE / "agents", PACKAGE / "agents/sre", PACKAGE / "api")
"""Where a path in a document may begin."""

OTHER_VARIABLES: Final = {
    "OPSMEND_API_URL",  # of the CLI's options
    "OPSMEND_TOKEN",  # Datadog keeps it
    "OPSMEND_TEST_KUBECONFIG",
    "OPSMEND_APROVAL__REMIND_AFTER",  # a slip that is shown
    "OPSMEND_SERVICE_HOST",  # Kubernetes adds it to pods
    "OPSMEND_PORT",
}

MADE_LATER: Final = {"deploy/compose/secrets/", ".opsmend/lab", ".opsmend/mutants/"}
"""By whoever deploys, by `make lab-up`, and by `make mutants`."""

in_each = pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))


def _in_backticks(path: Path) -> list[str]:
    return re.findall(r"`([^`\n]+)`", path.read_text())


@in_each
def test_links_lead_somewhere(path: Path) -> None:
    targets = re.findall(r"\]\((?!https?:)([^)#]+)", path.read_text())
    assert [target for target in targets if target not in MADE_LATER and not (path.parent / target).exists()] == []


@in_each
def test_files_of_the_code_exist(path: Path) -> None:
    named = [name for name in _in_backticks(path) if re.fullmatch(r"[\w./-]+/[\w.-]*|[\w./-]+/[\w.-]+\.\w+", name)]
    files = [name for name in named if name.split("/")[0] in {p.name for place in PLACES for p in place.iterdir()}]
    gone = [
        name
        for name in files
        if name not in MADE_LATER and not any((place / name).exists() for place in (*PLACES, path.parent))
    ]
    assert gone == []


@in_each
def test_commands_exist(path: Path) -> None:
    named = re.findall(r"(?:^|[`/ ])opsmend ([a-z-]+)\b", "\n".join([*_in_backticks(path), *_code_blocks(path)]))
    assert set(named) <= COMMANDS.keys()


@in_each
def test_targets_of_make_exist(path: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"\bmake ([a-z-]+)", "\n".join([*_in_backticks(path), *_code_blocks(path)]))) <= targets


@in_each
def test_variables_are_real_settings(path: Path) -> None:
    named = set(re.findall(r"\bOPSMEND_[A-Z_]+[A-Z]\b(?!_)", path.read_text()))
    assert named - OTHER_VARIABLES <= SETTINGS.keys()


def test_the_readme_lists_the_actions() -> None:
    readme = (ROOT / "README.md").read_text()
    sentence = readme.partition("Eleven actions, and nothing else:")[2].partition("Each shows")[0]
    assert re.findall(r"`(\w+)`", sentence) == [action.model_fields["type"].default for action in ACTIONS]
    assert len(ACTIONS) == 11


def test_the_architecture_lists_the_search_attributes() -> None:
    assert re.findall(r"`(Opsmend\w+)`", (ROOT / "ARCHITECTURE.md").read_text()) == [key.name for key in ALL]


def test_the_architecture_is_read_in_one_sitting() -> None:
    assert len((ROOT / "ARCHITECTURE.md").read_text().splitlines()) <= 150


@pytest.mark.parametrize("source", SOURCES)
def test_the_readme_tells_how_to_connect_each_source(source: str) -> None:
    assert source in (ROOT / "README.md").read_text().lower()


def _code_blocks(path: Path) -> list[str]:
    return re.findall(r"```\w*\n(.*?)```", path.read_text(), re.DOTALL)
