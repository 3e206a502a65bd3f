"""Kubernetes quantities are read exactly and written as people write them."""

from decimal import Decimal

import pytest

from opsmend.domain.quantity import as_cpu, as_memory, quantity


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0", 0),
        ("500m", Decimal("0.5")),
        ("2", 2),
        (2, 2),
        ("1.5Gi", 1610612736),
        ("128Mi", 134217728),
        ("64M", 64000000),
        ("1k", 1000),
        ("2e3", 2000),
        ("12E", 12 * 10**18),
        ("100n", Decimal("1e-7")),
        (".5", Decimal("0.5")),
    ],
)
def test_amounts_of_every_suffix(text: object, value: object) -> None:
    assert quantity(text) == value


@pytest.mark.parametrize("text", [None, "", "much", "12Q", "1 Gi x", "[redacted:password]", "1e9999", "١Mi"])
def test_anything_else_is_no_amount(text: object) -> None:
    assert quantity(text) is None


@pytest.mark.parametrize(
    ("size", "text"),
    [(268435456, "256Mi"), (2147483648, "2Gi"), (1610612736, "1536Mi"), (1048577, "2Mi"), (512, "512"), (2048, "2Ki")],
)
def test_memory_is_written_in_the_largest_fitting_unit(size: int, text: str) -> None:
    assert as_memory(Decimal(size)) == text


@pytest.mark.parametrize(("cores", "text"), [("0.25", "250m"), ("2", "2"), ("0.0001", "1m")])
def test_cores_are_written_in_whole_millicores(cores: str, text: str) -> None:
    assert as_cpu(Decimal(cores)) == text
