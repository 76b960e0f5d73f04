"""A folder of static files over HTTP, for ``glyphlite draw``: only that folder's files, only to read, until Ctrl-C.

Knows files and HTTP, nothing of models.
"""

import errno
import io
import ipaddress
import re
import socket
import sys
import time
from collections.abc import Callable, Mapping
from functools import partial
from http import HTTPStatus
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import MappingProxyType
from typing import Any

from glyphlite.console import say as say_to_people
from glyphlite.errors import OutputError, ToolError

HEADERS: Mapping[str, str] = MappingProxyType(
    {
        # That of the page itself, and what only a header can say: that no other page may frame it.
        "Content-Security-Policy": (
            "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self' blob:; "
            "connect-src 'self'; manifest-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'none'; "
            "frame-ancestors 'none'"
        ),
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        # Browsers give a finer clock to pages that keep to themselves.
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Embedder-Policy": "require-corp",
        "Cache-Control": "no-cache",
    }
)
_REQUEST_SECONDS = 10.0
"""A whole request has to be there by then, however slowly its bytes come."""

_WRITE_SECONDS = 30
"""A part of an answer has to be taken by then."""


class _UntilDeadline(io.RawIOBase):
    """Reads what a connection sends until a deadline, then raises TimeoutError."""

    def __init__(self, connection: socket.socket, seconds: float) -> None:
        self._connection, self._deadline = connection, time.monotonic() + seconds

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        """Reads what is there; see :meth:`io.RawIOBase.readinto`."""
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError("the request takes too long")
        self._connection.settimeout(left)
        return self._connection.recv_into(buffer)


class _Handler(SimpleHTTPRequestHandler):
    """GET and HEAD of the files in one folder; no listings, nothing that a link leads out to."""

    request_seconds = _REQUEST_SECONDS
    hosts: frozenset[str] = frozenset()
    server_version = "glyphlite"
    # What the system's table says of these is often wrong, and a module of another type does not run.
    extensions_map = {  # noqa: RUF012 - the base class's own declaration
        ".css": "text/css; charset=utf-8",
        ".html": "text/html; charset=utf-8",
        ".js": "text/javascript; charset=utf-8",
        ".json": "application/json",
        ".png": "image/png",
        ".svg": "image/svg+xml",
        ".txt": "text/plain; charset=utf-8",
        ".wasm": "application/wasm",
        ".webmanifest": "application/manifest+json",
        "": "application/octet-stream",
    }

    def setup(self) -> None:
        """Reads the request with one deadline for the whole of it."""
        super().setup()
        self.rfile = io.BufferedReader(_UntilDeadline(self.connection, self.request_seconds))

    def parse_request(self) -> bool:
        """Refuses a request for another host: a page elsewhere whose name was turned to this address could read the answer."""
        understood = super().parse_request()
        self.connection.settimeout(_WRITE_SECONDS)
        if understood and not self._is_meant():
            self.send_error(HTTPStatus.MISDIRECTED_REQUEST, "This server answers for its own address only")
            return False
        return understood

    def _is_meant(self) -> bool:
        """Returns whether the Host header names this machine as it was reached: by address, as localhost, or by --host's name."""
        headers = self.headers.get_all("Host", [])
        host = _host_of(headers[0]) if len(headers) == 1 else ""
        if host in self.hosts:
            return True
        try:
            named, reached = ipaddress.ip_address(host), ipaddress.ip_address(self.connection.getsockname()[0].partition("%")[0])
        except ValueError:
            return False
        return named == reached or named == getattr(reached, "ipv4_mapped", None)

    def send_head(self) -> Any:
        """Sends the answer's head; returns the opened file, or None after an error or where the browser's copy is still good."""
        folder = Path(self.directory).resolve()
        try:
            wanted = Path(self.translate_path(self.path)).resolve()
            is_there = wanted.is_relative_to(folder) and (wanted.is_file() or wanted == folder)
        except (OSError, ValueError):  # a loop of links, a null byte, a name of thousands of letters
            is_there = False
        if not is_there:
            self.send_error(HTTPStatus.NOT_FOUND)
            return None
        return super().send_head()

    def list_directory(self, path: Any) -> None:
        """Lists nothing: a folder without an index.html is not found."""
        del path
        self.send_error(HTTPStatus.NOT_FOUND)

    def end_headers(self) -> None:
        """Adds the page's security policy to every answer."""
        for name, value in HEADERS.items():
            self.send_header(name, value)
        super().end_headers()

    def version_string(self) -> str:
        """Returns a name without the versions of Python and its server."""
        return self.server_version

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's own name
        """Requests are no news."""


