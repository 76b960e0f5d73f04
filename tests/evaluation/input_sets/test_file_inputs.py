"""Inputs from a file: real or stored values, by name or by order; what fits nothing, or two things, is one line."""

from pathlib import Path

import numpy as np
import pytest

from glyphlite.errors import DataError
from glyphlite.evaluation.input_sets.file_inputs import file_set
from glyphlite.evaluation.input_sets.value_ranges import ModelInput, ModelInputs, integer_range, quantized_range
from glyphlite.runtimes.ports import Port
from glyphlite.tflite.quantization import Quantization, quantize

HALF = Quantization((0.5,), (-3,))
INT8 = Port((4, 3, 1), np.dtype("int8"), HALF, (1, 4, 3, 1))
FLOAT = Port((2,), np.dtype("float32"), None, (1, 2))
INDEX = Port((6,), np.dtype("int32"), None, (1, 6))
ONE = ModelInputs((ModelInput("pixels", INT8, integer_range(INT8)),))
TWO = ModelInputs(
    (ModelInput("a", INT8, integer_range(INT8)), ModelInput("b", FLOAT, quantized_range(HALF, np.dtype("int8")))),
)
REAL = np.linspace(-40, 40, 5 * 12, dtype=np.float32).reshape(5, 4, 3, 1)


def saved(path: Path, values: np.ndarray) -> Path:
    np.save(path, values)
    return path


def test_real_values_are_quantized_and_that_is_said(tmp_path: Path) -> None:
    found = file_set(saved(tmp_path / "x.npy", REAL.astype(np.float64)), ONE)
    np.testing.assert_array_equal(found.arrays[0], quantize(REAL, HALF, np.dtype("int8")))
    assert found.reals is not None
    np.testing.assert_array_equal(found.reals[0], REAL)
    assert found.source == "5 inputs of x.npy"
    assert found.notes == ("x.npy is taken as real values, quantized to int8 by the file's scale and zero point.",)


def test_real_values_beyond_the_range_are_counted(tmp_path: Path) -> None:
    found = file_set(saved(tmp_path / "x.npy", REAL * 2), ONE)
    beyond = int(((REAL * 2 > 65.25) | (REAL * 2 < -62.75)).sum())
    assert beyond
    assert found.notes[1] == f"{beyond} of 60 values lie beyond -62.5 to 65, the input's range, and saturate."


def test_stored_values_pass_as_they_are(tmp_path: Path) -> None:
    stored = quantize(REAL, HALF, np.dtype("int8"))
    found = file_set(saved(tmp_path / "x.npy", stored), ONE)
    np.testing.assert_array_equal(found.arrays[0], stored)
    assert (found.reals, found.notes) == (None, ("x.npy is taken as stored int8 values, since that is what the input holds.",))
    raw = tmp_path / "x.bin"
    raw.write_bytes(stored.tobytes())
    np.testing.assert_array_equal(file_set(raw, ONE).arrays[0], stored)


@pytest.mark.parametrize("shape", [(5, 4, 3), (5, 1, 4, 3, 1), (5, 4, 3, 1)])
def test_axes_of_one_may_be_left_out(shape: tuple[int, ...], tmp_path: Path) -> None:
    assert file_set(saved(tmp_path / "x.npy", REAL.reshape(shape)), ONE).arrays[0].shape == (5, 4, 3, 1)


def test_one_sample_may_stand_alone(tmp_path: Path) -> None:
    assert len(file_set(saved(tmp_path / "x.npy", REAL[0]), ONE)) == 1
    scalar = Port((1,), np.dtype("int8"), HALF, (1, 1))
    model = ModelInputs((ModelInput("x", scalar, integer_range(scalar)),))
    assert file_set(saved(tmp_path / "x.npy", np.arange(9.0)), model).arrays[0].shape == (9, 1)


def test_several_inputs_by_name_or_in_their_order(tmp_path: Path) -> None:
    b = np.ones((5, 2), np.float32)
    np.savez(tmp_path / "named.npz", b=b, a=REAL, labels=np.arange(5))
    named = file_set(tmp_path / "named.npz", TWO)
    assert [values.shape for values in named.arrays] == [(5, 4, 3, 1), (5, 2)]
    assert named.labels is not None
    assert named.labels.tolist() == [0, 1, 2, 3, 4]
    np.savez(tmp_path / "ordered.npz", REAL, b)
    ordered = file_set(tmp_path / "ordered.npz", TWO)
    np.testing.assert_array_equal(ordered.arrays[0], named.arrays[0])
    assert ordered.notes[0] == (
        "No array of ordered.npz is called as an input: they are taken in their order, arr_0 for a, arr_1 for b."
    )


