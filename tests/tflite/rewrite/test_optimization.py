"""Files made smaller: what goes, what stays, and that TFLite Micro answers as before."""

import io
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from support.altered import changed
from support.assembled import Assembly, Part
from support.lenient import ODDITIES, odd_files, unused
from support.mutants import make_mutant
from support.streaming import running_sum

from glyphlite.errors import ArtifactError
from glyphlite.models.pretrained import pretrained_artifact
from glyphlite.tflite.metadata import read_metadata
from glyphlite.tflite.reader import parse_graph
from glyphlite.tflite.rewrite import archive
from glyphlite.tflite.rewrite.folding import fold_constants
from glyphlite.tflite.rewrite.optimization import optimize_file
from glyphlite.tflite.writer import unpack_model

INT8 = "model_int8.tflite"


def answers(content: bytes) -> bytes:
    """What TFLite Micro makes of some inputs."""
    from tflite_micro import runtime

    interpreter = runtime.Interpreter.from_bytes(content, arena_size=1 << 20)
    details = interpreter.get_input_details(0)
    rng, given = np.random.default_rng(0), b""
    for _ in range(6):
        interpreter.set_input(rng.integers(-128, 128, details["shape"]).astype(details["dtype"]), 0)
        interpreter.invoke()
        given += interpreter.get_output(0).tobytes()
    return given


@pytest.fixture(scope="module")
def odd(samples: Path) -> dict[str, bytes]:
    return odd_files(samples / INT8)


@pytest.mark.parametrize("strip_names", [False, True])
def test_odd_files_get_smaller_and_answer_as_before(odd: dict[str, bytes], strip_names: bool) -> None:
    for name, content in odd.items():
        optimized = optimize_file(content, name, strip_names=strip_names)
        assert len(optimized.content) <= len(content), name
        assert answers(optimized.content) == answers(content), name
        again = optimize_file(optimized.content, name, strip_names=strip_names)
        assert (again.content, again.steps) == (optimized.content, ()), name


def test_a_file_without_leftovers_is_the_very_same() -> None:
    content = pretrained_artifact("glyph-1k").read_bytes()
    once = optimize_file(content, "model")
    assert optimize_file(once.content, "model").content is once.content


def test_labels_metadata_and_signatures_stay() -> None:
    content = pretrained_artifact("glyph-1k").read_bytes()
    optimized = optimize_file(content, "model", strip_names=True).content
    assert len(optimized) < len(content)
    assert read_metadata(optimized) == read_metadata(content)
    assert read_metadata(content).labels
    before, after = parse_graph(content), parse_graph(optimized)
    assert (after.signatures, after.metadata, after.description) == (before.signatures, before.metadata, before.description)
    assert [after.tensors[index].name for index in (*after.inputs, *after.outputs)] == ["image", "probability"]
    assert {tensor.name for tensor in after.tensors} == {"image", "probability", ""}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (unused([4], buffer=8), "1 tensor that nothing reads"),
        (ODDITIES["a code that no op uses"], "1 operator code of no op"),
        (lambda model: model.buffers.append(schema.BufferT()), "1 buffer that holds nothing"),
    ],
)
def test_each_leftover_is_named(samples: Path, change: Callable[[Any], None], words: str) -> None:
    clean = optimize_file((samples / INT8).read_bytes(), "model").content

    def with_leftover(content: bytes) -> bytes:
        model = unpack_model(content)
        change(model)
        path = samples / INT8
        return changed(path, lambda other: vars(other).update(vars(model)))

    steps = optimize_file(with_leftover(clean), "model").steps
    assert [step for step in steps if words in step], steps


def test_equal_constants_are_stored_once() -> None:
    assembly = Assembly()
    part = assembly.subgraph()
    image, middle, answer = (part.tensor((1, 4), (0.5, 0)) for _ in range(3))
    for source, target in ((image, middle), (middle, answer)):
        part.op("ADD", [source, part.constant(np.arange(4, dtype=np.int8), [(0.5, 0)])], [target], "AddOptions")
    part.edges([image], [answer])
    optimized = optimize_file(assembly.pack(), "model")
    assert "stored equal constants once: 1 buffer less" in optimized.steps
    assert answers(optimized.content) == answers(assembly.pack())


def test_a_free_batch_is_fixed_where_its_shape_is_computed() -> None:
    content = _with_shape_chain()
    optimized = optimize_file(content, "model")
    assert optimized.steps[0] == "computed 3 ops ahead, for a batch of 1 instead of a free one"
    graph = parse_graph(optimized.content)
    assert [operator.name for operator in graph.operators] == ["RESHAPE"]
    assert graph.output.shape == (1, 4)
    assert answers(optimized.content) == answers(content)