class _Server(ThreadingHTTPServer):
    """Silent about browsers that go away."""

    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)


class _Server6(_Server):
    address_family = socket.AF_INET6


def page_server(folder: Path, host: str = "127.0.0.1", port: int = 8000) -> ThreadingHTTPServer:
    """Returns a server that listens and has not begun to answer: call its ``serve_forever``.

    Args:
        folder: what it serves.
        host: an address of this machine; ``0.0.0.0`` and ``::`` stand for all.
        port: 0 takes any that is free; see the server's ``server_port``.

    Raises:
        OutputError: the folder holds no page.
        ToolError: the port is in use or not allowed, or the host is not this machine.
    """
    if not (folder / "index.html").is_file():
        raise OutputError(f"{folder} holds no page (index.html); write one with glyphlite export --for web")
    if not 0 <= port <= 65535:
        raise ToolError(f"port {port} does not exist; choose one from 1024 to 65535 with --port")
    try:
        hosts = frozenset({"localhost", host.lower(), _shown(host).strip("[]").lower()} - {"0.0.0.0", "::", ""})  # noqa: S104
        handler = type("Handler", (_Handler,), {"hosts": hosts})
        return (_Server6 if ":" in host else _Server)((host, port), partial(handler, directory=str(folder)))
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise ToolError(f"port {port} is in use; choose another with --port, such as --port {port % 65535 + 1}") from None
        if error.errno in (errno.EACCES, errno.EPERM):
            raise ToolError(f"port {port} needs more rights than you have; choose one from 1024 with --port") from None
        reason = error.strerror or error
        raise ToolError(f"cannot listen on {host}: {reason}; use --host 127.0.0.1, or 0.0.0.0 for all networks") from None


def serve(folder: Path, *, host: str = "127.0.0.1", port: int = 8000, say: Callable[[str], None] = say_to_people) -> None:
    """Serves a folder until Ctrl-C, and says where.

    Args:
        folder: with an index.html.
        host: an address of this machine; others than localhost let the network in.
        port: 0 takes any that is free.
        say: prints one line.

    Raises:
        OutputError: the folder holds no page.
        ToolError: the port is in use or not allowed, or the host is not this machine.
    """
    with page_server(folder, host, port) as server:
        say(f"The page is at http://{_shown(host)}:{server.server_port}/ (stop with Ctrl-C)")
        if not _is_local(host):
            say(
                "Everyone on your network can open it, and what they load is not encrypted. Use it at home, not in a café; "
                "browsers install pages and keep them offline only from localhost or over HTTPS."
            )
        try:
            server.serve_forever(poll_interval=0.2)
        except KeyboardInterrupt:
            say("Stopped.")


def _host_of(header: str) -> str:
    """Returns the host of a Host header in lower case, without its port and an IPv6 address's brackets; "" where it is none."""
    found = re.fullmatch(r"(?:\[([0-9a-f:.]+)\]|([^\s\[\]:,@/]+))(?::\d*)?", header.strip().lower())
    return "" if found is None else found[1] or found[2]


def _is_local(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _shown(host: str) -> str:
    """Returns the host as another device reaches it: for all addresses, the one that this machine has on its network."""
    if host in ("0.0.0.0", "", "::"):  # noqa: S104 - what the user asked for
        # No packet is sent: connecting a datagram socket only asks for the route.
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            try:
                probe.connect(("192.0.2.1", 9))
                return str(probe.getsockname()[0])
            except OSError:
                return socket.gethostname()
    return f"[{host}]" if ":" in host else host
