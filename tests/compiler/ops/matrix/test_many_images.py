"""Many images with one call: models of dense layers compute several at once, others one after the other, with the same bytes."""

import numpy as np
import pytest
from random_models import calls
from random_models.by_hand import write
from random_models.drafts import Draft, Step
from random_models.harness import MANY, PATHS, UnsafeError, run_generated
from random_models.one_op import agree

from glyphlite.compiler import compile_graph
from glyphlite.tflite.reader import parse_graph

FUSED = ("none", "relu", "relu6")


def dense_draft(seed: int) -> Draft:
    """Two to four dense layers on a map, whose inputs and outputs are whole groups and blocks, or not."""
    rng = np.random.default_rng([seed, 281])
    shape = int(rng.integers(1, 9)), int(rng.integers(1, 9)), int(rng.choice([1, 2, 3]))
    steps = [Step("reshape", (0,), (int(np.prod(shape)),))]
    for _ in range(int(rng.integers(2, 5))):
        units = int(rng.choice([1, 3, 8, 16, 17, 32, 33, 64, 70]))
        settings = {"units": units, "bias": bool(rng.random() < 0.8), "fused": str(rng.choice(FUSED))}
        steps.append(Step("dense", (len(steps),), (units,), settings))
    return Draft(seed, shape, tuple(steps), "int8")


def draw(first: int, count: int) -> dict[str, bytes]:
    drafts = [dense_draft(seed) for seed in range(first, first + count)]
    return {f"seed {draft.seed}: {draft}": write(draft, narrow=float(draft.seed % 5 == 0)) for draft in drafts}


@pytest.mark.parametrize("path", [path for path in PATHS if "-DNET_MANY=1" in PATHS[path]])
def test_dense_layers_agree_image_by_image_and_at_once(path: str):
    agree(draw(100 * list(PATHS).index(path), 6), path=path, inputs=24)


def test_layers_that_pass_vectors_on_run_twelve_images_at_once():
    """The first seeds: what the memory holds besides the arena are lanes and maps of twelve images."""
    for content in draw(0, 4).values():
        compilation = compile_graph(parse_graph(content, "drawn"), "net")
        assert compilation.files["net.c"].count("_many(") >= 4
        assert compilation.report.many_bytes > 12 * 2 * compilation.report.input_bytes
        assert f"#define NET_MANY_BYTES {compilation.report.many_bytes}\n" in compilation.files["net.h"]


def test_a_wrong_byte_of_many_images_is_seen(tmp_path, monkeypatch: pytest.MonkeyPatch):
    content = next(iter(draw(0, 1).values()))
    graph = parse_graph(content, "drawn")
    inputs = np.random.default_rng(3).integers(-128, 128, (7, graph.input.elements), np.int8)
    made = calls.calling

    def damaged(report, function: str) -> str:
        return made(report, function).replace("(void *)new_many1, kept,", "(void *)new_many1, kept - 1,")

    monkeypatch.setattr("random_models.harness.calling", damaged)
    with pytest.raises(UnsafeError, match="many images at once"):
        run_generated(graph, inputs, tmp_path)
    assert MANY[0] in PATHS["plain"]
