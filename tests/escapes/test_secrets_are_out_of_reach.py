"""Nobody of opsmend reads a Secret: not one, not a list of them, not by watching."""

import httpx
import pytest

from tests.escapes.accounts import NAMES, Grounds
from tests.escapes.calls import request

pytestmark = pytest.mark.safety


@pytest.mark.parametrize("account", NAMES)
@pytest.mark.parametrize(
    ("verb", "everywhere"),
    [("get", False), ("list", False), ("watch", False), ("list", True), ("watch", True)],
    ids=["get", "list", "watch", "list-everywhere", "watch-everywhere"],
)
def test_a_secret_is_shown_to_nobody(grounds: Grounds, account: str, verb: str, everywhere: bool) -> None:
    answer = grounds.answer(account, request(verb, "secrets", "" if everywhere else grounds.own, "password"))
    assert answer.status_code == httpx.codes.FORBIDDEN
    assert "hunter2" not in answer.text
    assert "aHVudGVyMg==" not in answer.text