def test_integers_fit_an_input_without_a_scale(tmp_path: Path) -> None:
    model = ModelInputs((ModelInput("tokens", INDEX, integer_range(INDEX)),))
    assert file_set(saved(tmp_path / "x.npy", np.arange(12).reshape(2, 6)), model).arrays[0].dtype == np.int32
    with pytest.raises(DataError, match="holds numbers that int32 cannot hold"):
        file_set(saved(tmp_path / "x.npy", np.full((2, 6), 1 << 40)), model)
    with pytest.raises(DataError, match="int32 without a scale: expected int32"):
        file_set(saved(tmp_path / "x.npy", np.zeros((2, 6))), model)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (np.zeros((5, 3, 4, 1), np.float32), r"has shape \[5, 3, 4, 1\]; expected \(n, 4, 3, 1\), n samples of 4x3x1 int8"),
        (np.zeros((5, 12), np.float32), r"has shape \[5, 12\]; expected"),
        (np.float32(1), r"has shape \[\]; expected"),
        (np.zeros((5, 4, 3, 1), np.uint8), "save it as int8 if the values are stored ones, as float32 if they are real"),
        (np.zeros((5, 4, 3, 1), np.int64), "holds int64, the input int8; save it as int8 if"),
        (np.zeros((5, 4, 3, 1), np.complex64), "holds complex64"),
        (np.full((5, 4, 3, 1), np.nan, np.float32), "numbers that are not finite"),
        (np.zeros((0, 4, 3, 1), np.float32), "holds no sample"),
        (np.array([None]), "is pickled"),
    ],
)
def test_what_does_not_fit_is_one_line(values: np.ndarray, said: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=said) as caught:
        file_set(saved(tmp_path / "x.npy", values), ONE)
    assert "\n" not in str(caught.value)


def test_other_files_are_refused_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "x.npy").write_bytes(b"no array")
    (tmp_path / "x.bin").write_bytes(bytes(13))
    (tmp_path / "empty.bin").write_bytes(b"")
    np.savez(tmp_path / "three.npz", REAL, REAL, REAL)
    np.savez(tmp_path / "half.npz", a=REAL, c=np.ones((5, 2), np.float32))
    np.savez(tmp_path / "uneven.npz", a=REAL, b=np.ones((4, 2), np.float32))
    np.savez(tmp_path / "labels.npz", a=REAL, b=np.ones((5, 2), np.float32), labels=np.arange(4))
    for name, model, said in (
        ("x.npy", ONE, "is not a NumPy array"),
        ("absent.npy", ONE, "cannot read"),
        ("x.csv", ONE, r"takes random\[:N\[:SEED\]\] or a file that ends in .npy, .npz, .bin"),
        ("x.bin", ONE, "has 13 bytes; expected a multiple of 12"),
        ("empty.bin", ONE, "has 0 bytes"),
        ("x.bin", TWO, "the model has 2 inputs; save an array for each in an .npz"),
        ("three.npz", TWO, r"holds 3 arrays, the model has 2 inputs \(a, b\)"),
        ("half.npz", TWO, "holds a, c; expected arrays called a, b, or none of these names"),
        ("uneven.npz", TWO, "hold 4 and 5 samples; expected as many in each"),
        ("labels.npz", TWO, r"labels of .* int64 of shape \[4\]; expected 5 class numbers"),
    ):
        with pytest.raises(DataError, match=said):
            file_set(tmp_path / name, model)


def test_a_draw_keeps_the_order_and_what_belongs_together(tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", pixels=REAL, labels=np.arange(5))
    drawn = file_set(tmp_path / "x.npz", ONE).drawn(3, seed=1)
    assert drawn.labels is not None
    assert drawn.reals is not None
    assert len(drawn) == 3
    assert drawn.labels.tolist() == sorted(drawn.labels)
    np.testing.assert_array_equal(drawn.reals[0], REAL[drawn.labels])
