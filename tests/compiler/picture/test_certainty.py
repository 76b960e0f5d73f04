"""The device's certainty: predict's decisions, but for those within two ten-thousandths of the threshold."""

import ctypes
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from support.picture_c import STRICT

from glyphlite.compiler.compile import compile_artifact
from glyphlite.compiler.picture.sources import Scores, certainty_error, certainty_sources
from glyphlite.datasets.dataset import Dataset
from glyphlite.evaluation.recorded_confidence import certainty_of
from glyphlite.host_compiler import compile_shared
from glyphlite.models.interface.certainty import calibrated, is_refused
from glyphlite.models.interface.output_kind import OutputKind
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


SOFTMAX = Scores(OutputKind.SOFTMAX, 10, 1 / 256, -128)


def _random_scores(rng: np.random.Generator) -> np.ndarray:
    probabilities = rng.dirichlet(np.full(10, 0.08), 3000)
    return np.clip(np.rint(probabilities * 256) - 128, -128, 127).astype(np.int8)


def _all_pairs() -> np.ndarray:
    """Every score of the best beside every other, the eight further ones anywhere."""
    codes = np.arange(-128, 128)
    rows = np.random.default_rng(1).integers(-128, 128, (256 * 256, 10))
    rows[:, 0], rows[:, 1] = (each.ravel() for each in np.meshgrid(codes, codes))
    return rows.astype(np.int8)


def _library(folder: Path, certainty: Certainty, scores: Scores) -> ctypes.CDLL:
    for file, text in certainty_sources("net", certainty, scores, "Generated.").items():
        (folder / file).write_text(text)
    (folder / "net.h").write_text(STUB.replace("SIZE 10", f"SIZE {1 if scores.kind.is_single else scores.classes}"))
    library = ctypes.CDLL(str(compile_shared([folder / "net_sure.c"], folder / "net.so", flags=("-O2", *STRICT))))
    library.net_certainty.restype = ctypes.c_uint16
    return library


def _certainties(library: ctypes.CDLL, rows: np.ndarray) -> np.ndarray:
    start, size = rows.ctypes.data, rows.shape[1]
    return np.array([library.net_certainty(ctypes.c_void_p(start + size * row)) for row in range(len(rows))]) / 10_000


@pytest.mark.parametrize(("temperature", "independent"), [(0.8104, False), (2.3, False), (1.0, False), (1.7, True)])
def test_any_scores_get_predicts_certainty(tmp_path: Path, temperature: float, independent: bool) -> None:
    certainty = Certainty(temperature=temperature, least_certainty=0.89, floor=1 / 1024, images=1, independent=independent)
    library = _library(tmp_path, certainty, replace(SOFTMAX, kind=OutputKind.SIGMOIDS) if independent else SOFTMAX)
    scores = _random_scores(np.random.default_rng(0))
    believed = calibrated((scores.astype(float) + 128) / 256, certainty)
    np.testing.assert_allclose(_certainties(library, scores), believed.max(axis=1), atol=2e-4)
    near = np.abs(believed.max(axis=1) - certainty.least_certainty) < 2e-4
    for row, refused, skipped in zip(scores, is_refused(believed, certainty), near, strict=True):
        answer = library.net_classify_sure(b"\7", row.ctypes.data_as(ctypes.c_void_p), None)
        assert skipped or answer == (-1 if refused else 7)


@pytest.mark.parametrize(
    ("scale", "temperature", "floor"),
    [(0.21, 0.8104, 1e-12), (0.05, 1.0, 1e-6), (0.4, 1.4, 1e-12), (0.13, 9.7, 1e-12)],
)
def test_any_logits_get_predicts_certainty(tmp_path: Path, scale: float, temperature: float, floor: float) -> None:
    certainty = Certainty(temperature=temperature, least_certainty=0.89, floor=floor, images=1)
    given = Scores(OutputKind.LOGITS, 10, scale, 21)
    rows = _all_pairs()
    believed = calibrated(OutputKind.LOGITS.probabilities(scale * (rows.astype(float) - 21)), certainty).max(axis=1)
    error = certainty_error(certainty, given)
    np.testing.assert_allclose(_certainties(_library(tmp_path, certainty, given), rows), believed, atol=error)
    assert error < (0.0003 if temperature < 3 else 0.3)


