"""What the embedded cluster does not have it says, with a sentence, and never succeeds in silence."""

import httpx
import pytest
from tests.contract.embedded_cluster.kube import Kube


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/apis/networking.k8s.io/v1/ingresses"),
        ("GET", "/apis/storage.k8s.io/v1/volumeattachments"),
        ("POST", "/api/v1/namespaces/default/pods/x/exec"),
        ("GET", "/api/v1/namespaces/default/services/web/proxy"),
    ],
)
def test_what_is_lacking_answers_501_and_names_it(kube: Kube, method: str, path: str) -> None:
    with httpx.Client(base_url=kube.url, trust_env=False) as browser:
        answer = browser.request(method, path)
    status = answer.json()
    assert (answer.status_code, status["kind"], status["code"]) == (501, "Status", 501)
    assert "is lacking in opsmend's embedded cluster" in status["message"]
