"""Files from outside: no waiting for pipes and devices, a limit on bytes, and one line for whatever a parser raises."""

import os
import socket
import warnings
import zipfile
from pathlib import Path

import pytest

from glyphlite.errors import DataError, ModelError
from glyphlite.files.untrusted import check_unfolded, open_input, parsing, read_input
from glyphlite.files.zips import LARGEST_DIRECTORY, open_zip

WHAT = "an .npz file"


def test_a_regular_file_and_a_link_to_it_are_read(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"content")
    (tmp_path / "link").symlink_to(tmp_path / "a")
    assert read_input(tmp_path / "a", WHAT) == read_input(tmp_path / "link", WHAT) == b"content"
    assert read_input(tmp_path / "a", WHAT, largest=7) == b"content"
    with pytest.raises(DataError, match=r"a has 7 bytes; an \.npz file has at most 6$"):
        read_input(tmp_path / "a", WHAT, largest=6)


@pytest.mark.parametrize("kind", ["pipe", "socket", "device", "folder"])
def test_what_is_no_regular_file_is_refused_at_once(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # a socket's path is short
    path = Path("/dev/zero") if kind == "device" else Path("it.npz")
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    elif kind == "socket":
        with socket.socket(socket.AF_UNIX) as bound:
            bound.bind(str(path))
    with pytest.raises(ModelError, match=f"{path} is a {kind}; expected an .npz file$"):
        open_input(path, WHAT, ModelError)


@pytest.mark.parametrize(
    ("name", "words"), [("absent", "No such file"), ("a\0b", "not a valid file name"), ("x" * 300, "too long")]
)
def test_names_that_cannot_be_opened_are_refused(name: str, words: str) -> None:
    with pytest.raises(DataError, match=words):
        open_input(Path(name), WHAT)


class Odd(BaseException):
    """What no parser should raise."""


@pytest.mark.parametrize(
    ("failure", "words"),
    [
        (NotImplementedError("zip 9.9"), "zip 9.9"),
        (RecursionError("maximum"), "it is nested too deeply"),
        (MemoryError(), "it asks for more memory than there is"),
        (KeyError("dtype"), "KeyError 'dtype'"),
        (OverflowError(), "OverflowError"),
        (OSError(5, "Input/output error"), "Input/output error"),
        (SystemExit(0), "SystemExit 0"),
        (Odd("odd\nthing"), "odd thing"),
        (ValueError("x" * 2000), "x" * 300 + "..."),
    ],
)
def test_whatever_a_parser_raises_becomes_one_line(failure: BaseException, words: str) -> None:
    with pytest.raises(DataError) as caught, parsing("a.npz is damaged", advice="fetch it again"):
        raise failure
    assert str(caught.value) == f"a.npz is damaged: {words}; fetch it again"


def test_our_own_errors_and_interrupts_pass_through_a_parser() -> None:
    for failure in (ModelError("ours"), KeyboardInterrupt()):
        with pytest.raises(type(failure)) as caught, parsing("a.npz is damaged"):
            raise failure
        assert caught.value is failure


def test_warnings_of_a_parser_are_kept_back() -> None:
    with warnings.catch_warnings(record=True) as shown:
        warnings.simplefilter("always")
        with parsing("a.png is damaged"):
            warnings.warn("Corrupt EXIF data", stacklevel=1)
    assert shown == []


def test_what_unpacks_to_far_more_than_it_is_is_refused() -> None:
    check_unfolded("a", 10, 64 << 20)
    check_unfolded("a", 10 << 20, 1000 << 20)
    for stored, unfolded in ((10, (64 << 20) + 1), (10 << 20, (1000 << 20) + 1)):
        with pytest.raises(DataError, match="that unpack to"):
            check_unfolded("a", stored, unfolded)


def test_an_archive_is_read_and_damage_in_it_is_one_line(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("member", "content" * 100)
    with open_zip(path, WHAT) as archive:
        assert archive.read("member") == b"content" * 100
    content = path.read_bytes()
    path.write_bytes(content.replace(b"tentcon", b"TENTCON"))
    with pytest.raises(DataError, match=r"a\.npz is not a readable \.npz file: Bad CRC-32"), open_zip(path, WHAT) as archive:
        archive.read("member")


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_methods_that_unpack_without_a_bound_are_refused(method: int, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.npz", "w", method) as archive:
        archive.writestr("member", bytes(1000))
    with pytest.raises(DataError, match="compressed otherwise than by deflate"), open_zip(tmp_path / "a.npz", WHAT):
        pass


def test_an_archive_of_very_many_members_is_refused_unread(tmp_path: Path) -> None:
    entries = LARGEST_DIRECTORY // 46 + 1
    directory = (b"PK\1\2" + bytes(42)) * entries
    end = b"PK\5\6" + bytes(8) + len(directory).to_bytes(4, "little") + bytes(6)
    (tmp_path / "a.npz").write_bytes(directory + end)
    with pytest.raises(DataError, match="its directory takes"), open_zip(tmp_path / "a.npz", WHAT):
        pass


def test_an_archive_that_unpacks_to_far_more_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("member", bytes(65 << 20))
    with pytest.raises(DataError, match="that unpack to"), open_zip(tmp_path / "a.npz", WHAT):
        pass
