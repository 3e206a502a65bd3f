"""What the routes share that people use: how an incident is named, which tokens a route takes, and who says so."""

from typing import Annotated, Any, Final

from fastapi import Path
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from opsmend.domain.approval import Person
from opsmend.policy.reasons import kept_reason

IncidentId = Annotated[str, Path(max_length=512, examples=["incident:prod:shop:deployment:web"])]

Note = Annotated[str, Field(max_length=1000), AfterValidator(lambda text: kept_reason(text, 1000))]
ReasonOfAnAnswer = Annotated[str, Field(max_length=2000), AfterValidator(lambda text: kept_reason(text, 2000))]
Reason = Annotated[str, Field(max_length=500), AfterValidator(lambda text: kept_reason(text, 500))]
"""A person's own words, redacted: they go into histories, logs and messages."""

EITHER_TOKEN: Final[dict[str, Any]] = {"security": [{"apiToken": []}, {"operatorToken": []}]}
OPERATOR_TOKEN: Final[dict[str, Any]] = {"security": [{"operatorToken": []}]}
"""For `openapi_extra`."""


class SaidByAPerson(BaseModel):
    """The body of a request that somebody stands for."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(default="", max_length=128)
    """Who says so, for the record. A claim: the token alone is what is checked."""

    def by(self) -> Person:
        return Person(via="http", id="operator", name=self.name)
