"""deploy/milvus/user.sh against what speaks Milvus' HTTP API: opsmend gets a user that may use one collection."""

import json
import shutil
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

SCRIPT = Path(__file__).parents[3] / "deploy/milvus/user.sh"

pytestmark = pytest.mark.skipif(shutil.which("curl") is None, reason="no curl on PATH")


class Milvus(ThreadingHTTPServer):
    """Users, roles and grants of a Milvus 2.5 or later with authorization on. Refuses what it does not know."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Call)
        self.passwords = {"root": "root-pw"}
        self.roles: dict[str, set[tuple[str, str, str]]] = {"admin": set(), "public": set()}
        self.roles_of: dict[str, set[str]] = {"root": {"admin"}}
        self.made: list[str] = []
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def answer(self, user: str, path: str, asked: dict[str, Any]) -> Any:
        if path == "collections/has":
            granted = {name for role in self.roles_of[user] for privilege, name, _ in self.roles[role]}
            return {"has": False} if asked["collectionName"] in granted else None
        if user != "root":
            return None
        match path, asked:
            case "roles/list", {}:
                return list(self.roles)
            case "roles/create", {"roleName": name} if name not in self.roles:
                self.roles[name] = set()
            case (
                "roles/grant_privilege_v2",
                {"roleName": role, "privilege": privilege, "collectionName": name, "dbName": "default"},
            ) if role in self.roles:
                self.roles[role].add((privilege, name, "default"))
            case "users/list", {}:
                return list(self.passwords)
            case "users/create", {"userName": name, "password": password} if name not in self.passwords:
                self.passwords[name] = password
                self.roles_of[name] = {"public"}
                self.made.append(name)
            case "users/drop", {"userName": name} if name in self.passwords and name != "root":
                del self.passwords[name], self.roles_of[name]
            case "users/grant_role", {"userName": name, "roleName": role} if name in self.passwords and role in self.roles:
                self.roles_of[name].add(role)
            case _:
                return None
        return {}


class _Call(BaseHTTPRequestHandler):
    server: Milvus

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        user, _, password = self.headers["Authorization"].removeprefix("Bearer ").partition(":")
        known = self.server.passwords.get(user) == password
        data = self.server.answer(user, self.path.removeprefix("/v2/vectordb/"), asked) if known else None
        body = {"code": 0, "data": data} if data is not None else {"code": 1800, "message": "user hasn't authenticated"}
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps(body).encode())

    def log_message(self, format: str, *args: object) -> None:
        """Quiet."""


@pytest.fixture
def milvus() -> Iterator[Milvus]:
    server = Milvus()
    yield server
    server.shutdown()
    server.server_close()


def run(milvus: Milvus, *, root: str = "root-pw", password: str = "opsmend-pw") -> "subprocess.CompletedProcess[str]":
    variables = {
        "MILVUS_URL": milvus.url,
        "MILVUS_ROOT_PASSWORD": root,
        "MILVUS_USER": "opsmend",
        "MILVUS_USER_PASSWORD": password,
        "MILVUS_COLLECTION": "opsmend_postmortems",
    }
    path = str(Path(str(shutil.which("curl"))).parent)
    return subprocess.run(
        ["sh", SCRIPT], env=variables | {"PATH": f"{path}:/usr/bin:/bin"}, capture_output=True, text=True, check=False
    )


def test_opsmend_may_make_and_use_its_one_collection_and_nothing_else(milvus: Milvus) -> None:
    ran = run(milvus)
    assert (ran.returncode, ran.stdout) == (0, "user opsmend of Milvus is ready\n"), ran.stderr
    assert milvus.passwords["opsmend"] == "opsmend-pw"
    assert milvus.roles_of["opsmend"] == {"public", "opsmend"}
    assert milvus.roles["opsmend"] == {
        ("CollectionReadWrite", "opsmend_postmortems", "default"),
        ("CreateCollection", "*", "default"),
    }


def test_the_next_start_leaves_the_user_alone(milvus: Milvus) -> None:
    run(milvus)
    assert run(milvus).returncode == 0
    assert milvus.made == ["opsmend"]


def test_a_new_password_holds_from_the_next_start_on(milvus: Milvus) -> None:
    run(milvus)
    assert run(milvus, password="another-pw").returncode == 0
    assert milvus.passwords["opsmend"] == "another-pw"
    assert milvus.roles_of["opsmend"] == {"public", "opsmend"}


def test_a_wrong_password_of_root_ends_it_with_what_milvus_said_and_shows_no_password(milvus: Milvus) -> None:
    ran = run(milvus, root="not-it-at-all")
    assert ran.returncode != 0
    assert "Milvus refused roles/list" in ran.stderr
    assert "not-it-at-all" not in ran.stderr + ran.stdout


@pytest.mark.parametrize("password", ['a"b', "a b", "a\nb", "a\\b", "$(id)"])
def test_a_password_that_could_break_out_of_a_request_is_refused(milvus: Milvus, password: str) -> None:
    ran = run(milvus, password=password)
    assert ran.returncode == 1
    assert "openssl rand" in ran.stderr
    assert milvus.made == []
