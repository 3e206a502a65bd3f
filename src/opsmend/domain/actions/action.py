"""What every action owes: a typed model, its effect on the live object, its inverse and its blast radius.

All of it is pure: an action never calls anything. The Architect projects it to show the exact diff, the cluster adapter
projects it again on the object as it stands at execution, and the two must agree.
"""

from abc import abstractmethod
from typing import ClassVar, Final, Self

from pydantic import model_validator

from opsmend.domain.record import JsonObject, Record, StrictRecord
from opsmend.domain.snapshot import Revision
from opsmend.domain.target import Kind, ObjectRef

IN_THE_DIFF: Final = "as in the diff"
"""Stands for a value that only the diff of its step shows."""


class LiveObject(Record):
    """The object of an action as just read, with what its projection may need.

    Unredacted, for a change must be exact: never store it, and never put it into workflow history.
    """

    object: JsonObject
    """As the API returned it, Secret values never among it."""
    revisions: tuple[Revision, ...] = ()
    """For actions that need them: the revisions of the workload, newest first."""


class BlastRadius(StrictRecord):
    """What a change touches if all goes as planned."""

    pods: int
    """Pods that are replaced, stopped or started."""
    interrupts: bool
    """Whether running, ready pods are replaced or lose traffic."""
    objects: tuple[ObjectRef, ...]

    def __str__(self) -> str:
        touched = ", ".join(str(ref) for ref in self.objects)
        return f"{self.pods} pods of {touched}" + (", running pods are replaced" if self.interrupts else "")


class Action(StrictRecord):
    """Base of all actions. Subclasses set a `type` Literal, which is also the name that policies use."""

    kinds: ClassVar[frozenset[Kind]]
    """The kinds of object that it may be used on."""
    verb: ClassVar[str] = "patch"
    """The RBAC verb of its mutation."""

    target: ObjectRef

    @model_validator(mode="after")
    def _is_made_for_this_kind(self) -> Self:
        if self.target.kind not in self.kinds:
            raise ValueError(
                f"{type(self).__name__} does not work on a {self.target.kind}, only on {', '.join(sorted(self.kinds))}"
            )
        return self

    @property
    def needed_template(self) -> str:
        """Digest of the pod template that its projection takes from the revisions of a workload; empty for most actions."""
        return ""

    @abstractmethod
    def summary(self) -> str:
        """One sentence for a person, with names and numbers."""

    def parameters(self) -> JsonObject:
        """What it sets, field by field. Values of variables and ConfigMaps only stand in the diff."""
        return self.model_dump(mode="json", exclude={"type", "target"})

    @abstractmethod
    def project(self, live: LiveObject) -> JsonObject:
        """The object as it shall be. Does not alter `live`. Projecting it on its own result changes nothing.

        Raises:
            PlanStaleError: the object no longer has what the action changes.
        """

    @abstractmethod
    def inverse(self, live: LiveObject) -> "Action":
        """The action that brings the fields changed by this one back to what they are in `live`.

        Raises:
            PlanStaleError: the object no longer has what the action changes.
            HumanNeededError: there is no way back that opsmend could carry out.
        """

    @abstractmethod
    def blast_radius(self, live: LiveObject) -> BlastRadius:
        """What it touches, counted on `live`."""
