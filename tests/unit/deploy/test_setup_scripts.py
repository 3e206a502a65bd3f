"""The scripts that set up Temporal and Milvus make what the code expects, and are given what they ask for."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from tests.unit.deploy.compose_file import ROOT, environment

from opsmend.workflows.search_attributes import ALL

SCRIPTS = sorted((ROOT / "deploy").glob("*/*.sh"))


def test_the_search_attributes_of_the_code_are_created_and_no_other() -> None:
    named = re.findall(r"^    (Opsmend\w+)", (ROOT / "deploy/temporal/namespace.sh").read_text(), re.MULTILINE)
    assert sorted(named) == sorted(key.name for key in ALL)


def test_the_search_attributes_are_no_more_than_a_sql_store_takes() -> None:
    assert len(ALL) <= 10  # Keyword columns of Temporal's PostgreSQL visibility schema


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_scripts_parse_and_stop_at_the_first_failure(script: Path) -> None:
    shell = shutil.which("sh")
    assert shell is not None
    subprocess.run([shell, "-n", script], check=True)
    assert "\nset -eu\n" in script.read_text()


@pytest.mark.parametrize(
    ("script", "service"),
    [
        ("temporal/schema.sh", "temporal-schema"),
        ("temporal/namespace.sh", "temporal-namespace"),
        ("milvus/user.sh", "milvus-user"),
    ],
)
def test_a_script_is_given_what_it_asks_for(script: str, service: str) -> None:
    asked = re.findall(r"\$\{(\w+):\?\}", (ROOT / "deploy" / script).read_text())
    assert sorted(asked) == sorted(environment(service))


def test_opsmend_and_the_setup_mean_the_same_namespace() -> None:
    created = environment("temporal-namespace")["TEMPORAL_NAMESPACE"]
    assert environment("api")["TEMPORAL_NAMESPACE"] == environment("worker-sre")["TEMPORAL_NAMESPACE"] == created
