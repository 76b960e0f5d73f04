"""The checkpoint file: everything comes back, damage of any kind is noticed, nothing is unpickled."""

import io
import json
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from glyphlite.errors import OutputError
from glyphlite.training.checkpoint import (
    FORMAT,
    Checkpoint,
    CheckpointStore,
    DamagedCheckpointError,
    decode_checkpoint,
    encode_checkpoint,
)

EXAMPLE = Checkpoint(
    {
        "state/weight/0": np.arange(6, dtype=np.float32).reshape(2, 3),
        "seed": np.array([3, 4], np.uint32),
        "step": np.array(7, np.int64),
    },
    {"settings": {"seed": 1}, "loss_sum": 0.1},
)
CONTENT = encode_checkpoint(EXAMPLE)


def test_round_trip():
    back = decode_checkpoint(CONTENT)
    assert back.document == EXAMPLE.document
    assert back.arrays.keys() == EXAMPLE.arrays.keys()
    for name, array in EXAMPLE.arrays.items():
        assert back.arrays[name].dtype == array.dtype
        assert np.array_equal(back.arrays[name], array)


@given(st.integers(0, len(CONTENT) - 1))
def test_truncated_anywhere(length):
    with pytest.raises(DamagedCheckpointError):
        decode_checkpoint(CONTENT[:length])


@given(st.integers(0, len(CONTENT) - 1), st.integers(1, 255))
def test_flipped_anywhere_is_noticed_or_harmless(position, flip):
    content = bytearray(CONTENT)
    content[position] ^= flip
    try:
        back = decode_checkpoint(bytes(content))
    except DamagedCheckpointError:
        return
    assert back.document == EXAMPLE.document
    assert np.array_equal(back.arrays["state/weight/0"], EXAMPLE.arrays["state/weight/0"])


@given(st.binary(max_size=200))
def test_rubbish(content):
    with pytest.raises(DamagedCheckpointError):
        decode_checkpoint(content)


class _Bomb:
    def __reduce__(self):
        return (pytest.fail, ("unpickled",))


def test_pickles_inside_are_refused():
    stream = io.BytesIO()
    np.savez(stream, document=np.array([_Bomb()], dtype=object))
    import hashlib

    body = stream.getvalue()
    header = json.dumps({"format": FORMAT, "sha256": hashlib.sha256(body).hexdigest(), "bytes": len(body)}).encode()
    with pytest.raises(DamagedCheckpointError, match="cannot be unpacked"):
        decode_checkpoint(header + b"\n" + body)
    with pytest.raises(DamagedCheckpointError):
        decode_checkpoint(pickle.dumps(_Bomb()))


def test_two_are_kept(tmp_path):
    store = CheckpointStore(tmp_path)
    for step in (5, 90, 1000):
        store.save(step, EXAMPLE)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["checkpoint-000000090.ckpt", "checkpoint-000001000.ckpt"]


def test_all_damaged_is_nothing(tmp_path, capfd):
    store = CheckpointStore(tmp_path)
    for step in (1, 2):
        store.save(step, EXAMPLE).write_bytes(b"{}")
    assert store.load() is None
    assert capfd.readouterr().err.count("is damaged") == 2


def test_leftovers_of_a_killed_write_are_swept(tmp_path):
    leftover = tmp_path / ".glyphlite-0123456789ab" / "checkpoint-000000090.ckpt"
    leftover.parent.mkdir()
    leftover.write_bytes(b"half")
    (tmp_path / ".keep").write_text("mine")
    CheckpointStore(tmp_path).clear()
    assert [path.name for path in tmp_path.iterdir()] == [".keep"]


def test_folder_in_the_way(tmp_path):
    (tmp_path / "checkpoints").write_text("a file")
    with pytest.raises(OutputError):
        CheckpointStore(tmp_path / "checkpoints").save(1, EXAMPLE)
