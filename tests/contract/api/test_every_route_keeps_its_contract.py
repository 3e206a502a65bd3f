"""Schemathesis reads /openapi.json and asks every route what it says it takes, and what it says it does not, with either token.

Every answer is one that the contract describes, bad input is refused, and nothing is answered with a 500.
"""

from typing import Any, Final

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis.specs.openapi.checks import negative_data_rejection
from tests.builders import an_incident_awaiting_approval
from tests.desk_in_memory import DeskInMemory
from tests.unit.api.api_client import API_TOKEN, OPERATOR_TOKEN, an_app

EXAMPLES: Final = 10
"""Of each route and token: some twenty seconds of CPU in all."""

CONFIG: Final = schemathesis.Config.from_dict(
    {
        "checks": {
            # A long body is refused as one, whatever else is wrong with it.
            "negative_data_rejection": {"expected-statuses": [400, 401, 403, 404, 405, 409, 413, 415, 422]},
            # No contract can tell which cursor was given out, or which source a body is meant for.
            "positive_data_acceptance": {"enabled": False},
        }
    }
)


def bad_input_is_refused(ctx: Any, response: Any, case: Any) -> bool | None:
    """The payload as a whole, or those of its alerts that are none."""
    if response.status_code == 202 and response.json().get("refused"):
        return None
    return negative_data_rejection(ctx, response, case)


schema = schemathesis.openapi.from_asgi("/openapi.json", an_app(DeskInMemory(an_incident_awaiting_approval())), config=CONFIG)


@pytest.mark.parametrize("token", [API_TOKEN, OPERATOR_TOKEN], ids=["API token", "operator token"])
@schema.parametrize()
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_every_answer_is_in_the_contract(case: Any, token: str) -> None:
    case.call_and_validate(
        headers={"Authorization": f"Bearer {token}"},
        additional_checks=[bad_input_is_refused],
        excluded_checks=[negative_data_rejection],
    )
