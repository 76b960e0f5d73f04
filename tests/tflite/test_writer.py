"""Files are packed without losing or mixing up anything, and vectors of equal numbers lie in them once."""

from typing import Any

import numpy as np
import pytest

from glyphlite.models.pretrained import pretrained_artifact
from glyphlite.tflite.writer import pack_model, unpack_model


def as_data(value: Any) -> Any:
    """An object model as plain data, whatever kinds of sequence it holds."""
    if isinstance(value, np.ndarray | list | tuple):
        return [as_data(each) for each in value]
    if hasattr(value, "__dict__"):
        return {name: as_data(each) for name, each in vars(value).items()}
    return value.item() if isinstance(value, np.generic) else value


@pytest.fixture(scope="module")
def content() -> bytes:
    return pretrained_artifact("glyph-1k").read_bytes()


def test_what_is_packed_is_what_was_given(content: bytes):
    wanted = as_data(unpack_model(content))
    assert as_data(unpack_model(pack_model(unpack_model(content)))) == wanted


def test_equal_numbers_lie_in_the_file_once(content: bytes):
    model = unpack_model(content)
    zeros = [tensor.quantization for tensor in model.subgraphs[0].tensors if tensor.quantization is not None]
    each = max(
        (one for one in zeros if one.zeroPoint is not None and not np.any(one.zeroPoint)), key=lambda one: len(one.zeroPoint)
    )
    shared = len(pack_model(model))
    each.zeroPoint = np.arange(1, len(each.zeroPoint) + 1)
    assert len(pack_model(model)) >= shared + each.zeroPoint.nbytes


def test_vectors_of_other_lengths_and_widths_stay_apart(content: bytes):
    """Zeros of which one vector is the beginning of another, and the same bytes as numbers of another width."""
    model = unpack_model(content)
    tensors = model.subgraphs[0].tensors
    tensors[0].shapeSignature = np.zeros(2, np.int32)
    tensors[1].shapeSignature = np.zeros(4, np.int32)
    tensors[2].quantization.zeroPoint = np.zeros(1, np.int64)
    tensors[2].quantization.scale = np.zeros(2, np.float32)
    again = unpack_model(pack_model(model)).subgraphs[0].tensors
    assert [list(tensor.shapeSignature) for tensor in again[:2]] == [[0, 0], [0, 0, 0, 0]]
    assert list(again[2].quantization.zeroPoint) == [0]
    assert list(again[2].quantization.scale) == [0.0, 0.0]
