"""Claims for volumes, and what there is to answer them."""

from pydantic import AwareDatetime

from opsmend.domain.record import Record
from opsmend.domain.target import ObjectRef


class Claim(Record):
    """A PersistentVolumeClaim. Quantities as Kubernetes writes them."""

    ref: ObjectRef
    exists: bool = True
    phase: str = ""
    """Pending, Bound or Lost."""
    storage_class: str | None = None
    """None asks for the default one, an empty string for none at all."""
    access_modes: tuple[str, ...] = ()
    requested: str = ""
    volume: str = ""
    """The PersistentVolume that it is bound to, or that it asks for by name."""
    created_at: AwareDatetime | None = None
    waiting_pods: tuple[str, ...] = ()
    """Pods that mount it and have no node yet."""


class StorageClass(Record):
    name: str
    provisioner: str = ""
    binding_mode: str = "Immediate"
    """Immediate or WaitForFirstConsumer."""
    default: bool = False


class Volume(Record):
    """A PersistentVolume."""

    name: str
    capacity: str = ""
    access_modes: tuple[str, ...] = ()
    storage_class: str = ""
    phase: str = ""
    """Available, Bound, Released or Failed."""


class Storage(Record):
    """The claims in question, and the classes and volumes of the cluster; None where these were not seen."""

    claims: tuple[Claim, ...] = ()
    classes: tuple[StorageClass, ...] | None = None
    volumes: tuple[Volume, ...] | None = None
    """Read only where a claim asks for no class, or for one that makes no volumes."""
