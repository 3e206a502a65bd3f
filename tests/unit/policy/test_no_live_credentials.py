"""Nothing in the repository looks like a live credential: hosting services refuse a push that holds one."""

import re
import subprocess
from pathlib import Path
from typing import Final

import pytest
import re2

from opsmend.policy.needles import Needles, as_bytes, bytewise
from opsmend.policy.secrets.gitleaks_rules import rules
from opsmend.policy.secrets.values import entropy

ROOT: Final = Path(__file__).parents[3]
KNOWN: Final = re.compile(r"AKIA\w*EXAMPLE|bedrock-api-key-YmVkcm9jay5hbWF6b25hd3MuY29t")
"""The key in AWS's manuals, and what a rule of gitleaks consists of."""


def files() -> list[str]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)
    return [name for name in listed.stdout.split("\0") if name]


@pytest.mark.skipif(not files(), reason="needs a checkout")
def test_no_file_has_the_token_of_a_vendor() -> None:
    needles, patterns = (
        Needles(rule.keywords for rule in rules()),
        [re2.compile(r.pattern.encode(), bytewise()) for r in rules()],
    )
    found = []
    for file in (ROOT / name for name in files()):
        text = as_bytes(file.read_text(encoding="utf-8", errors="replace")) if file.is_file() else b""
        for position in needles.may_match(text):
            tokens = (match[0].decode("latin-1") for match in patterns[position].finditer(text))
            wanted = rules()[position].entropy
            found += [
                (str(file.relative_to(ROOT)), token) for token in tokens if entropy(token) >= wanted and not KNOWN.search(token)
            ]
    assert found == [], "break it up, as in 'ghp_' + '…'"
