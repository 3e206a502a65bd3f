"""What was last applied with kubectl is read from an annotation that anybody may write."""

import pytest

from opsmend.adapters.kubernetes.neighbourhood.workloads import workload_from
from opsmend.domain.actions.object_digest import LAST_APPLIED_ANNOTATION
from opsmend.domain.target import Kind, ObjectRef

WEB = ObjectRef(kind=Kind.DEPLOYMENT, namespace="shop", name="web")


@pytest.mark.parametrize(
    ("annotation", "replicas"),
    [
        pytest.param('{"spec": {"replicas": 5}}', 5, id="declared"),
        pytest.param('{"spec": {"replicas": 0}}', 0, id="none at all, on purpose"),
        pytest.param('{"spec": {}}', None, id="not said"),
        pytest.param("{}", None, id="no spec"),
        pytest.param(None, None, id="never applied"),
        pytest.param("{", None, id="no JSON"),
        pytest.param("[]", None, id="no object"),
        pytest.param('{"spec": [1]}', None, id="spec of another shape"),
        pytest.param('{"spec": {"replicas": "5"}}', None, id="text"),
        pytest.param('{"spec": {"replicas": true}}', None, id="a boolean"),
        pytest.param("[" * 200_000, None, id="nested without end"),
    ],
)
def test_replicas_that_were_applied(annotation: str | None, replicas: int | None) -> None:
    annotations = {} if annotation is None else {LAST_APPLIED_ANNOTATION: annotation}
    obj = {
        "metadata": {"name": "web", "namespace": "shop", "annotations": annotations},
        "spec": {"replicas": 0, "template": {"spec": {"containers": []}}},
    }
    assert workload_from(WEB, obj).applied_replicas == replicas
