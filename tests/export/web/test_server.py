"""The page's server: the folder's files with their types and headers, and nothing else."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from http.client import HTTPConnection
from pathlib import Path
from threading import Thread

import pytest

from glyphlite.errors import OutputError, ToolError
from glyphlite.export.web.server import HEADERS, page_server, serve

FILES = {"index.html": "text/html", "app.js": "text/javascript", "engine-simd.wasm": "application/wasm"}
FILES |= {"manifest.webmanifest": "application/manifest+json", "icon.svg": "image/svg+xml", "style.css": "text/css"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "secret.txt").write_text("secret")
    folder = tmp_path / "page"
    (folder / "deeper").mkdir(parents=True)
    for name in FILES:
        (folder / name).write_text(f"this is {name}")
    (folder / "link.txt").symlink_to(tmp_path / "secret.txt")
    return folder


@pytest.fixture
def port(folder: Path) -> Iterator[int]:
    with page_server(folder, port=0) as server:
        Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield server.server_port
        server.shutdown()


def ask(port: int, path: str, method: str = "GET", headers: dict[str, str] | None = None) -> tuple[int, dict[str, str], bytes]:
    connection = HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request(method, path, headers=headers or {})
    answer = connection.getresponse()
    try:
        return answer.status, {name.title(): value for name, value in answer.getheaders()}, answer.read()
    finally:
        connection.close()


def test_files_with_their_types(port: int) -> None:
    for name, kind in FILES.items():
        status, headers, content = ask(port, f"/{name}")
        assert (status, content) == (200, f"this is {name}".encode())
        assert headers["Content-Type"].split(";")[0] == kind
        assert all(headers[header] == value for header, value in HEADERS.items())
    assert ask(port, "/")[2] == b"this is index.html"
    assert ask(port, "/index.html", "HEAD")[::2] == (200, b"")


def test_what_a_browser_has_already_is_not_sent_again(port: int) -> None:
    modified = ask(port, "/app.js")[1]["Last-Modified"]
    assert ask(port, "/app.js", headers={"If-Modified-Since": modified})[::2] == (304, b"")


@pytest.mark.parametrize(
    "path",
    [
        "/../secret.txt",
        "/%2e%2e/secret.txt",
        "//secret.txt",
        "/link.txt",
        "/deeper/",
        "/deeper",
        "/nothing",
        "/%00",
        "/..%2fsecret.txt",
        "/" + 300 * "a",
        "/" + 3000 * "a/b",
    ],
)
def test_nothing_else(port: int, path: str) -> None:
    status, headers, content = ask(port, path)
    assert status == 404
    assert b"secret" not in content.replace(b"secret.txt", b"")
    assert "Content-Security-Policy" in headers


def test_only_to_read(port: int, folder: Path) -> None:
    for method in ("PUT", "POST", "DELETE"):
        assert ask(port, "/app.js", method)[0] == 501
    assert (folder / "app.js").read_text() == "this is app.js"


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.1:80", "localhost:5", "LOCALHOST"])
def test_asked_for_itself_it_answers(port: int, host: str) -> None:
    assert ask(port, "/", headers={"Host": host})[0] == 200


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:8000",
        "127.0.0.1.evil.example",
        "192.0.2.1",
        "[::1]",
        "",
        "[",
        ":",
        "localhost, evil.example",
        "localhost:5, evil.example",
        "localhost@evil.example",
        "localhost:5:6",
        "[localhost]",
        "local host",
    ],
)
def test_asked_for_another_host_it_does_not(port: int, host: str) -> None:
    """A name that is turned to this address (DNS rebinding) must not let its page read ours."""
    status, _, content = ask(port, "/", headers={"Host": host})
    assert status == 421
    assert b"this is" not in content


def test_asked_for_two_hosts_it_does_not(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n")
        assert connection.recv(100).startswith(b"HTTP/1.0 421 ")


def test_a_host_of_ones_own_choice_is_answered(folder: Path) -> None:
    with page_server(folder, host="localhost", port=0) as server:
        Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        assert ask(server.server_port, "/", headers={"Host": "localhost"})[0] == 200
        server.shutdown()


def test_a_request_that_drips_is_cut_off(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("glyphlite.export.web.server._Handler.request_seconds", 0.3)
    with page_server(folder, port=0) as server:
        Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        with socket.create_connection(("127.0.0.1", server.server_port), timeout=10) as connection:
            sent = 0
            with suppress(OSError):
                for sent in range(200):
                    connection.sendall(b"G" if sent == 0 else b"x")
                    time.sleep(0.05)
            assert 2 < sent < 199, "the server has closed the connection while bytes still came"
        server.shutdown()


def test_port_in_use(folder: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(ToolError, match=f"port {port} is in use; choose another with --port"):
            serve(folder, port=port)


def test_what_cannot_be_served(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="holds no page"):
        serve(tmp_path)
    with pytest.raises(ToolError, match="port 70000 does not exist"):
        serve(folder, port=70000)
    with pytest.raises(ToolError, match=r"cannot listen on 192\.0\.2\.7"):
        serve(folder, host="192.0.2.7", port=0)
    with pytest.raises(ToolError, match="cannot listen on no such host"):
        serve(folder, host="no such host", port=0)


@pytest.mark.parametrize(("host", "cautious"), [("127.0.0.1", False), ("0.0.0.0", True)])
def test_ctrl_c_ends_it_cleanly(folder: Path, host: str, cautious: bool) -> None:
    # A job in the background of a shell inherits an ignored SIGINT, and with it no KeyboardInterrupt.
    code = (
        "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); from pathlib import Path; "
        f"from glyphlite.export.web.server import serve; serve(Path({str(folder)!r}), host={host!r}, port=0)"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code], stderr=subprocess.PIPE, text=True, env={**os.environ, "COLUMNS": "200"}
    )
    assert process.stderr is not None
    first = process.stderr.readline()
    if cautious:
        process.stderr.readline()
    port = int(first.split("/ (")[0].rsplit(":", 1)[1])
    assert ask(port, "/")[0] == 200
    process.send_signal(signal.SIGINT)
    _, rest = process.communicate(timeout=20)
    assert process.returncode == 0
    assert rest == "Stopped.\n"
