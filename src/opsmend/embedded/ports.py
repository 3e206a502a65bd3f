"""Is the port free that somebody asked for? Said before anything is started on it."""

import errno
import socket
from typing import Final

from opsmend.errors import SettingsError

_WHY: Final = {
    errno.EADDRINUSE: "another program listens there. Choose another with --port",
    errno.EACCES: "it takes more rights than you have. Choose one above 1023 with --port",
    errno.EADDRNOTAVAIL: "this machine does not have that address. Choose another with --host",
}


def require_port(port: int, host: str = "127.0.0.1") -> None:
    """Raises SettingsError unless a server of ours could listen there, also just after another one has left."""
    try:
        addresses = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except socket.gaierror as e:
        raise SettingsError(f"--host {host} is no address of this machine: {e.strerror}.") from e
    for family, kind, protocol, _, address in addresses:
        try:
            with socket.socket(family, kind, protocol) as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                if family == socket.AF_INET6:
                    probe.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
                probe.bind(address)
        except OSError as e:
            raise SettingsError(f"Port {port} of {host} cannot be used: {_WHY.get(e.errno or 0, e.strerror)}.") from e
