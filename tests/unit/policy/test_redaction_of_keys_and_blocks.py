"""A private key or a block of a secret is masked from its first line to its last, and nothing beside it."""

import base64
import json

import pytest

from opsmend.domain.record import JsonObject
from opsmend.policy.redaction import redact, redact_json

pytestmark = pytest.mark.safety

MATERIAL = "MIIEpAIBAAKCAQEA7bq1234567890abcdefghijklmnopqrstuvwxyzABCDEFGHI"
LAST = "ab0dQ=="
KEY = f"-----BEGIN RSA PRIVATE KEY-----\n{MATERIAL}\n{LAST}\n-----END RSA PRIVATE KEY-----"
DIGEST = "c2hhMjU2IG9mIHRoZSBsYXllciB0aGF0IHdhcyBwdWxsZWQgYmVmb3Jl"
"""A line that looks like key material and is none."""


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(f"{DIGEST}\n{KEY}", id="above the key"),
        pytest.param(f"{KEY}\n{DIGEST}", id="below the key"),
        pytest.param(f"{KEY.partition(chr(10))[2]}\n{DIGEST}", id="below a key without its beginning"),
    ],
)
def test_a_line_beside_a_private_key_stays(text: str) -> None:
    masked = redact(text)
    assert DIGEST in masked.split("\n")
    assert MATERIAL not in masked


@pytest.mark.parametrize("text", [KEY, KEY.partition("\n")[2]], ids=["whole", "without its beginning"])
def test_the_short_last_line_of_a_private_key_is_masked_too(text: str) -> None:
    assert LAST not in redact(text)


def test_a_long_private_key_is_masked_to_its_last_line_though_its_end_is_cut_off() -> None:
    lines = [f"{number:02}{MATERIAL[2:]}" for number in range(40)]
    assert MATERIAL[2:] not in redact("\n".join(["-----BEGIN RSA PRIVATE KEY-----", *lines]))


@pytest.mark.parametrize("kind", ["RSA PRIVATE KEY", "CERTIFICATE"])
def test_of_what_is_encoded_once_more_only_private_keys_are_masked(kind: str) -> None:
    encoded = base64.b64encode(KEY.replace("RSA PRIVATE KEY", kind).encode()).decode()
    assert (encoded in redact(f"- {encoded}")) is (kind == "CERTIFICATE")


def test_a_line_further_out_than_a_secret_block_ends_it() -> None:
    text = "auth:\n  password: |\n    line-one\nreplicas: 3\n    indented: kept"
    assert redact(text) == "auth:\n  password: |\n    [redacted:password]\nreplicas: 3\n    indented: kept"


def test_a_line_of_a_secret_block_is_masked_even_if_it_looks_like_a_key() -> None:
    assert redact("password: |\n  hunter2:\n  x") == "password: |\n  [redacted:password]\n  [redacted:password]"


def test_a_key_without_a_value_in_the_data_of_a_secret_stays() -> None:
    assert redact("kind: Secret\ndata:\n  empty:\n  a: eA==") == "kind: Secret\ndata:\n  empty:\n  a: [redacted:secret-data]"


def test_a_variable_whose_value_is_a_block_is_judged_by_its_name() -> None:
    assert redact("- name: DB_PASSWORD\n  value: |\n    line-one") == "- name: DB_PASSWORD\n  value: |\n    [redacted:password]"
    assert redact("- name: GREETING\n  value: |\n    line-one") == "- name: GREETING\n  value: |\n    line-one"


def test_a_secret_key_below_a_name_is_judged_by_itself() -> None:
    assert redact("- name: web\n  password: |\n    line-one") == "- name: web\n  password: |\n    [redacted:password]"


def test_nested_objects_beyond_all_reason_are_cut_as_nested_lists_are() -> None:
    deep: JsonObject = {"a": "x1"}
    for _ in range(500):
        deep = {"a": deep}
    assert "[redacted:too-deep]" in json.dumps(redact_json(deep))


def test_an_object_under_a_secret_key_keeps_what_is_no_secret() -> None:
    masked = {"credentials": {"user": "bob", "password": "[redacted:password]"}}
    assert redact_json({"credentials": {"user": "bob", "password": "x1"}}) == masked


def test_a_flag_is_followed_by_its_value_wherever_it_stands() -> None:
    assert redact_json(["serve", "--port", "80", "--password", "x1"])[-2:] == ["--password", "[redacted:password]"]


def test_json_within_json_is_read_by_its_structure() -> None:
    applied = json.dumps({"env": [{"value": "x1", "name": "API_KEY"}]})
    assert json.loads(redact_json({"applied": applied})["applied"]) == {
        "env": [{"value": "[redacted:api-key]", "name": "API_KEY"}]
    }


def test_json_within_json_stays_as_it_was_written_where_it_holds_no_secret() -> None:
    written = '{ "mode" : "fast" }'
    assert redact_json({"applied": written}) == {"applied": written}


def test_a_reference_in_the_place_of_a_password_stays() -> None:
    assert redact("url: redis://:$(REDIS_PASSWORD)@cache:6379/0") == "url: redis://:$(REDIS_PASSWORD)@cache:6379/0"


@pytest.mark.parametrize("text", ["request=k3j9x0q2w8e7r5t6y1u4i0o9pm", "layer=zq8t2lmx0vbn5rykc7wdpf4hsjg9teau"])
def test_an_id_in_small_letters_stays_however_random_it_looks(text: str) -> None:
    assert redact(text) == text
