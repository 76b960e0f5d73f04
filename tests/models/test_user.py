"""Models that users bring: what is taken, and one clear line for each that is not."""

import json
import re
import zipfile
from pathlib import Path

import numpy as np
import pytest

from glyphlite.errors import ModelError
from glyphlite.models.registry import resolve_model
from glyphlite.models.user import build_from_function, load_keras_model

GOOD = """
import keras

def plain():
    return keras.Sequential([keras.Input((28, 28, 1)), keras.layers.Flatten(), keras.layers.Dense(10, "softmax")])

def sized(input_shape, classes):
    return keras.Sequential([keras.Input(input_shape), keras.layers.Flatten(), keras.layers.Dense(classes, "softmax")])

def unbuilt():
    return keras.Sequential([keras.layers.Flatten(), keras.layers.Dense(10)])

def flat():
    return keras.Sequential([keras.Input((784,)), keras.layers.Dense(10, "softmax")])

def rows():
    return keras.Sequential([keras.Input((28, 28)), keras.layers.Flatten(), keras.layers.Dense(10)])

def one_at_a_time():
    return keras.Sequential([keras.Input((28, 28, 1), batch_size=1), keras.layers.Flatten(), keras.layers.Dense(10)])

class Own(keras.Model):
    def __init__(self):
        super().__init__()
        self.scores = keras.layers.Dense(10)
    def call(self, images):
        return self.scores(keras.ops.reshape(images, (-1, 784)))

def subclassed():
    return Own()

def sizeless():
    return keras.Sequential([
        keras.Input((None, None, 1)), keras.layers.Conv2D(4, 3),
        keras.layers.GlobalAveragePooling2D(), keras.layers.Dense(10, "softmax")])
"""

BAD = """
import keras
from keras import layers

not_callable = 3

def nothing():
    return None

def raises():
    raise RuntimeError("no such luck\\nsecond line")

def leaves():
    import sys
    sys.exit("done")

def one_tanh():
    return keras.Sequential([keras.Input((28, 28, 1)), layers.Flatten(), layers.Dense(1, "tanh")])

def one_softmax():
    return keras.Sequential([keras.Input((28, 28, 1)), layers.Flatten(), layers.Dense(1, "softmax")])

def one_sigmoid():
    return keras.Sequential([keras.Input((28, 28, 1)), layers.Flatten(), layers.Dense(1, "sigmoid")])

def other_size():
    return keras.Sequential([keras.Input((28, 29)), layers.Flatten(), layers.Dense(10)])

def no_numbers():
    weights = keras.initializers.Constant(float("nan"))
    return keras.Sequential([keras.Input((28, 28, 1)), layers.Flatten(), layers.Dense(10, kernel_initializer=weights)])

def eleven():
    return keras.Sequential([keras.Input((28, 28, 1)), layers.Flatten(), layers.Dense(11, "softmax")])

def larger():
    return keras.Sequential([keras.Input((32, 32, 3)), layers.Flatten(), layers.Dense(10, "softmax")])

def images():
    return keras.Sequential([keras.Input((28, 28, 1)), layers.Conv2D(10, 3, activation="softmax")])

def null_byte():
    return keras.Sequential([keras.Input((28, 28, 1)), layers.Flatten(), layers.Dense(10, "softmax", name="a\\0b")])

def two_inputs():
    a, b = keras.Input((28, 28, 1)), keras.Input((28, 28, 1))
    return keras.Model([a, b], layers.Dense(10, "softmax")(layers.Flatten()(layers.Add()([a, b]))))
"""


@pytest.fixture
def good(tmp_path) -> Path:
    path = tmp_path / "good.py"
    path.write_text(GOOD)
    return path


@pytest.fixture
def bad(tmp_path) -> Path:
    path = tmp_path / "bad.py"
    path.write_text(BAD)
    return path


