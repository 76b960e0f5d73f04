"""Errors of model files: one line that names the file, the line and what to do, whatever the file holds."""

import re
from pathlib import Path

import pytest

from glyphlite.errors import LONGEST_LINE, ModelError
from glyphlite.models.definition import reading
from glyphlite.models.definition.choosing import choose_defined_model
from glyphlite.models.registry import describe_model, model_file_text, resolve_model

GOOD = """\
name = "net"
layers = [
  { kind = "FoldedConv", name = "stem", filters = 8, kernel = 5, stride = 2 },
  { kind = "FoldedDepthwise", name = "look", kernel = 3 },
  { kind = "FoldedConv", name = "mix", filters = 8, kernel = 1 },
  { kind = "FoldedDepthwise", name = "again", kernel = 3, weights_of = "look" },
  { kind = "GlobalMean" },
]
weight_bits = 4

[recipe]
epochs = 12
quantized_epochs = 4
freezing = 0.5
narrowed = ["mix"]

[recipe.schedule]
kind = "one_cycle"
peak = 0.01

[recipe.quantized_schedule]
kind = "constant"
peak = 0.001
"""


def refusal(path: Path, text: str | bytes, shape: tuple[int, int, int] = (28, 28, 1)) -> str:
    """The one line about a file, without its folder."""
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    with pytest.raises(ModelError) as caught:
        choose_defined_model(str(path), shape, 10)
    line = str(caught.value)
    assert "\n" not in line
    assert len(line) <= LONGEST_LINE
    return line.replace(str(path.parent), "").removeprefix("/")


def test_the_example_is_good(tmp_path: Path) -> None:
    path = tmp_path / "net.toml"
    path.write_text(GOOD)
    assert resolve_model(str(path), (28, 28, 1), 10).name == "net"


