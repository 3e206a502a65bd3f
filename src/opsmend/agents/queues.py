"""The task queues. Each agent's work runs only on its own queue, so that its worker can hold only its own credentials."""

from typing import Final, Literal, get_args

Role = Literal["workflows", "architect", "security", "deployment", "sre", "connectors"]
"""What a worker process may be: who works on one of the queues."""
ROLES: Final[tuple[Role, ...]] = get_args(Role)

WORKFLOWS: Final = "opsmend-workflows"
ARCHITECT: Final = "opsmend-architect"
SECURITY: Final = "opsmend-security"
DEPLOYMENT: Final = "opsmend-deployment"
SRE: Final = "opsmend-sre"
CONNECTORS: Final = "opsmend-connectors"


def agent_of(queue: str) -> str:
    """Who works on it: `sre`, `deployment`, `connectors`."""
    return queue.removeprefix("opsmend-")