@pytest.mark.parametrize(
    ("function", "taken"),
    [
        ("plain", (28, 28, 1)),
        ("sized", (28, 28, 1)),
        ("sizeless", (28, 28, 1)),
        ("unbuilt", (28, 28, 1)),
        ("one_at_a_time", (28, 28, 1)),
        ("subclassed", (28, 28, 1)),
        ("rows", (28, 28)),
        ("flat", (784,)),
    ],
)
def test_functions_that_return_classifiers(good, function, taken):
    choice = resolve_model(f"{good}:{function}", (28, 28, 1), 10)
    model = choice.build()
    assert choice.name == f"{good.stem}-{function}"
    assert model.inputs[0].shape == (None, *taken)
    scores = np.asarray(model(np.random.default_rng(0).random((2, *taken), np.float32)))
    assert scores.shape == (2, 10)
    np.testing.assert_allclose(scores.sum(axis=1), 1, atol=1e-5)


def test_function_is_told_the_shape(good):
    assert resolve_model(f"{good}:sized", (8, 9, 3), 4).build().input_shape == (None, 8, 9, 3)


@pytest.mark.parametrize(
    ("function", "words"),
    [
        ("missing", "has no function missing"),
        ("not_callable", "has no function not_callable"),
        ("nothing", "returned NoneType, expected a Keras model"),
        ("raises", "raises of .*bad.py failed: no such luck second line"),
        ("leaves", r"it ends the program by sys.exit\('done'\)"),
        ("one_tanh", "has one output, a tanh, which is no probability"),
        ("one_softmax", "has one output, a softmax, which is 1 for every image"),
        ("one_sigmoid", "gives one output, which tells two classes apart, the dataset has 10 classes"),
        ("other_size", "takes images of 28x29, the dataset's are 28x28x1"),
        ("no_numbers", "outputs that are not finite numbers"),
        ("eleven", "gives 11 values per image, the dataset has 10 classes"),
        ("larger", r"takes images of 32x32x3, the dataset's are 28x28x1 \(.*\); name the data that it is for with --dataset"),
        ("images", "gives 26x26x10 values per image"),
        ("null_byte", "a layer of .* has a null byte in its name, which no file of weights can hold; rename the layer"),
        ("two_inputs", "has 2 inputs and 1 output;"),
    ],
)
def test_functions_that_do_not(bad, function, words):
    with pytest.raises(ModelError, match=words) as caught:
        resolve_model(f"{bad}:{function}", (28, 28, 1), 10).build()
    assert "\n" not in str(caught.value)


def test_broken_program(tmp_path):
    path = tmp_path / "broken.py"
    path.write_text("def model(:\n")
    with pytest.raises(ModelError, match=re.escape(f"running {path} failed")):
        resolve_model(f"{path}:model", (28, 28, 1), 10).build()


@pytest.mark.parametrize("text", ["nowhere.py:model", "nowhere.keras"])
def test_missing_file(text):
    with pytest.raises(ModelError, match=r"cannot read nowhere.*No such file"):
        resolve_model(text, (28, 28, 1), 10)


def test_python_file_without_function(good):
    with pytest.raises(ModelError, match=r"which function of .*good.py returns the model"):
        resolve_model(str(good), (28, 28, 1), 10)


def test_keras_file_brings_its_weights(samples):
    choice = resolve_model(str(samples / "model.keras"), (28, 28, 1), 10)
    first, second = choice.build().get_weights(), load_keras_model(samples / "model.keras").get_weights()
    assert all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))


def test_keras_file_of_another_shape(samples):
    with pytest.raises(ModelError, match="takes images of 28x28x1, the dataset's are 32x32x3"):
        resolve_model(str(samples / "model.keras"), (32, 32, 3), 10).build()


@pytest.mark.parametrize("content", [b"", b"not a model", b"PK\x03\x04" + bytes(100)])
def test_keras_file_of_rubbish(tmp_path, content):
    path = tmp_path / "rubbish.keras"
    path.write_bytes(content)
    with pytest.raises(ModelError, match=r"rubbish.keras is not a readable Keras model"):
        load_keras_model(path)


