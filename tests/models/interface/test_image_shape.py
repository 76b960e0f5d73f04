"""The shape of a model's input gives the shape of its images."""

import pytest

from glyphlite.models.interface.image_shape import image_shape


@pytest.mark.parametrize(
    ("shape", "image"),
    [
        ((32, 48, 3), (32, 48, 3)),
        ((32, 48, 1), (32, 48, 1)),
        ((32, 48), (32, 48, 1)),
        ((3, 32, 48), (32, 48, 3)),
        ((1, 28, 28), (28, 28, 1)),
        ((3, 3, 3), (3, 3, 3)),
        ((784,), None),
        ((None, None, 1), None),
        ((32, 48, 5), None),
        ((-1, -1, 3), None),
        ((), None),
    ],
)
def test_what_an_input_asks_for(shape, image) -> None:
    assert image_shape(shape) == image
