"""Models that keep state give the same bytes in every runtime, call after call, and again from the beginning."""

from pathlib import Path

import numpy as np
import pytest
from random_models.recurrent import draw_lstm, draw_svdf
from support.streaming import running_sum

from glyphlite.runtimes.base import LoadedModel
from glyphlite.runtimes.registry import get_runtime
from glyphlite.runtimes.state import Kept, kept_by
from glyphlite.tflite.reader import parse_graph

CALLS = 100
KINDS = {
    "variable": lambda: running_sum((1, -2, 3, 4)),
    "zero point": lambda: running_sum(None),
    "lstm": lambda: draw_lstm(12, layers=1, dense=False),
    "svdf": lambda: draw_svdf(1),
    "time major lstm": lambda: draw_lstm(32, layers=1, dense=False),
}


def answers(model: LoadedModel, inputs: np.ndarray) -> list[np.ndarray]:
    """A hundred calls from the beginning, the same again in two pieces, and each call by itself."""
    [whole] = model.run((inputs,))
    [first] = model.run((inputs[:30],))
    [rest] = model.run((inputs[30:],), resume=True)
    [alone] = model.run((inputs[30:31],))
    return [whole, np.concatenate([first, rest]), alone]


@pytest.mark.parametrize("runtime", ["tflm", "generated_c", "cortex_m0", "cortex_m4"])
@pytest.mark.parametrize("kind", KINDS)
def test_state_goes_on_and_begins_again(runtime: str, kind: str, tmp_path: Path) -> None:
    content = KINDS[kind]()
    (tmp_path / "model.tflite").write_bytes(content)
    shape = parse_graph(content).input.shape
    rng = np.random.default_rng(5)
    path = tmp_path / "model.tflite"
    with get_runtime("tflm").load(path) as reference, get_runtime(runtime).load(path) as model:
        assert model.ports.keeps_state
        inputs = rng.integers(-20, 28, (CALLS, *model.inputs[0].shape)).astype(np.int8)
        assert inputs[0].size == np.prod(shape)
        [expected] = reference.run((inputs,))
        whole, pieces, alone = answers(model, inputs)
    assert np.array_equal(whole, expected)
    assert np.array_equal(pieces, expected)
    assert not np.array_equal(alone[0], expected[30])  # else there would be no state to speak of


def test_litert_begins_again_too(tmp_path: Path) -> None:
    """LiteRT leaves variables as they are when it is told to reset them; a new interpreter does not."""
    (tmp_path / "model.tflite").write_bytes(running_sum((1, -2, 3, 4)))
    inputs = np.random.default_rng(5).integers(-20, 28, (CALLS, 4)).astype(np.int8)
    with get_runtime("litert").load(tmp_path / "model.tflite") as model:
        whole, pieces, alone = answers(model, inputs)
    assert np.array_equal(whole, pieces)
    assert not np.array_equal(alone[0], whole[30])


def test_an_image_by_itself_begins_from_nothing(tmp_path: Path) -> None:
    (tmp_path / "model.tflite").write_bytes(running_sum(None))
    inputs = np.random.default_rng(5).integers(-20, 28, (3, 4)).astype(np.int8)
    with get_runtime("generated_c").load(tmp_path / "model.tflite") as model:
        each = model.predict_each(inputs)
        assert np.array_equal(each, np.concatenate([model.run((image[np.newaxis],))[0] for image in inputs]))


def test_what_a_file_keeps_is_read_from_it(samples: Path) -> None:
    content = (samples / "model_int8.tflite").read_bytes()
    assert kept_by(content, "model") == kept_by(b"no file", "model") == Kept()
    assert kept_by(running_sum(), "sum") == Kept(anything=True, variables=True)
    assert kept_by(draw_lstm(12, layers=1, dense=False), "lstm") == Kept(anything=True)
