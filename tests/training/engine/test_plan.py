"""What the engine takes and what it leaves to TensorFlow."""

import pytest

from glyphlite.models.registry import resolve_model
from glyphlite.models.zoo.glyph_family import FRONTIER, TEACHERS
from glyphlite.training.engine.plan import plan_of


@pytest.mark.parametrize("name", [each.architecture.name for each in (*FRONTIER, *TEACHERS)])
def test_the_whole_family_is_trained_by_the_engine(name: str):
    model = resolve_model(name, (28, 28, 1), 10).build()
    plan = plan_of(model)
    assert plan is not None
    assert plan.descriptions[-1].filters == 10
    assert sum(plan.sizes) >= sum(
        int(variable.value.shape.num_elements()) for variable in model.trainable_variables if "/kernel" in variable.path
    )


@pytest.mark.parametrize("name", ["edge-cnn", "mlp", "decay-cnn"])
def test_other_layers_are_left_to_tensorflow(name: str):
    assert plan_of(resolve_model(name, (28, 28, 1), 10).build()) is None


def test_a_net_that_branches_is_left_to_tensorflow():
    import keras

    from glyphlite.models.qat.layers import QuantizedConv2D, QuantizedDense, QuantizedInput, QuantizedMean

    image = keras.Input((8, 8, 1))
    entered = QuantizedInput()(image)
    left, right = QuantizedConv2D(4, 3)(entered), QuantizedConv2D(4, 3)(entered)
    sums = QuantizedDense(3)(QuantizedMean()(keras.layers.Add()([left, right])))
    assert plan_of(keras.Model(image, keras.layers.Softmax()(sums))) is None


def test_the_place_of_every_parameter_is_its_own():
    plan = plan_of(resolve_model("glyph-700", (28, 28, 1), 10).build())
    assert plan is not None
    fields = ("kernel_at", "scale_at", "shift_at", "low_at", "high_at")
    places = [place for record in plan.descriptions for name in fields if (place := getattr(record, name)) >= 0]
    assert sorted(places) == sorted({sum(plan.sizes[:index]) for index in range(len(plan.sizes))})
    assert plan.parameters == sum(plan.sizes)
