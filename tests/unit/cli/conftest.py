"""A terminal that knows of no running opsmend."""

from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def _an_empty_working_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("OPSMEND_API_URL", "OPSMEND_DATA_DIR", "OPSMEND_API_TOKEN", "TEMPORAL_ADDRESS", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
