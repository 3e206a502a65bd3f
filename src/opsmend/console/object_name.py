"""Objects as people type them: `deployment/web`, `sts/db`, `node/worker-1`."""

from typing import Final

from opsmend.domain.target import Kind, ObjectRef
from opsmend.errors import BadPayloadError

_SHORT: Final = {
    "deploy": Kind.DEPLOYMENT,
    "sts": Kind.STATEFUL_SET,
    "ds": Kind.DAEMON_SET,
    "rs": Kind.REPLICA_SET,
    "po": Kind.POD,
    "cj": Kind.CRON_JOB,
    "svc": Kind.SERVICE,
    "no": Kind.NODE,
    "cm": Kind.CONFIG_MAP,
    "hpa": Kind.HORIZONTAL_POD_AUTOSCALER,
    "pvc": Kind.PERSISTENT_VOLUME_CLAIM,
}
"""As kubectl abbreviates them (`kubectl api-resources`)."""

_CLUSTER_SCOPED: Final = frozenset({Kind.NODE, Kind.NAMESPACE})


def object_named(text: str, namespace: str) -> ObjectRef:
    """The object that `text` names, in singular, plural or short form, in any case.

    Raises:
        BadPayloadError: it is no KIND/NAME, there is no such kind, or the namespace is missing.
    """
    kind_text, slash, name = text.partition("/")
    kind = _kind(kind_text.lower())
    if not slash or not name or kind is None:
        raise BadPayloadError(f"{text!r} is no object. Write KIND/NAME, such as deployment/web.")
    if kind not in _CLUSTER_SCOPED and not namespace:
        raise BadPayloadError(f"{text} is in a namespace. Add it: --namespace shop.")
    return ObjectRef(kind=kind, namespace="" if kind in _CLUSTER_SCOPED else namespace, name=name)


def _kind(text: str) -> Kind | None:
    names = {kind.lower(): kind for kind in Kind if kind is not Kind.GROUP}
    return _SHORT.get(text) or names.get(text) or names.get(text.removesuffix("s"))
