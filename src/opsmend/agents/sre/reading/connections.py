"""Where a target says that something it calls does not answer: log lines, outputs of probes, last words of a process.

No program's wording is known here: a passage counts when it has a failure of a connection in it and names the Service, by
its host name or its address. Logs are written by whoever can talk to a program, so that such a sign alone convicts nobody.
"""

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from opsmend.agents.sre.reading.failures import containers, events_about
from opsmend.domain.snapshot import Dependency, Snapshot

TAIL: Final = 60
"""Lines from the end of a log that are looked at."""
LINE_LIMIT: Final = 1000

UNRESOLVED: Final = "its name cannot be resolved"
_FAILURES: Final = (
    (
        UNRESOLVED,
        re.compile(
            r"(?i)no such host|name or service not known|name resolution|could ?n[o']t (be )?resolve|can('?t|not) resolve"
            r"|getaddrinfo|ENOTFOUND|EAI_AGAIN|bad address|host not found|unknown (\w+ )?(server )?host|UnknownHost"
            r"|nodename nor servname|NXDOMAIN|server misbehaving"
        ),
    ),
    (
        "it refuses connections",
        re.compile(
            r"(?i)refused|ECONNREFUSED|(can('?t|not)|could ?n[o']t|unable to|failed to) (connect|open|establish)"
            r"|connect call failed|connect(ion)? (to .{1,80} )?(failed|could not be established)|no live upstreams"
        ),
    ),
    (
        "it does not answer in time",
        re.compile(r"(?i)time(d )?-?out|ETIMEDOUT|deadline exceeded|SocketTimeout"),
    ),
    (
        "it cannot be reached",
        re.compile(
            r"(?i)no route to host|EHOSTUNREACH|ENETUNREACH|unreachable|ECONNRESET|reset by peer|connection reset"
            r"|prematurely closed|disconnect/reset|upstream connect error|broken pipe|\bEOF\b|no response"
        ),
    ),
    (
        "it answers with errors",
        re.compile(
            r"(?i)bad gateway|service unavailable|internal server error|[-=]> ?5\d\d\b|\b[A-Z]{3,7} [a-z]+://\S+\W{1,4}5\d\d\b"
            r"|(status|code|http(/[\d.]+)?|response|returned|answered|got|error)\W{0,3}(code\W{0,2})?5\d\d\b"
        ),
    ),
    (
        "it is waited for",
        re.compile(r"(?i)\bwait(ing|ed|s)?\b|not (yet )?(ready|available|up|reachable)|\bretry(ing)?\b|sleeping|still down"),
    ),
)
"""How a connection fails, in the words of nginx, Go, Java, Node, Python, Ruby, PHP, curl, busybox and database clients."""

_NAME_SERVER: Final = re.compile(
    r"(?i)temporary failure in name resolution|EAI_AGAIN|server misbehaving|SERVFAIL|no servers could be reached"
    r"|:53: [^\n]{0,120}(i/o timeout|refused|unreachable)"
)
"""The words for a name server that fails, whatever the name: glibc, Node, Go, dig and nslookup."""

_FROM_A_CLIENT: Final = re.compile(
    r"(?i)\b(request|host|referr?er|client|server|user-agent): \"[^\"]*\"|\"(GET|POST|PUT|PATCH|DELETE|HEAD|OPTIONS) [^\"]*\""
)
"""Parts of a line that a client sets as it likes, Host header and path among them."""


class Sign(NamedTuple):
    """`named`: by host or address; else only the port fits."""

    source: str
    passage: str
    how: str
    named: bool


def signs_of(snapshot: Snapshot, dependency: Dependency) -> list[Sign]:
    """The newest of each source, those that name the dependency first."""
    host, port = _host(snapshot, dependency), _port(snapshot, dependency)
    found = []
    for source, passages in _said(snapshot):
        signs = [sign for passage in passages if (sign := _sign(source, passage, host, port))]
        found += signs[-1:]
    return sorted(found, key=lambda sign: not sign.named)


def failures_of_the_name_server(snapshot: Snapshot) -> list[Sign]:
    """The newest of each source."""
    found = []
    for source, passages in _said(snapshot):
        failed = [passage for passage in passages if _NAME_SERVER.search(_FROM_A_CLIENT.sub(" ", passage))]
        found += [Sign(source, passage, "the name server fails", named=False) for passage in failed[-1:]]
    return found


def _sign(source: str, passage: str, host: re.Pattern[str], port: re.Pattern[str] | None) -> Sign | None:
    text = _FROM_A_CLIENT.sub(" ", passage)
    how = next((name for name, wording in _FAILURES if wording.search(text)), None)
    if how is None:
        return None
    if host.search(text):
        return Sign(source, passage, how, named=True)
    if port and port.search(text):
        return Sign(source, passage, how, named=False)
    return None


def _host(snapshot: Snapshot, dependency: Dependency) -> re.Pattern[str]:
    """Its name in every form that cluster DNS takes, as a host and not as a part of a path, or its address."""
    ref = dependency.ref
    name, namespace = re.escape(ref.name), re.escape(ref.namespace)
    suffix = rf"\.{namespace}(?:\.svc(?:\.[\w-]+)*)?"
    short = rf"{name}(?:{suffix})?" if ref.namespace == snapshot.target.namespace else rf"{name}{suffix}"
    names = [short, *(re.escape(host) for host in dependency.hosts if "." in host)]
    address = dependency.service.cluster_ip if dependency.service else ""
    names += [re.escape(address)] if address else []
    return re.compile(rf"(?i)(?<![\w.-])(?<!(?<!/)/)(?:{'|'.join(names)})(?![\w-]|\.[\w])")


def _port(snapshot: Snapshot, dependency: Dependency) -> re.Pattern[str] | None:
    """A port that is named with this dependency only, at an address that is not the pod's own."""
    taken = {port for other in snapshot.dependencies if other.ref != dependency.ref for port in other.ports}
    own = [str(port) for port in dependency.ports if port not in taken]
    if not own:
        return None
    return re.compile(rf"(?<![\w.])(?!127\.|0\.0\.0\.0)(?:\d{{1,3}}\.){{3}}\d{{1,3}}\W{{1,4}}(?:{'|'.join(own)})\b")


def _said(snapshot: Snapshot) -> Iterator[tuple[str, list[str]]]:
    """Source and passages, oldest first, of everything that the pods say."""
    for pod, container in containers(snapshot.pods):
        where = f"pod/{pod.name} container {container.name}"
        yield f"log {where}", _passages(container.log)
        yield f"log {where} (previous)", _passages(container.previous_log)
        for run in (container.terminated, container.last_terminated):
            if run and run.exit_code:
                yield where, _passages(run.message)
    for event in events_about(snapshot, snapshot.pods, "Unhealthy"):
        yield f"event {event.about}", [event.message]


def _passages(log: str) -> list[str]:
    """Each line with what belongs to it by indentation or as its cause."""
    passages: list[str] = []
    for line in (line[:LINE_LIMIT] for line in log.splitlines()[-TAIL:]):
        belongs = line[:1].isspace() or line.startswith(("Caused by", "caused by"))
        if belongs and passages and len(passages[-1]) < LINE_LIMIT:
            passages[-1] += f"\n{line}"
        else:
            passages.append(line)
    return passages
