"""The JSON of a failure: `{"error": {"type", "message"}}`. The server writes it, the client reads it."""

import re

from pydantic import BaseModel


class Problem(BaseModel):
    """`type` is stable, for programs; `message` is a sentence, for people."""

    type: str
    message: str


class Failure(BaseModel):
    error: Problem


def problem_type(error: BaseException) -> str:
    """`PlanHashStaleError` as `plan_hash_stale`."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", type(error).__name__.removesuffix("Error")).lower()
