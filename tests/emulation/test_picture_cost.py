"""The cost of preparing a picture: counted on the core, with the memory that the header asks for."""

from pathlib import Path

import numpy as np
import pytest
from support.avr import require_avr
from support.picture_c import RESULTS, PictureC

from glyphlite.compiler.picture.sources import picture_sources
from glyphlite.datasets.dataset import Dataset
from glyphlite.emulation.avr import AvrEmulator
from glyphlite.emulation.picture_cost import drawn_glyph, frame_of, measure_picture
from glyphlite.emulation.toolchain import compile_and_link, target_named
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


@pytest.mark.parametrize("core", ["cortex-m4", "cortex-m0"])
@pytest.mark.parametrize(("kind", "side", "most"), [("frame", 96, 12 * 1024), ("canvas", 64, 2.5 * 1024)])
def test_ram_in_all(generated: Path, tmp_path: Path, core: str, kind: str, side: int, most: int) -> None:
    report = measure_picture(generated, "net", target_named(core), side, side, kind, tmp_path)
    assert report.picture_bytes + report.work_bytes + report.stack_bytes <= most


def test_what_is_drawn_is_one_glyph() -> None:
    found = find_glyph(frame_of(96, 96))
    assert found is not None
    assert (found.doubt, found.others) == (None, 0)
    assert drawn_glyph(64, 64).mean() > 0.05
    assert np.array_equal(frame_of(96, 96), frame_of(96, 96))


def test_a_folder_without_it_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="--with-picture"):
        measure_picture(tmp_path, "net", target_named("cortex-m4"), 96, 96, "frame", tmp_path)


def test_a_frame_on_an_avr_gives_the_hosts_pixels(tmp_path: Path, mnist: Dataset) -> None:
    require_avr()
    picture = np.ascontiguousarray(mnist.validation.images[3, ..., 0])  # its thin strokes are widened
    rows, columns = picture.shape
    host, target = PictureC(tmp_path), target_named("avr")
    elf = compile_and_link(
        target, [tmp_path / "net_image.c"], tmp_path / "net.elf", keep=["net_image_grey"], optimize=target.optimize
    )
    with AvrEmulator(elf, target) as machine:
        frame, work, pixels = (machine.allocate(size) for size in (picture.size, 4 * host.words(rows, columns), 28 * 28))
        machine.write(frame, picture)
        result = machine.call("net_image_grey", frame, columns, rows, work, pixels, 0, timeout_s=250)
        found = np.frombuffer(machine.read(pixels, 28 * 28), np.uint8).reshape(28, 28)
    expected = host.grey(picture)
    assert RESULTS[result & 0xFF] == expected[0]
    assert np.array_equal(found, expected[1])
