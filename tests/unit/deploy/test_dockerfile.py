"""The image: pinned, small in rights, without secrets."""

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Final

from tests.unit.deploy.compose_file import OURS, ROOT, SERVICES

DOCKERFILE: Final = (ROOT / "Dockerfile").read_text()
RUNTIME: Final = DOCKERFILE.rpartition("\nFROM ")[2]
"""The last stage: what is shipped."""


def test_hadolint_has_no_complaint() -> None:
    hadolint = shutil.which("hadolint", path=str(Path(sys.executable).parent))
    assert hadolint is not None
    found = subprocess.run(
        [hadolint, "--no-color", "--failure-threshold", "style", "Dockerfile"], cwd=ROOT, capture_output=True, text=True
    )
    assert (found.returncode, found.stdout) == (0, "")


def test_base_images_are_pinned_to_a_patch_release() -> None:
    bases = re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE)
    assert bases
    assert all(re.search(r":\d+\.\d+\.\d+", base) for base in bases)


def test_it_runs_as_nobody_in_particular() -> None:
    assert re.findall(r"^USER (\S+)", RUNTIME, re.MULTILINE) == ["10001:10001"]


def test_dependencies_come_from_the_lock_file_without_those_of_development() -> None:
    installs = re.findall(r"uv sync.*", DOCKERFILE)
    assert installs
    assert all("--frozen --no-dev" in line for line in installs)


def test_the_python_is_one_that_the_package_supports() -> None:
    requires = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["requires-python"]
    minor = set(re.findall(r"^FROM python:3\.(\d+)", DOCKERFILE, re.MULTILINE))
    assert requires == ">=3.11"
    assert len(minor) == 1
    assert int(minor.pop()) >= 11


def test_only_what_is_built_from_is_sent_to_the_builder() -> None:
    ignored = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if line and not line.startswith("#")]
    sent = {line.removeprefix("!") for line in ignored if line.startswith("!")}
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", DOCKERFILE, re.MULTILINE)
    assert ignored[0] == "*"
    assert sent == {path for line in copied for path in line.split()}


def test_no_secret_is_baked_in() -> None:
    assert not re.search(r"^(ARG|ENV).*(TOKEN|PASSWORD|SECRET|KUBECONFIG)", DOCKERFILE, re.MULTILINE)


def test_the_image_knows_when_the_api_is_well() -> None:
    assert "/healthz" in RUNTIME
    assert "--port" in SERVICES["api"]["command"]
    assert SERVICES["api"]["command"] == re.findall(r'"([^"]*)"', RUNTIME.rpartition("CMD ")[2])


def test_every_container_of_ours_has_a_health_check_of_its_own_kind() -> None:
    assert {name for name, service in OURS.items() if "healthcheck" not in service} == {"api"}
