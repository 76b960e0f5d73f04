"""The IDX format: what is written is read back, and what is malformed is refused before it costs memory."""

import contextlib
import gzip
import hashlib
import struct
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from glyphlite.datasets.dataset import Dataset
from glyphlite.datasets.download.catalogue import MNIST
from glyphlite.datasets.idx import DTYPES, encode_idx, parse_idx, read_idx, write_idx
from glyphlite.errors import DataError

ARRAYS = st.sampled_from([dtype.newbyteorder("=") for dtype in DTYPES.values()]).flatmap(
    lambda dtype: hnp.arrays(dtype, hnp.array_shapes(max_dims=4, max_side=5), elements=hnp.from_dtype(dtype, allow_nan=False))
)


@given(ARRAYS)
def test_what_is_encoded_is_parsed_back(array: np.ndarray) -> None:
    parsed = parse_idx(encode_idx(array))
    assert parsed.dtype == array.dtype
    np.testing.assert_array_equal(parsed, array)


@pytest.mark.parametrize("name", ["train-images-idx3-ubyte", "train-images-idx3-ubyte.gz"])
def test_files_round_trip_compressed_or_not(tmp_path: Path, mnist: Dataset, name: str) -> None:
    images = mnist.test.images[:50, ..., 0]
    path = write_idx(tmp_path / name, images)
    np.testing.assert_array_equal(read_idx(path), images)
    assert path.read_bytes()[:2] == (b"\x1f\x8b" if name.endswith(".gz") else b"\0\0")


def test_encoding_gives_the_canonical_bytes_of_mnist(mnist: Dataset) -> None:
    assert hashlib.sha256(encode_idx(mnist.test.images[..., 0])).hexdigest() == MNIST.test_images.sha256


def test_values_are_big_endian_as_the_format_says() -> None:
    np.testing.assert_array_equal(parse_idx(bytes([0, 0, 0x0B, 1, 0, 0, 0, 2, 1, 2, 0xFF, 0xFE])), np.array([258, -2], np.int16))


@given(st.binary(max_size=64))
def test_random_bytes_are_refused_or_parsed_but_never_crash(content: bytes) -> None:
    with contextlib.suppress(DataError):
        parse_idx(content)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cut=st.integers(1, 200), packed=st.booleans())
def test_a_truncated_file_is_refused(tmp_path: Path, cut: int, packed: bool) -> None:
    content = encode_idx(np.arange(200, dtype=np.uint8).reshape(2, 100))
    content = gzip.compress(content) if packed else content
    path = tmp_path / "cut"
    path.write_bytes(content[: max(0, len(content) - cut)])
    with pytest.raises(DataError):
        read_idx(path)


def test_a_file_with_bytes_to_spare_is_refused(tmp_path: Path) -> None:
    content = encode_idx(np.zeros(10, np.uint8)) + b"\0"
    for name, stored in (("plain", content), ("packed", gzip.compress(content))):
        (tmp_path / name).write_bytes(stored)
        with pytest.raises(DataError, match=name):
            read_idx(tmp_path / name)


def test_a_header_that_lies_costs_no_memory(tmp_path: Path) -> None:
    path = tmp_path / "lie"
    path.write_bytes(struct.pack(">BBBB3I", 0, 0, 8, 3, 2**31, 2**31, 2**31) + bytes(100))
    tracemalloc.start()
    with pytest.raises(DataError, match="promises"):
        read_idx(path)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 10**6


@pytest.mark.parametrize("promised", [1000, 2**40])
def test_a_gzip_bomb_is_cut_off_at_what_its_header_promises(tmp_path: Path, promised: int) -> None:
    path = tmp_path / "bomb.gz"
    with gzip.open(path, "wb") as stream:
        stream.write(struct.pack(">BBBB2I", 0, 0, 8, 2, promised // 1000, 1000))
        for _ in range(200):
            stream.write(bytes(2**20))
    tracemalloc.start()
    with pytest.raises(DataError, match="promises"):
        read_idx(path)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 4 * 2**20


@pytest.mark.parametrize(
    "content", [b"", b"\0\0", b"\0\0\x08", b"\0\0\x08\x00", b"\0\0\x08\xff" + bytes(1020), b"\0\0\7\1\0\0\0\0"]
)
def test_headers_that_mean_nothing_are_refused(content: bytes) -> None:
    with pytest.raises(DataError):
        parse_idx(content)


def test_what_the_format_cannot_hold_is_refused() -> None:
    with pytest.raises(DataError, match="complex128"):
        encode_idx(np.zeros(3, complex))
    with pytest.raises(DataError, match="shape"):
        encode_idx(np.uint8(1) + np.zeros((), np.uint8))


def test_a_missing_file_and_a_folder_are_refused(tmp_path: Path) -> None:
    for path, words in ((tmp_path, "is a folder; expected an IDX file"), (tmp_path / "nothing", "No such file")):
        with pytest.raises(DataError, match=words):
            read_idx(path)


def test_zeros_that_unpack_to_far_more_than_their_file_are_refused(tmp_path: Path) -> None:
    header = bytes([0, 0, 8, 2]) + struct.pack(">2I", 1 << 16, 1 << 11)
    (tmp_path / "zeros.gz").write_bytes(gzip.compress(header + bytes(1 << 27), 1))
    with pytest.raises(DataError, match=r"zeros\.gz has .* bytes that unpack to 134,217,740 or more"):
        read_idx(tmp_path / "zeros.gz")
