"""What nginx makes of its configuration, by nginx's own grammar (crossplane): its error, or the ports that it listens on."""

import re
import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import crossplane

from opsmend_cluster.objects.kinds import JsonObject

_ROOT: Final = "/etc/nginx"
_MAIN: Final = "events {}\nhttp {\n    include /etc/nginx/conf.d/*.conf;\n}\n"
"""The image's own nginx.conf, as far as it matters."""
_UNTERMINATED: Final = re.compile(r'^directive "[^"]*" is not terminated by ";"')
_HOST: Final = re.compile(r"^(?:https?|grpc)://([a-zA-Z][-.a-zA-Z0-9]*)")


@dataclass(frozen=True)
class NginxStart:
    """How a start ends: `error` is the line that nginx writes before it exits 1, empty when it runs."""

    error: str = ""
    ports: tuple[int, ...] = (80,)


def start_nginx(files: dict[str, str], resolves: Callable[[str], bool]) -> NginxStart:
    """Read the configuration in `files` (path → content) as nginx does at start; `resolves` tells which host names exist."""
    mounted = {path: text for path, text in files.items() if path.startswith(_ROOT + "/")}
    if not mounted:
        return NginxStart()
    folder = Path(tempfile.mkdtemp(prefix="nginx-"))
    try:
        payload = _parse(folder, mounted)
        error = _first_error(payload, str(folder))
    finally:
        shutil.rmtree(folder)
    statements = list(_statements(payload))
    if not error:
        error = _unresolved(payload, statements, resolves, str(folder))
    if error:
        return NginxStart(f"nginx: [emerg] {error}", ())
    return NginxStart(ports=tuple(_ports(statements)))


def _parse(folder: Path, files: dict[str, str]) -> JsonObject:
    for path, text in {f"{_ROOT}/nginx.conf": _MAIN, **files}.items():
        inside = folder / path.lstrip("/")
        if folder not in inside.resolve().parents:
            continue
        inside.parent.mkdir(parents=True, exist_ok=True)
        inside.write_text(_rooted(text, folder))
    payload: JsonObject = crossplane.parse(str(folder / _ROOT[1:] / "nginx.conf"), strict=True)
    return payload


def _rooted(text: str, folder: Path) -> str:
    return re.sub(r"(\binclude\s+)/etc/nginx/", rf"\g<1>{folder}{_ROOT}/", text)


def _first_error(payload: JsonObject, folder: str) -> str:
    """In nginx's words: it stops at the first one, and names a missing `;` by what it met instead."""
    for failure in payload["errors"]:
        message = str(failure["error"]).replace(folder, "")
        if "No such file" in message:
            continue
        if _UNTERMINATED.match(message):
            return _UNTERMINATED.sub('unexpected end of parameter, expecting ";"', message)
        return message
    return ""


def _statements(payload: JsonObject) -> Iterator[JsonObject]:
    for config in payload["config"]:
        yield from _walk(config["parsed"], config["file"])


def _walk(block: list[JsonObject], file: str) -> Iterator[JsonObject]:
    for statement in block:
        yield {**statement, "file": file}
        yield from _walk(statement.get("block") or [], file)


def _ports(statements: list[JsonObject]) -> Iterator[int]:
    for statement in statements:
        if statement["directive"] == "listen":
            port = statement["args"][0].rpartition(":")[2]
            yield int(port) if port.isdigit() else 80


def _unresolved(payload: JsonObject, statements: list[JsonObject], resolves: Callable[[str], bool], folder: str) -> str:
    """nginx resolves every upstream at start and refuses to run without."""
    upstreams = {s["args"][0] for s in statements if s["directive"] == "upstream" and s["args"]}
    for statement in statements:
        host = _host_of(statement)
        if host and host not in upstreams and not resolves(host):
            where = f"{statement['file'].replace(folder, '')}:{statement['line']}"
            return f'host not found in upstream "{host}" in {where}'
    return ""


def _host_of(statement: dict[str, Any]) -> str:
    if statement["directive"] not in ("proxy_pass", "grpc_pass") or not statement["args"]:
        return ""
    match = _HOST.match(statement["args"][0])
    return match.group(1) if match else ""
