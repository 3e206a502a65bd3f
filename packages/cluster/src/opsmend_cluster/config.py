"""What a cluster is started with."""

from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, Field

from opsmend_cluster.api.access import Access
from opsmend_cluster.kubelet.rules import NGINX, Rule
from opsmend_cluster.timing import Timing


class ClusterConfig(BaseModel):
    """All of it is data: read from JSON or YAML by `read_config`, or built in a test."""

    model_config = ConfigDict(extra="forbid")

    timing: Timing = Timing()
    rules: list[Rule] = Field(default_factory=lambda: [NGINX])
    access: Access = Field(default_factory=Access)
    nodes: tuple[str, ...] = ("node-a", "node-b")
    node_capacity: dict[str, str] = Field(default_factory=lambda: {"cpu": "4", "memory": "8Gi", "pods": "110"})
    seed: int = 1
    """Of the random numbers in names and uids: the same seed and requests, the same names."""


def read_config(path: Path) -> ClusterConfig:
    """Raises:
    pydantic.ValidationError: the file says something else.
    """
    content: Any = yaml.safe_load(path.read_text())
    return ClusterConfig.model_validate(content or {})
