"""Where commands write: results to stdout, complaints to stderr."""

import json

from pydantic import BaseModel
from rich.console import Console, RenderableType

from opsmend.console.incident_report import say


def show(result: RenderableType) -> None:
    Console(soft_wrap=False).print(result)


def show_json(result: BaseModel) -> None:
    """For programs: JSON in ASCII, so that nothing in it can control a terminal."""
    Console(soft_wrap=True, markup=False, highlight=False).out(json.dumps(result.model_dump(mode="json"), indent=2))


def complain(sentence: str) -> None:
    Console(stderr=True, highlight=False).print(say(sentence, "red"), soft_wrap=True)
