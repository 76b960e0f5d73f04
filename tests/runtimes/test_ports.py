"""What may enter and leave a classifier, and what is refused in words."""

import numpy as np
import pytest

from glyphlite.errors import ArtifactError
from glyphlite.runtimes.ports import (
    Described,
    Port,
    as_image,
    check_batch,
    check_batches,
    check_image,
    classifier,
    frames,
    input_port,
    output_port,
    ports_of,
    single,
)
from glyphlite.tflite.quantization import Quantization


def test_ports_of_classifiers() -> None:
    assert input_port([1, 28, 28, 1], np.float32, [], []) == Port((28, 28, 1), np.dtype("float32"))
    assert input_port([1, 784], np.int8, [0.5], [-128]) == Port((784,), np.dtype("int8"), Quantization((0.5,), (-128,)))
    assert output_port([1, 10], np.uint8, np.array([0.25]), np.array([3])).quantization == Quantization((0.25,), (3,))
    assert output_port([1, 1, 1, 10], np.int16, [1e-5], [0]).shape == (10,)


@pytest.mark.parametrize(
    ("shape", "dtype", "scales", "zero_points", "said"),
    [
        ([], np.float32, [], [], "its input has shape \\[\\]"),
        ([1], np.float32, [], [], "not an image classifier"),
        ([1, 0, 28, 1], np.float32, [], [], "not an image classifier"),
        ([1, -5, 28, 1], np.float32, [], [], "not an image classifier"),
        ([1, 2, 28, 28, 1], np.float32, [], [], "not an image classifier"),
        ([1, 1 << 20, 1 << 20, 1], np.float32, [], [], "more than the 67,108,864 values that glyphlite takes"),
        ([1, 28, 28, 1], np.int32, [], [], "its input holds int32, expected one of float32"),
        ([1, 28, 28, 1], np.float16, [], [], "float16"),
        ([1, 28, 28, 1], "nonsense", [], [], "nonsense"),
        ([1, 28, 28, 1], np.int8, [], [], "0 scales, expected one"),
        ([1, 28, 28, 1], np.int8, [0.1, 0.2], [0, 0], "2 scales, expected one"),
        ([1, 28, 28, 1], np.int8, [0.0], [0], "out of range for int8"),
        ([1, 28, 28, 1], np.int8, [-1.0], [0], "out of range"),
        ([1, 28, 28, 1], np.int8, [float("nan")], [0], "out of range"),
        ([1, 28, 28, 1], np.int8, [1.0], [200], "zero point 200 are out of range for int8"),
        ([1, 28, 28, 1], np.uint8, [1.0], [-1], "out of range for uint8"),
    ],
)
def test_inputs_that_are_no_images(
    shape: list[int], dtype: object, scales: list[float], zero_points: list[int], said: str
) -> None:
    with pytest.raises(ArtifactError, match=said):
        input_port(shape, dtype, scales, zero_points)


@pytest.mark.parametrize("shape", [[10], [1, 0], [1, 5, 10], []])
def test_outputs_that_are_no_classes(shape: list[int]) -> None:
    with pytest.raises(ArtifactError, match=r"expected \(batch, classes\)"):
        output_port(shape, np.float32, [], [])


@pytest.mark.parametrize("numbers", [1, 4, 8, 9, 13, 16, 30, 49, 63])
def test_a_few_numbers_in_a_row_are_no_image(numbers: int) -> None:
    with pytest.raises(ArtifactError, match=rf"a row of {numbers} numbers, fewer than the 64 pixels .* not an image classifier"):
        check_image(input_port([1, numbers], np.float32, [], []))


@pytest.mark.parametrize("shape", [[1, 64], [1, 784], [1, 600], [1, 8, 8], [1, 4, 4, 1], [1, 28, 28, 1]])
def test_rows_of_enough_pixels_and_arrangements_of_them_are_images(shape: list[int]) -> None:
    check_image(input_port(shape, np.float32, [], []))


