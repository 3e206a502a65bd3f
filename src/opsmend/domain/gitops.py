"""Objects that a GitOps tool keeps as a repository declares them: a change made here may be taken back within minutes."""

from typing import Final

from opsmend.domain.record import JsonObject
from opsmend.errors import bounded

_NAME_LIMIT: Final = 100

_MARKS: Final = (
    ("annotations", "argocd.argoproj.io/tracking-id", "Argo CD (application {})"),
    ("labels", "argocd.argoproj.io/instance", "Argo CD (application {})"),
    ("labels", "kustomize.toolkit.fluxcd.io/name", "Flux (kustomization {})"),
    ("labels", "helm.toolkit.fluxcd.io/name", "Flux (helm release {})"),
)
"""What the tools write on the objects that they keep. Argo CD's older default, the label app.kubernetes.io/instance, is none
of them: every Helm chart sets it.

https://argo-cd.readthedocs.io/en/stable/user-guide/resource_tracking/
https://fluxcd.io/flux/components/kustomize/kustomizations/ and https://fluxcd.io/flux/components/helm/helmreleases/
"""


def keeper_of(obj: JsonObject) -> str | None:
    """`Argo CD (application shop)`, by the mark that the tool left on `obj`; None where there is none.

    Anybody may write such a mark: it is good for a warning, never for a decision.
    """
    metadata = obj.get("metadata") or {}
    for where, key, sentence in _MARKS:
        value = (metadata.get(where) or {}).get(key)
        if isinstance(value, str) and value:
            # A tracking id is `<application>:<group>/<kind>:<namespace>/<name>`.
            return sentence.format(bounded(value.partition(":")[0], _NAME_LIMIT))
    return None