@pytest.mark.parametrize(
    ("old", "new", "line", "words"),
    [
        ("layers = [", "layers = ", 2, "this is no TOML"),
        ('kind = "GlobalMean" }', 'kind = "GlobalMean" ', 7, "this is no TOML"),
        ("peak = 0.001\n", 'peak = "', 23, "this is no TOML"),
        ("epochs = 12", "epochs = 12\nepochs = 13", 13, "Cannot overwrite a value"),
        ('name = "net"', 'name = "a/b"', 1, "name is 'a/b'; expected a name: a letter"),
        ('name = "net"', 'name = "n\\u0000"', 1, "expected a name"),
        ('name = "net"', 'nmae = "net"', 1, "the file has no key 'nmae' (did you mean name?)"),
        ('name = "net"', 'name = "net"\ninput_size = [0, 4]', 2, "expected height and width from 1 to 1024"),
        ('name = "net"', 'name = "net"\ninput_size = [20, 20]', 2, "input_size is 20x20, the images are 28x28"),
        ('name = "net"', 'description = "a\\u202eb"', 1, "expected one line of at most 300 characters"),
        ("weight_bits = 4", "weight_bits = 3", 9, "weight_bits is 3; expected 8 or 4"),
        ("weight_bits = 4", "weight_bits = 8", 14, "freezing is for 4-bit weights"),
        ("weight_bits = 4", "biased_scores = 1", 9, "biased_scores is 1; expected true or false"),
        ("filters = 8, kernel = 5", "filters = 8", 3, "a FoldedConv needs the key kernel: a whole number from 1 to 64"),
        ("filters = 8, kernel = 5", "filters = 0, kernel = 5", 3, "filters is 0; expected a whole number from 1 to 4,096"),
        ("filters = 8, kernel = 5", "filters = true, kernel = 5", 3, "filters is true; expected a whole number"),
        ("filters = 8, kernel = 5", "filters = 8.0, kernel = 5", 3, "filters is 8.0; expected a whole number"),
        ("filters = 8, kernel = 5", "filters = 1e400, kernel = 5", 3, "filters is inf; expected"),
        ("filters = 8, kernel = 5", f"filters = {'9' * 400}, kernel = 5", 3, "filters is a number of very many digits"),
        ("filters = 8, kernel = 5", f"filters = {'9' * 5000}, kernel = 5", 3, "a number of 5,000 digits"),
        ("filters = 8, kernel = 5", "filters = [8], kernel = 5", 3, "filters is an array of 1; expected"),
        ("filters = 8, kernel = 5", "filter = 8, kernel = 5", 3, "has no key 'filter' (did you mean filters?)"),
        ("filters = 8, kernel = 5", "filters = 8, kernel = 29", 3, "nothing is left of an image of 28x28x1 after stem"),
        ('kind = "FoldedConv", name = "stem"', 'kind = "foldedconv"', 3, "(did you mean FoldedConv?)"),
        ('kind = "FoldedConv", name = "stem"', 'name = "stem"', 3, "this layer has no kind"),
        ('kind = "FoldedConv", name = "stem"', "kind = {}", 3, "there is no kind of layer a table of 0"),
        (
            'kind = "FoldedConv", name = "stem"',
            'kind = "Conv", name = "stem"',
            3,
            "a Conv is trained in float, the FoldedDepthwise",
        ),
        ('name = "look"', 'name = "stem"', 4, "the layer on line 3 is called stem, too"),
        ('name = "look"', 'name = "pred"', 4, "pred is the name of a layer that every model has"),
        ('weights_of = "look"', 'weights_of = "none"', 6, "no layer above is called none"),
        ('weights_of = "look"', 'weights_of = "mix"', 6, "again is not like mix on line 5"),
        ("filters = 8, kernel = 1", "filters = 9, kernel = 1", 6, "again sees 9 channels, look, whose weights it uses, 8"),
        ('{ kind = "GlobalMean" }', '{ kind = "Dropout", rate = 0.5 }', 2, "the last layers leave maps"),
        ('{ kind = "GlobalMean" }', '{ kind = "Flatten" }, { kind = "Pool" }', 7, "a Pool needs maps"),
        (
            '{ kind = "GlobalMean" }',
            '{ kind = "Dropout", rate = 1 }, { kind = "Flatten" }',
            7,
            "rate is 1; expected a number from 0",
        ),
        ("epochs = 12", 'epochs = "12"', 12, "epochs is '12'; expected a whole number"),
        ("quantized_epochs = 4", "quantized_epochs = 12", 13, "expected fewer than the 12 epochs"),
        ("quantized_epochs = 4", "quantized_epochs = 0", 13, "set quantized_epochs to 1 or more"),
        ("freezing = 0.5", "freezing = nan", 14, "freezing is nan; expected a number above 0 to 1"),
        ('narrowed = ["mix"]', 'narrowed = ["mux"]', 15, "no FoldedConv is called mux (did you mean mix?)"),
        ('narrowed = ["mix"]', "warps_seed = 3", 15, "warps_seed is of an augmentation; name one"),
        ('narrowed = ["mix"]', "narrowed = []", 15, "expected an array of 1 to 16 different names"),
        ("peak = 0.01\n", "peak = 0.01\nfloor = 0.1\n", 20, "floor is 0.1; expected at most the peak, 0.01"),
        ('kind = "one_cycle"', 'kind = "exponential_floor"', 17, "needs decay_epochs above 0"),
        ("peak = 0.01\n", "peak = 0\n", 19, "peak is 0; expected a number above 0 to 10"),
        ('kind = "constant"\n', "", 21, "a quantized_schedule needs the key kind"),
        ("[recipe.schedule]", "[recipe.schedules]", 17, "a recipe has no key 'schedules' (did you mean schedule?)"),
    ],
)
def test_errors_name_the_line_and_what_to_do(tmp_path: Path, old: str, new: str, line: int, words: str) -> None:
    assert GOOD.count(old) >= 1
    assert refusal(tmp_path / "net.toml", GOOD.replace(old, new, 1)).startswith(f"net.toml:{line}: ")
    assert words in refusal(tmp_path / "net.toml", GOOD.replace(old, new, 1))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "net.toml:1: a model needs layers"),
        ("\n\nlayers = 3", "net.toml:3: a model needs layers"),
        ("layers = [3]", "net.toml:1: a model needs layers"),
        ("\nrecipe = 3\nlayers = [{kind='Flatten'}]", "net.toml:2: recipe is 3; expected a table"),
        ('a = "\x00"', "net.toml:1: this is no TOML"),
        (b"# \xff\xfe", "net.toml:1: byte 0xff is no UTF-8"),
        ("name = 'a'\n".encode("utf-16"), "net.toml:1: byte 0xff is no UTF-8"),
        ("\na = " + "[" * 100_000, "net.toml:2: nested more than 16 deep"),
        (".".join("a" * 100_000) + " = 1", "net.toml:1: nested more than 16 deep"),
        ("#" * (2 << 20), "has at most 1,048,576"),
        ('[[layers]]\nkind = "Flatten"\n' * 1001, "net.toml:1: 1,001 layers, more than the 1,000 allowed"),
        ('[[layers]]\nkind = "Conv"\nfilters = 4096\nkernel = 64\n' * 3, "net.toml:1: the last layers leave maps"),
        (f"a = '{'x' * 100_000}'", "net.toml:1: the file has no key 'a'"),
        (f"{'x' * 100_000} = 1", "net.toml:1: the file has no key 'xxx"),
    ],
    ids=range(14),
)
def test_hostile_files_are_one_line_at_once(tmp_path: Path, text: str | bytes, words: str) -> None:
    assert words in refusal(tmp_path / "net.toml", text)


def test_a_model_that_would_fill_the_memory_is_refused(tmp_path: Path) -> None:
    wide = 'layers = [ { kind = "Flatten" },\n{ kind = "Dense", units = 65_536 },\n{ kind = "Dense", units = 65_536 } ]'
    assert "net.toml:3: with dense2 the model has" in refusal(tmp_path / "net.toml", wide)
    maps = 'layers = [\n{ kind = "Conv", filters = 4096, kernel = 1 }, { kind = "Flatten" } ]'
    assert "net.toml:2: conv1 gives 16,777,216 values per image" in refusal(tmp_path / "net.toml", maps, (64, 64, 1))


@pytest.mark.parametrize(("what", "words"), [("missing.toml", "cannot read"), ("folder.toml", "is a folder")])
def test_no_regular_file(tmp_path: Path, what: str, words: str) -> None:
    (tmp_path / "folder.toml").mkdir()
    with pytest.raises(ModelError, match=words):
        reading.read_definition(tmp_path / what)


def test_only_models_that_are_data_are_described_and_written() -> None:
    for text in ("micro", "a.keras", "a.py:f"):
        with pytest.raises(ModelError, match="no known model and no model file"):
            describe_model(text)
    with pytest.raises(ModelError, match="which model"):
        model_file_text(None)
    assert re.search(r'^name = "glyph-64k"$', model_file_text("glyph-64k"), re.MULTILINE)