def test_one_of_each() -> None:
    single("input", 1)
    for count in (0, 2):
        with pytest.raises(ArtifactError, match=f"it has {count} inputs, expected exactly one"):
            single("input", count)


def test_batches_that_do_not_fit() -> None:
    port = Port((28, 28, 1), np.dtype("int8"))
    assert check_batch(np.zeros((3, 28, 28, 1), np.int8)[::2], port).flags.c_contiguous
    for batch in (np.zeros((3, 28, 28), np.int8), np.zeros((3, 28, 28, 1), np.float32)):
        with pytest.raises(ArtifactError, match="the model takes images of"):
            check_batch(batch, port)


FLOAT = np.float32


def _shapes(*tensors: list[int]) -> list[Described]:
    return [Described(shape, FLOAT) for shape in tensors]


@pytest.mark.parametrize(
    ("inputs", "outputs", "batch", "samples"),
    [
        ([[1, 49, 40, 1]], [[1, 12]], 1, [(49, 40, 1), (12,)]),
        ([[1, 1]], [[1, 1]], 1, [(1,), (1,)]),
        ([[1, 128, 3], [1, 4]], [[1, 6], [1, 2, 2]], 1, [(128, 3), (4,), (6,), (2, 2)]),
        ([[32, 28, 28, 1]], [[32, 10]], 32, [(28, 28, 1), (10,)]),  # a fixed batch
        ([[98, 40]], [[1, 4]], 1, [(98, 40), (4,)]),  # a first extent that the output does not share is no batch
        ([[]], [[1]], 1, [(), ()]),
        ([[1, 2, 3, 4, 5]], [[7]], 1, [(2, 3, 4, 5), (7,)]),
    ],
)
def test_what_one_sample_is(
    inputs: list[list[int]], outputs: list[list[int]], batch: int, samples: list[tuple[int, ...]]
) -> None:
    found = ports_of(_shapes(*inputs), _shapes(*outputs))
    assert found.batch == batch
    assert [port.shape for port in (*found.inputs, *found.outputs)] == samples
    given = [np.ones((3, *port.shape), FLOAT) for port in found.inputs]
    for frame, port, values in zip(frames(given, found), found.inputs, given, strict=True):
        assert frame.shape[1:] == port.tensor_shape
        assert frame.size == -(-3 // batch) * batch * port.elements
        assert frame.sum() == values.sum()


def test_any_element_type_may_enter_and_only_an_image_is_an_image() -> None:
    index = ports_of([Described([1, 6], np.int32)], _shapes([1, 3]))
    assert index.inputs == (Port((6,), np.dtype("int32")),)
    with pytest.raises(ArtifactError, match="its input holds int32"):
        as_image(index.inputs)
    per_channel = ports_of([Described([1, 70], np.int8, [0.1, 0.2], [0, 0])], _shapes([1, 3])).inputs
    with pytest.raises(ArtifactError, match="2 scales, expected one"):
        as_image(per_channel)
    with pytest.raises(ArtifactError, match=r"shape \[98, 40\] has no batch"):
        classifier(ports_of(_shapes([98, 40]), _shapes([1, 4])))
    for shape, dtype, scales in (([1, 0], FLOAT, []), ([1, 3], "nonsense", []), ([1, 3], np.int8, [float("nan")])):
        with pytest.raises(ArtifactError, match="its input"):
            ports_of([Described(shape, dtype, scales, [0] * len(scales))], _shapes([1, 3]))


def test_every_input_takes_as_many_samples() -> None:
    inputs = ports_of(_shapes([1, 3], [1, 2]), _shapes([1, 3])).inputs
    given = np.zeros((4, 3), FLOAT), np.zeros((4, 2), FLOAT)
    assert [values.shape for values in check_batches(given, inputs)] == [(4, 3), (4, 2)]
    with pytest.raises(ArtifactError, match="has 2 inputs, was given 1 arrays"):
        check_batches(given[:1], inputs)
    with pytest.raises(ArtifactError, match=r"as many samples as the others, was given \[3, 4\]"):
        check_batches((given[0], given[1][:3]), inputs)
