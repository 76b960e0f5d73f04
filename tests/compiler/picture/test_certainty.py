"""The device's certainty: predict's decisions, but for those within two ten-thousandths of the threshold."""

import ctypes
from pathlib import Path

import numpy as np
import pytest
from support.picture_c import STRICT

from glyphlite.compiler.compile import compile_artifact
from glyphlite.compiler.picture.sources import certainty_sources
from glyphlite.datasets.dataset import Dataset
from glyphlite.evaluation.recorded_confidence import certainty_of
from glyphlite.host_compiler import compile_shared
from glyphlite.models.interface.certainty import calibrated, is_refused
from glyphlite.pipeline.inputs.files import artifact_in
from glyphlite.records import Certainty

STUB = """
#include <stdint.h>
#define NET_INPUT_SIZE 1
#define NET_OUTPUT_SIZE 10
typedef struct { uint8_t byte; } net_arena_t;
static inline int net_classify(const uint8_t *pixels, int8_t *scores, net_arena_t *arena) {
    (void)scores; (void)arena; return pixels[0];
}
"""


def _random_scores(rng: np.random.Generator) -> np.ndarray:
    probabilities = rng.dirichlet(np.full(10, 0.08), 3000)
    return np.clip(np.rint(probabilities * 256) - 128, -128, 127).astype(np.int8)


@pytest.mark.parametrize(("temperature", "independent"), [(0.8104, False), (2.3, False), (1.0, False), (1.7, True)])
def test_any_scores_get_predicts_certainty(tmp_path: Path, temperature: float, independent: bool) -> None:
    certainty = Certainty(temperature=temperature, least_certainty=0.89, floor=1 / 1024, images=1, independent=independent)
    for file, text in certainty_sources("net", certainty, 1 / 256, -128, "Generated.").items():
        (tmp_path / file).write_text(text)
    (tmp_path / "net.h").write_text(STUB)
    library = ctypes.CDLL(str(compile_shared([tmp_path / "net_sure.c"], tmp_path / "net.so", flags=("-O2", *STRICT))))
    library.net_certainty.restype = ctypes.c_uint16
    scores = _random_scores(np.random.default_rng(0))
    believed = calibrated((scores.astype(float) + 128) / 256, certainty)
    found = [library.net_certainty(row.ctypes.data_as(ctypes.c_void_p)) / 10_000 for row in scores]
    np.testing.assert_allclose(found, believed.max(axis=1), atol=2e-4)
    near = np.abs(believed.max(axis=1) - certainty.least_certainty) < 2e-4
    for row, refused, skipped in zip(scores, is_refused(believed, certainty), near, strict=True):
        answer = library.net_classify_sure(b"\7", row.ctypes.data_as(ctypes.c_void_p), None)
        assert skipped or answer == (-1 if refused else 7)


def test_a_pretrained_model_refuses_what_predict_refuses(tmp_path: Path, mnist: Dataset) -> None:
    artifact = artifact_in(Path("glyph-1k"))
    certainty = certainty_of(artifact)
    assert certainty is not None
    report = compile_artifact(artifact, tmp_path / "c", name="net", with_picture=True, certainty=certainty)
    assert {"net_image.c", "net_stroke.c", "net_sure.c"} <= set(report.files)
    sources = [tmp_path / "c" / file for file in ("net.c", "net_sure.c", "net_image.c", "net_stroke.c")]
    library = ctypes.CDLL(str(compile_shared(sources, tmp_path / "net.so")))
    library.net_certainty.restype = ctypes.c_uint16
    arena, scores = np.zeros(report.classify_arena_bytes // 4 + 4096, np.uint32), np.zeros((400, 10), np.int8)
    images = np.ascontiguousarray(mnist.validation.images[:400, ..., 0])
    answers = [
        library.net_classify_sure(*(each.ctypes.data_as(ctypes.c_void_p) for each in (image, row, arena)))
        for image, row in zip(images, scores, strict=True)
    ]
    believed = calibrated((scores.astype(float) + 128) / 256, certainty)
    refused = is_refused(believed, certainty)
    assert 0 < refused.sum() < 40
    np.testing.assert_array_equal(answers, np.where(refused, -1, scores.argmax(axis=1)))
