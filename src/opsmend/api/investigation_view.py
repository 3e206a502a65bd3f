"""What is told of an investigation that somebody asked for. The server writes it, the client reads it."""

from pydantic import BaseModel


class InvestigationBegun(BaseModel):
    """`created` is false where one is under way already."""

    id: str
    created: bool