def test_keras_file_may_not_bring_code(tmp_path):
    import keras

    path = tmp_path / "lambda.keras"
    keras.Sequential([keras.Input((28, 28, 1)), keras.layers.Lambda(lambda x: x), keras.layers.Flatten()]).save(path)
    with pytest.raises(
        ModelError, match=r"lambda.keras has a Lambda layer 'lambda.*', whose Python code is not loaded from a file"
    ):
        load_keras_model(path)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("sys.exit()", r"it ends the program by sys\.exit\(None\); let it return a model"),
        ("os._exit(0)", r"it ends the program by sys\.exit\(0\); let it return a model"),
        ("raise SystemExit", "it ends the program"),
        ("raise BaseException('odd')", "failed: odd"),
        ("def again(): again()\nagain()", "failed: it is nested too deeply"),
        ("raise MemoryError", "failed: it asks for more memory than there is"),
        ("raise BrokenPipeError", "BrokenPipeError"),
    ],
)
def test_a_program_that_ends_itself_is_told_so(line, words, tmp_path):
    path = tmp_path / "own.py"
    path.write_text(f"import os, sys\n{line}\n")
    with pytest.raises(ModelError, match=words):
        build_from_function(path, "model", (28, 28, 1), 10)
    path.write_text(f"import os, sys\ndef model():\n    {line.replace(chr(10), chr(10) + '    ')}\n")
    with pytest.raises(ModelError, match=words):
        build_from_function(path, "model", (28, 28, 1), 10)


def test_children_of_a_users_program_may_end_themselves(tmp_path):
    path = tmp_path / "own.py"
    path.write_text(
        "import os\nchild = os.fork()\nif child == 0:\n    os._exit(7)\nraise ValueError(os.waitpid(child, 0)[1] >> 8)\n"
    )
    with pytest.raises(ModelError, match="failed: 7"):
        build_from_function(path, "model", (28, 28, 1), 10)


def test_what_a_users_program_prints_is_no_result(tmp_path, capsys):
    path = tmp_path / "own.py"
    path.write_text("print('hello')\n")
    with pytest.raises(ModelError, match="has no function model"):
        build_from_function(path, "model", (28, 28, 1), 10)
    written = capsys.readouterr()
    assert (written.out, written.err) == ("", "hello\n")


@pytest.mark.parametrize("line", ["sys.exit(0)", "os._exit(0)"])
def test_a_layer_that_ends_the_program_is_told_so(line, tmp_path):
    path = tmp_path / "own.py"
    path.write_text(
        f"""import os, sys, keras
class Own(keras.Model):
    def call(self, images):
        {line}
def model():
    return Own()
"""
    )
    with pytest.raises(ModelError, match=r"its call failed: it ends the program by sys\.exit\(0\)"):
        resolve_model(f"{path}:model", (28, 28, 1), 10).build()


def test_a_name_that_no_file_can_hold_is_refused_before_the_training(tmp_path: Path) -> None:
    import keras

    model = keras.Sequential([keras.Input((28, 28, 1)), keras.layers.Flatten(), keras.layers.Dense(10, "softmax")])
    model.save(tmp_path / "plain.keras")
    with zipfile.ZipFile(tmp_path / "plain.keras") as before, zipfile.ZipFile(tmp_path / "odd.keras", "w") as after:
        for entry in before.namelist():
            content = before.read(entry)
            if entry == "config.json":
                document = json.loads(content)
                document["config"]["name"] = "a\udce9b"
                content = json.dumps(document).encode()
            after.writestr(entry, content)
    with pytest.raises(
        ModelError, match=r"a.*e9b, a name in .*odd\.keras, is no Unicode text, which no file .* can hold; rename it"
    ):
        resolve_model(str(tmp_path / "odd.keras"), (28, 28, 1), 10).build()
