"""Which Services a target calls is told by names in its template and configuration, and not by just any word."""

from typing import Any

import pytest
from tests.builders import a_config, a_mounted_config, a_template

from opsmend.domain.service_hosts import host_mentions, service_of
from opsmend.domain.snapshot import ConfigReference

SERVICES = {"orders", "db", "kafka", "redis"}


def called(template: dict[str, Any], *config: ConfigReference) -> dict[str, str]:
    """Service → where it is named."""
    found: dict[str, str] = {}
    for mention in host_mentions(template, config):
        ref = service_of(mention, "shop", SERVICES)
        if ref is not None:
            found.setdefault(f"{ref.namespace}/{ref.name}", mention.place)
    return found


def with_env(name: str, value: str) -> dict[str, Any]:
    return a_template(env=[{"name": name, "value": value}])


@pytest.mark.parametrize(
    ("name", "value", "services"),
    [
        pytest.param("ORDERS_URL", "http://orders:8080/api", {"shop/orders"}, id="url"),
        pytest.param("ORDERS", "orders:8080", {"shop/orders"}, id="host-and-port"),
        pytest.param("CACHE_HOST", "redis", {"shop/redis"}, id="a-host-variable"),
        pytest.param("CACHE", "redis", {"shop/redis"}, id="the-name-of-a-service"),
        pytest.param("DSN", "postgres://u:secret@db:5432/shop", {"shop/db"}, id="credentials"),
        pytest.param("DSN", "postgres://u:[redacted:password]@db:5432/shop", {"shop/db"}, id="masked-credentials"),
        pytest.param("JDBC", "jdbc:postgresql://db.data.svc.cluster.local:5432/x", {"data/db"}, id="another-namespace"),
        pytest.param("API", "http://billing.finance/v1", {"finance/billing"}, id="name-and-namespace"),
        pytest.param("OWN", "http://orders.shop/v1", {"shop/orders"}, id="its-own-namespace"),
        pytest.param("BROKERS", "kafka-0.kafka:9092,kafka-1.kafka:9092", {"shop/kafka"}, id="pods-of-a-headless-service"),
        pytest.param("POD", "http://kafka-0.kafka.shop.svc:9092", {"shop/kafka"}, id="a-pod-in-full"),
        pytest.param("PAY_URL", "http://payments:80", {"shop/payments"}, id="a-service-that-is-not-there"),
        pytest.param("MODE", "production", set(), id="a-word"),
        pytest.param("EXTERNAL", "https://api.example.com/v1", set(), id="a-host-outside"),
        pytest.param("ADDRESS", "10.96.3.4:8080", set(), id="an-address"),
        pytest.param("SELF", "http://localhost:8080", set(), id="itself"),
        pytest.param("IMAGE", "nginx:1.27", set(), id="an-image"),
        pytest.param("AT", "12:30", set(), id="a-time"),
        pytest.param("PATH_TO", "/etc/orders:8080", set(), id="a-path"),
    ],
)
def test_a_variable_names_a_service_where_it_holds_a_host(name: str, value: str, services: set[str]) -> None:
    assert set(called(with_env(name, value))) == services


@pytest.mark.parametrize(
    ("script", "services"),
    [
        pytest.param("until nc -z db 5432; do echo waiting for the database; sleep 2; done", {"shop/db"}, id="a-loop"),
        pytest.param("nslookup orders.shop.svc.cluster.local", {"shop/orders"}, id="in-full"),
        pytest.param("exec serve --backend=http://orders:8080", {"shop/orders"}, id="a-flag"),
        pytest.param("exec serve --redis-host=redis", {"shop/redis"}, id="a-host-flag"),
        pytest.param("exec serve # used to wait for db", set(), id="a-comment"),
        pytest.param("cp /opt/db/init.sql /tmp/orders.sql", set(), id="paths"),
    ],
)
def test_arguments_name_services_that_exist(script: str, services: set[str]) -> None:
    template = a_template(command=["sh", "-c", script], env=[])
    assert set(called(template)) == services


def test_init_containers_are_read_too() -> None:
    waits = {"name": "wait", "image": "busybox", "command": ["sh", "-c", "until nc -z db 5432; do sleep 1; done"]}
    assert called(a_template(spec={"initContainers": [waits]})) == {"shop/db": "arguments of container wait"}


CONFIGURATION = """
# backend: http://redis:6379 was the old one
upstream:
  host: db
  url: "http://orders:8080"  # not http://kafka:9092
"""


@pytest.mark.parametrize(
    ("key", "content", "services"),
    [
        pytest.param("app.yaml", CONFIGURATION, {"shop/db", "shop/orders"}, id="yaml-without-its-comments"),
        pytest.param("nginx.conf", "location / { proxy_pass http://orders; }", {"shop/orders"}, id="nginx-proxy"),
        pytest.param("nginx.conf", "upstream app {\n  server orders max_fails=3;\n}", {"shop/orders"}, id="nginx-upstream"),
        pytest.param("app.ini", "; host = redis\nhost = db\n", {"shop/db"}, id="ini"),
        pytest.param("app.json", '{"broker": "kafka", "note": "db"}', {"shop/kafka"}, id="json"),
        pytest.param("a.xml", "<!-- http://redis:6379 --><url>http://db:1</url>", {"shop/db"}, id="xml"),
        pytest.param("a.js", "/* http://redis:6379 */ const url = 'http://db:81' // http://orders:8080", {"shop/db"}, id="js"),
        pytest.param("words.txt", "orders and db and redis", set(), id="prose"),
    ],
)
def test_a_mounted_file_names_services_but_not_in_comments(key: str, content: str, services: set[str]) -> None:
    config = a_config("conf", {key: content})
    assert set(called(a_template(**a_mounted_config("conf")), config)) == services


def test_values_from_a_config_map_are_variables() -> None:
    config = a_config("conf", {"ORDERS_HOST": "orders", "NOTE": "db is fine"}, used_by="envFrom of container web")
    single = {"name": "CACHE", "valueFrom": {"configMapKeyRef": {"name": "one", "key": "cache"}}}
    template = a_template(envFrom=[{"configMapRef": {"name": "conf"}}], env=[single])
    other = a_config("one", {"cache": "redis:6379"}, used_by="env CACHE of container web")
    assert set(called(template, config, other)) == {"shop/orders", "shop/redis", "shop/db"}


@pytest.mark.parametrize(
    "hostile",
    [
        pytest.param("a" * 200_000 + ":80", id="endless-word"),
        pytest.param("http://" * 50_000, id="schemes"),
        pytest.param("/* " * 50_000, id="comments-that-never-end"),
        pytest.param("a.b." * 40_000 + "svc", id="labels"),
    ],
)
@pytest.mark.timeout(5)
def test_hostile_text_costs_little(hostile: str) -> None:
    config = a_config("conf", {"x": hostile[:8192]})
    assert len(host_mentions(a_template(env=[{"name": "X", "value": hostile}], **a_mounted_config("conf")), (config,))) <= 200