@pytest.mark.parametrize("kind", [OutputKind.SIGMOID, OutputKind.LOGIT])
def test_every_single_score_gets_predicts_certainty(tmp_path: Path, kind: OutputKind) -> None:
    certainty = Certainty(temperature=1.7, least_certainty=0.89, floor=1 / 1024, images=1)
    given = Scores(kind, 2, 1 / 256, -128) if kind is OutputKind.SIGMOID else Scores(kind, 2, 0.07, 5)
    rows = np.arange(-128, 128).astype(np.int8)[:, np.newaxis]
    believed = calibrated(kind.probabilities(given.values[:, np.newaxis]), certainty).max(axis=1)
    np.testing.assert_allclose(_certainties(_library(tmp_path, certainty, given), rows), believed, atol=6e-5)


@pytest.mark.parametrize(
    ("twin", "said"),
    [
        (False, "of which 99 in 100 are at least 89.0% certain."),
        (True, "of which 99 in 100 were at least 89.0% certain before the model was trained on them, too."),
    ],
)
def test_the_header_says_whether_the_model_has_seen_the_images_of_the_fit(twin: bool, said: str) -> None:
    certainty = Certainty(temperature=1.7, least_certainty=0.89, floor=1 / 1024, images=1, twin=twin)
    header = certainty_sources("net", certainty, SOFTMAX, "Generated.")["net_sure.h"]
    assert said in " ".join(header.replace("\n *", " ").split())
    assert max(map(len, header.splitlines())) <= 130


def test_logits_that_may_be_probabilities_get_no_certainty() -> None:
    certainty = Certainty(temperature=1, least_certainty=0.9, floor=1e-3, images=1)
    assert certainty_sources("net", certainty, Scores(OutputKind.LOGITS, 10, 1 / 256, -128), "Generated.") == {}


def test_logits_of_a_softmax_left_out_decide_as_the_softmax(tmp_path: Path, mnist: Dataset) -> None:
    """Where a probability lies between two steps the certainties may differ; on 400 validation images no decision does."""
    artifact = artifact_in(Path("glyph-1k"))
    certainty = certainty_of(artifact)
    images, found = np.ascontiguousarray(mnist.validation.images[:400, ..., 0]), {}
    for scores in ("probabilities", "logits"):
        folder = tmp_path / scores
        report = compile_artifact(artifact, folder, name="net", scores=scores, with_picture=True, certainty=certainty)
        library = ctypes.CDLL(str(compile_shared([folder / "net.c", folder / "net_sure.c"], folder / "net.so", flags=STRICT)))
        library.net_certainty.restype = ctypes.c_uint16
        arena, row = np.zeros(report.classify_arena_bytes // 4 + 4096, np.uint32), np.zeros(10, np.int8)
        found[scores] = [
            (
                library.net_classify_sure(*(each.ctypes.data_as(ctypes.c_void_p) for each in (image, row, arena))),
                library.net_certainty(row.ctypes.data_as(ctypes.c_void_p)),
            )
            for image in images
        ]
    answers, certainties = (np.array(each).T for each in zip(*(zip(*each, strict=True) for each in found.values()), strict=True))
    np.testing.assert_array_equal(*answers.T)
    assert np.abs(certainties[:, 0].astype(int) - certainties[:, 1]).max() < 200
    assert (
        "net_sure.c"
        not in compile_artifact(
            artifact, tmp_path / "none", name="net", scores="none", with_picture=True, certainty=certainty
        ).files
    )


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
