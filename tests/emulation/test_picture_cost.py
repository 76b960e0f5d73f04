"""The cost of preparing a picture: counted on the core, with the memory that the header asks for."""

from pathlib import Path

import numpy as np
import pytest

from glyphlite.compiler.picture.sources import picture_sources
from glyphlite.emulation.picture_cost import drawn_glyph, frame_of, measure_picture
from glyphlite.emulation.toolchain import target_named
from glyphlite.errors import ArtifactError
from glyphlite.preprocessing.images import find_glyph


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("generated")
    for file, text in picture_sources("net", 28, 28, "Generated.").items():
        (folder / file).write_text(text)
    return folder


@pytest.mark.parametrize(("kind", "bytes_"), [("strokes", 240), ("canvas", 6 * 44), ("frame", 40 * 44)])
def test_each_kind_is_counted(generated: Path, tmp_path: Path, kind: str, bytes_: int) -> None:
    report = measure_picture(generated, "net", target_named("cortex-m4"), 44, 40 if kind == "frame" else 48, kind, tmp_path)
    assert report.picture_bytes == bytes_
    assert report.work_bytes == 0 if kind == "strokes" else report.work_bytes > 1000
    assert report.instructions == sum(report.functions.values())
    assert 100_000 < report.instructions < 20_000_000
    assert 100 < report.stack_bytes < 1000


def test_what_is_drawn_is_one_glyph() -> None:
    found = find_glyph(frame_of(96, 96))
    assert found is not None
    assert (found.doubt, found.others) == (None, 0)
    assert drawn_glyph(64, 64).mean() > 0.05
    assert np.array_equal(frame_of(96, 96), frame_of(96, 96))


def test_a_folder_without_it_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="--with-picture"):
        measure_picture(tmp_path, "net", target_named("cortex-m4"), 96, 96, "frame", tmp_path)
