"""The line that is named is the first of the policy that is broken, wherever in its file that stands."""

from pathlib import Path

import pytest

from opsmend.errors import SettingsError
from opsmend.policy.engine import CedarJudge

GOOD = '@id("a")\npermit (principal, action, resource);\n'
BROKEN = "permit (oops);\n"
NO_ID = "permit (principal, action, resource);\n"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        pytest.param(BROKEN, 1, id="the first of its file"),
        pytest.param("// why\n\n" + BROKEN, 3, id="the first, below a comment"),
        pytest.param(GOOD + BROKEN, 3, id="right below another"),
        pytest.param(GOOD + NO_ID, 3, id="without an id, right below another"),
        pytest.param(GOOD + "\n// why\n" + BROKEN + NO_ID, 5, id="between others"),
    ],
)
def test_the_line_of_the_broken_policy_is_named(tmp_path: Path, text: str, line: int) -> None:
    (tmp_path / "mine.cedar").write_text(text)
    with pytest.raises(SettingsError) as caught:
        CedarJudge(tmp_path)
    assert str(caught.value).startswith(f"{tmp_path}/mine.cedar:{line}: ")
