"""A known dataset from a public https mirror, with a progress bar, and a quick no from a closed network.

Knows URLs and bytes. What it fetches is bounded by what the catalogue promises; whether it is right, the caller verifies.
"""

import http.client
import socket
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from glyphlite.console import Advance, progress_bar
from glyphlite.datasets.download.catalogue import KnownDataset, KnownFile
from glyphlite.datasets.idx import unpack_stream
from glyphlite.errors import DataError

CONNECT_SECONDS = 3.0
"""A closed network has to fall through to the next source in seconds."""
READ_SECONDS = 20.0
"""A server that was reached may be slow."""
_MEBIBYTE = _CHUNK = 2**20


def fetch_from_mirror(known: KnownDataset, mirror: str) -> dict[str, bytes]:
    """Downloads a dataset's four files from one mirror.

    Args:
        known: the dataset.
        mirror: URL of the folder that holds ``NAME.gz``, with its final slash.

    Returns:
        The uncompressed content of each file by its name, not yet verified.

    Raises:
        DataError: the mirror cannot be reached, refuses, or sends what is not the file.
    """
    opener = urllib.request.build_opener(_HTTPHandler, _HTTPSHandler)
    total = sum(file.content_bytes for file in known.files)
    with progress_bar(f"{known.name} from {urlsplit(mirror).hostname} (MiB)", total / _MEBIBYTE) as advance:
        return {file.name: _fetch(opener, mirror, file, advance) for file in known.files}


def _fetch(opener: urllib.request.OpenerDirector, mirror: str, file: KnownFile, advance: Advance) -> bytes:
    """Returns one file, unpacked while it arrives."""
    with _answered(mirror), opener.open(mirror + file.name + ".gz") as response:
        return unpack_stream(response, file.name, file.content_bytes, lambda count: advance(count / _MEBIBYTE))


def download(url: str, path: Path, title: str, megabytes: int) -> None:
    """Downloads a file as it is served.

    Args:
        url: its address.
        path: where it goes.
        title: what the progress bar calls it.
        megabytes: its size, rounded up; a server that sends more is refused.

    Raises:
        DataError: the server cannot be reached, refuses, breaks off, or sends too much.
        OSError: the file cannot be written.
    """
    opener, done = urllib.request.build_opener(_HTTPHandler, _HTTPSHandler), 0
    with progress_bar(title, megabytes) as advance, path.open("wb") as stream:
        with _answered(url):
            response = opener.open(url)
        with response:
            while chunk := _next_chunk(response, url):
                done += len(chunk)
                if done > (megabytes + 1) * 10**6:
                    raise DataError(f"{urlsplit(url).hostname}: it sends more than {megabytes} MB; refused")
                stream.write(chunk)
                advance(len(chunk) / 10**6)


def _next_chunk(response: http.client.HTTPResponse, url: str) -> bytes:
    """Returns what a server sends next; nothing at the end.

    Raises:
        DataError: it breaks off.
    """
    with _answered(url):
        return response.read(_CHUNK)


@contextmanager
def _answered(url: str) -> Iterator[None]:
    """Turns what goes wrong with a server into one line.

    Raises:
        DataError: the server cannot be reached, refuses, or breaks off.
    """
    try:
        yield
    except (OSError, http.client.HTTPException) as error:
        reason = getattr(error, "reason", None) or error
        words = getattr(reason, "strerror", None) or str(reason) or type(reason).__name__
        raise DataError(f"{urlsplit(url).hostname}: {words}") from None


class _HTTPConnection(http.client.HTTPConnection):
    """Gives up connecting soon, then waits patiently for data."""

    def connect(self) -> None:
        _resolve(self.host, self.port)
        self.timeout = CONNECT_SECONDS
        super().connect()
        self.sock.settimeout(READ_SECONDS)


class _HTTPSConnection(http.client.HTTPSConnection):
    """Gives up connecting soon, then waits patiently for data."""

    def connect(self) -> None:
        _resolve(self.host, self.port)
        self.timeout = CONNECT_SECONDS
        super().connect()
        self.sock.settimeout(READ_SECONDS)


class _HTTPHandler(urllib.request.HTTPHandler):
    def http_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        return self.do_open(_HTTPConnection, req)


class _HTTPSHandler(urllib.request.HTTPSHandler):
    def https_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        return self.do_open(_HTTPSConnection, req)


def _resolve(host: str, port: int) -> None:
    """Looks a name up within the connect time-out, which the resolver itself knows nothing of.

    Raises:
        OSError: the name is unknown, or nobody answered in time.
    """
    outcome: list[OSError] = []

    def look_up() -> None:
        try:
            socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except OSError as error:
            outcome.append(error)

    # A daemon thread: a resolver that hangs for longer must not keep the program from ending.
    thread = threading.Thread(target=look_up, daemon=True)
    thread.start()
    thread.join(CONNECT_SECONDS)
    if thread.is_alive():
        raise TimeoutError(f"no answer to the name {host} within {CONNECT_SECONDS:g} s")
    if outcome:
        raise outcome[0]