def test_a_model_with_state_keeps_the_ops_that_write_nothing() -> None:
    """ASSIGN_VARIABLE and CALL_ONCE have no outputs: that all of these are known says nothing."""
    content = running_sum(change=_with_a_constant_op)
    before, graph = parse_graph(content), parse_graph(optimize_file(content, "model").content)
    assert [each.name for each in graph.operators] == [each.name for each in before.operators if each.name != "PACK"]
    assert {"ASSIGN_VARIABLE", "CALL_ONCE"} <= {each.name for each in fold_constants(before).operators}
    optimized = optimize_file(content, "model")
    assert optimized.steps[0] == "computed 1 op ahead"
    assert answers(optimized.content) == answers(content) == answers(running_sum())


def _with_a_constant_op(model: Any) -> None:
    part = Part.of(Assembly.of(model), 0)
    numbers = [part.constant(np.array(number, np.int32)) for number in (1, 4)]
    part.op("PACK", numbers, [part.tensor((2,), None, "int32")], "PackOptions", valuesCount=2)


def _with_shape_chain() -> bytes:
    assembly = Assembly()
    part = assembly.subgraph()
    image, answer = part.tensor((1, 2, 2), (0.5, 0)), part.tensor((1, 4), (0.5, 0))
    extents, batch, shape = (part.tensor(each, None, "int32") for each in ((3,), (), (2,)))
    zero, one = (part.constant(np.array([number], np.int32)) for number in (0, 1))
    part.op("SHAPE", [image], [extents], "ShapeOptions", outType=2)
    part.op("STRIDED_SLICE", [extents, zero, one, one], [batch], "StridedSliceOptions", shrinkAxisMask=1)
    part.op("PACK", [batch, part.constant(np.array(4, np.int32))], [shape], "PackOptions", valuesCount=2)
    part.op("RESHAPE", [image, shape], [answer])
    part.edges([image], [answer])
    for index in (image, answer):
        each = part.graph.tensors[index]
        each.shapeSignature = np.array([-1, *each.shape[1:]], np.int32)
    return assembly.pack()


def test_an_offline_memory_plan_keeps_every_tensor(odd: dict[str, bytes]) -> None:
    content = odd["an offline memory plan"]
    assert len(parse_graph(optimize_file(content, "model").content).tensors) == len(parse_graph(content).tensors)


def test_intermediates_of_an_op_stay() -> None:
    assembly = Assembly()
    part = assembly.subgraph()
    image, answer, kept, gone = (part.tensor((1, 4), (0.5, number)) for number in range(4))
    part.op("RELU", [image], [answer])
    part.edges([image], [answer])
    part.graph.operators[0].intermediates = np.array([kept, -1], np.int32)
    model = unpack_model(optimize_file(assembly.pack(), "model").content)
    assert gone == len(model.subgraphs[0].tensors) == 3
    assert model.subgraphs[0].operators[0].intermediates.tolist() == [2, -1]


def test_signatures_follow_their_tensors(samples: Path) -> None:
    def moved(model: Any) -> None:
        unused([4])(model)
        tensors = model.subgraphs[0].tensors
        tensors.append(tensors[13])
        tensors[13] = tensors[14]
        model.subgraphs[0].operators[5].outputs = [15]
        model.subgraphs[0].outputs = [15]
        model.signatureDefs[0].outputs[0].tensorIndex = 15

    model = unpack_model(optimize_file(changed(samples / INT8, moved), "model").content)
    assert model.signatureDefs[0].outputs[0].tensorIndex == 13
    assert model.subgraphs[0].outputs.tolist() == [13]


def test_files_behind_a_model_stay_within_bounds(samples: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.BytesIO((samples / INT8).read_bytes())
    stream.seek(0, io.SEEK_END)
    with zipfile.ZipFile(stream, "a", zipfile.ZIP_DEFLATED) as target:
        target.writestr("zeros.bin", bytes(1 << 20))
    optimized = optimize_file(stream.getvalue(), "model").content
    assert zipfile.ZipFile(io.BytesIO(optimized)).read("zeros.bin") == bytes(1 << 20)
    monkeypatch.setattr(archive, "LARGEST_FILES", 1000)
    with pytest.raises(ArtifactError, match="behind the model take more than 1,000 bytes"):
        optimize_file(stream.getvalue(), "model")
    monkeypatch.undo()
    damaged = stream.getvalue().replace(b"zeros.bin", b"zeros.bix", 1)
    with pytest.raises(ArtifactError, match="archive behind the model cannot be read"):
        optimize_file(damaged, "model")


def test_a_damaged_file_is_refused_as_by_every_command(samples: Path) -> None:
    with pytest.raises(ArtifactError, match="some file"):
        optimize_file((samples / INT8).read_bytes()[:5000], "some file")


@pytest.mark.slow
def test_damaged_files_are_refused_or_become_files_that_are_read(odd: dict[str, bytes]) -> None:
    outcomes: list[bool] = []
    for number in range(250):
        try:
            optimized = optimize_file(make_mutant(odd, 23, number).content, "some", strip_names=bool(number % 2))
        except ArtifactError:
            outcomes.append(False)
        else:
            assert parse_graph(optimized.content).operators
            outcomes.append(True)
    assert 25 < sum(outcomes) < 225
