"""The typed actions: all that opsmend can ever do to a cluster. One file each; a new one is listed in ACTIONS and AnyAction."""

from typing import Annotated, Final

from pydantic import Field

from opsmend.domain.actions.action import Action
from opsmend.domain.actions.cordon_node import CordonNode, UncordonNode
from opsmend.domain.actions.patch_autoscaler import PatchAutoscaler
from opsmend.domain.actions.patch_config import PatchConfig
from opsmend.domain.actions.patch_service import PatchService
from opsmend.domain.actions.patch_workload import PatchWorkload
from opsmend.domain.actions.restart_workload import RestartWorkload
from opsmend.domain.actions.rollback_workload import RollbackWorkload
from opsmend.domain.actions.scale_workload import ScaleWorkload
from opsmend.domain.actions.set_image import SetImage
from opsmend.domain.actions.set_resources import SetResources

ACTIONS: Final[tuple[type[Action], ...]] = (
    RollbackWorkload,
    RestartWorkload,
    ScaleWorkload,
    SetResources,
    SetImage,
    PatchConfig,
    PatchWorkload,
    PatchService,
    PatchAutoscaler,
    CordonNode,
    UncordonNode,
)

AnyAction = Annotated[
    RollbackWorkload
    | RestartWorkload
    | ScaleWorkload
    | SetResources
    | SetImage
    | PatchConfig
    | PatchWorkload
    | PatchService
    | PatchAutoscaler
    | CordonNode
    | UncordonNode,
    Field(discriminator="type"),
]
"""Any action, told apart by `type`: how plans hold them and how JSON is read back."""
