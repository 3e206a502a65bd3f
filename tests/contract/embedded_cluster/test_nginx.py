"""nginx refuses what nginx refuses, in its own words, and only a configuration that it accepts heals it."""

import pytest
from tests.contract.embedded_cluster.kube import NAMESPACE, Kube, eventually
from tests.contract.embedded_cluster.manifests import a_config_map, a_container, a_deployment

from opsmend_cluster.kubelet.nginx import start_nginx

GOOD = "server {\n    listen 80;\n    location / { return 200; }\n}\n"
PATH = "/etc/nginx/conf.d/default.conf"


@pytest.mark.parametrize(
    ("text", "error"),
    [
        (GOOD, ""),
        (GOOD.replace("listen", "lissten"), f'nginx: [emerg] unknown directive "lissten" in {PATH}:2'),
        (GOOD.replace("server {", "servr {"), f'nginx: [emerg] unknown directive "servr" in {PATH}:1'),
        ("\n" + GOOD.replace("location", "locaton"), f'nginx: [emerg] unknown directive "locaton" in {PATH}:4'),
        (GOOD[:-2], f'nginx: [emerg] unexpected end of file, expecting "}}" in {PATH}:3'),
        (GOOD + "}\n", f'nginx: [emerg] unexpected "}}" in {PATH}:5'),
        (GOOD.replace("return 200", "root"), f'nginx: [emerg] invalid number of arguments in "root" directive in {PATH}:3'),
        ("listen 80;\n", f'nginx: [emerg] "listen" directive is not allowed here in {PATH}:1'),
        (GOOD.replace("return 200", "proxy_pass http://gone"), f'nginx: [emerg] host not found in upstream "gone" in {PATH}:3'),
        (GOOD.replace("return 200", "proxy_pass http://known:80"), ""),
    ],
    ids=["good", "misspelt", "misspelt block", "another line", "no end", "one brace too many", "no argument", "wrong place",
         "unknown host", "known host"],
)  # fmt: skip
def test_configuration_is_judged_in_nginx_words(text: str, error: str) -> None:
    assert start_nginx({PATH: text}, lambda host: host == "known").error == error


def test_nginx_listens_where_its_configuration_says() -> None:
    assert start_nginx({PATH: GOOD.replace("80;", "0.0.0.0:8081;")}, lambda _: True).ports == (8081,)


def deploy_nginx(kube: Kube, text: str) -> None:
    kube.core.create_namespaced_config_map(NAMESPACE, a_config_map("conf", **{"default.conf": text}))
    container = a_container(
        readinessProbe={"httpGet": {"port": 80}}, volumeMounts=[{"name": "conf", "mountPath": "/etc/nginx/conf.d"}]
    )
    kube.deploy(a_deployment(container=container, volumes=[{"name": "conf", "configMap": {"name": "conf"}}]))


def edit(kube: Kube, text: str) -> None:
    kube.core.patch_namespaced_config_map(
        "conf", NAMESPACE, {"data": {"default.conf": text}}, _content_type="application/merge-patch+json"
    )


def test_in_place_edit_reaches_a_running_nginx_at_its_restart_only(kube: Kube) -> None:
    deploy_nginx(kube, GOOD)
    kube.healthy()
    edit(kube, GOOD.replace("listen", "lissten"))
    kube.core.create_namespaced_config_map(NAMESPACE, a_config_map("nudge"))
    kube.healthy()
    (running,) = kube.pods()
    assert running.status.container_statuses[0].restart_count == 0
    kube.core.delete_namespaced_pod(running.metadata.name, NAMESPACE)
    pod = kube.pod_waiting("CrashLoopBackOff")
    # Looked at again: a container that has just been started anew has not said anything yet.
    eventually(
        lambda: (
            f'nginx: [emerg] unknown directive "lissten" in {PATH}:2'
            in kube.core.read_namespaced_pod_log(pod.metadata.name, NAMESPACE)
        )
    )


@pytest.mark.parametrize(
    ("fix", "heals"),
    [(GOOD, True), (GOOD.replace("listen", "lisen"), False), (GOOD.replace("80", "8080"), False)],
    ids=["right", "another slip", "wrong port"],
)
def test_only_a_right_configuration_heals_a_crashing_nginx(kube: Kube, fix: str, heals: bool) -> None:
    deploy_nginx(kube, GOOD.replace("listen", "lissten"))
    pod = kube.pod_waiting("CrashLoopBackOff")
    edit(kube, fix)
    if heals:
        kube.healthy()
        return
    restarts = pod.status.container_statuses[0].restart_count

    def tried() -> bool:
        status = kube.pods()[0].status.container_statuses[0]
        return bool(status.restart_count > restarts + 1 or kube.event_messages("Unhealthy"))

    eventually(tried)
    assert not kube.deployment().status.ready_replicas
