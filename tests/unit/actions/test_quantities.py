"""Amounts are kept as the API server would write them."""

import pytest
from pydantic import ValidationError
from tests.unit.actions.objects import a_ref

from opsmend.domain.actions.quantity import canonical
from opsmend.domain.actions.set_resources import SetResources


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("512Mi", "512Mi"),
        ("1024Mi", "1Gi"),
        ("1536Mi", "1536Mi"),
        ("1.5Gi", "1536Mi"),
        ("0.5", "500m"),
        ("1000m", "1"),
        ("2", "2"),
        ("1500", "1500"),
        ("128000000", "128M"),
        ("1e3", "1k"),
        ("134217728", "134217728"),
        ("1.0", "1"),
        ("0", "0"),
        ("0Mi", "0"),
    ],
)
def test_an_amount_is_written_as_the_server_stores_it(written: str, kept: str) -> None:
    assert canonical(written) == kept
    assert canonical(kept) == kept


@pytest.mark.parametrize(
    "hostile", ["", "-1Mi", "1 Gi", "lots", "1Gi; rm -rf /", "1Mi\n", "9" * 40, "1e999", "0.5n", "NaN", "١Mi"]
)
def test_what_is_no_amount_is_refused(hostile: str) -> None:
    with pytest.raises(ValidationError, match="memory_limit"):
        SetResources(target=a_ref(), container="app", memory_limit=hostile)
