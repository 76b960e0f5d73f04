"""Picture files: read as a person sees them, refused in one line when they are something else or too large."""

import struct
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from glyphlite.datasets.dataset import Dataset
from glyphlite.errors import DataError
from glyphlite.preprocessing import pictures
from glyphlite.preprocessing.pictures import SUFFIXES, page_count, picture_size, read_picture


@pytest.mark.parametrize("suffix", [".png", ".bmp", ".gif", ".jpg", ".jfif", ".webp", ".tif", ".TIFF", ".pgm", ".ppm"])
def test_every_allowed_format_gives_the_same_picture(tmp_path: Path, mnist: Dataset, suffix: str) -> None:
    digit = mnist.test.images[0, ..., 0]
    path = tmp_path / f"digit{suffix}"
    Image.fromarray(digit).save(path, quality=100)
    np.testing.assert_allclose(read_picture(path).astype(int), digit, atol=12 if suffix in (".jpg", ".jfif", ".webp") else 0)
    assert suffix.lower() in SUFFIXES
    assert picture_size(path) == digit.shape


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "YCbCr", "I;16"])
def test_every_mode_becomes_the_grey_that_is_seen(tmp_path: Path, mode: str) -> None:
    squares = np.kron(np.array([[0, 255], [255, 0]], np.uint8), np.ones((8, 8), np.uint8))
    path = tmp_path / ("picture.jpg" if mode in ("CMYK", "YCbCr") else "picture.png")
    if mode == "I;16":
        Image.fromarray(squares.astype(np.uint16) * 257).save(path)
    else:
        Image.fromarray(squares).convert(mode).save(path)
    np.testing.assert_allclose(read_picture(path).astype(int), squares, atol=3)


def test_colours_become_luma(tmp_path: Path) -> None:
    colours = np.array([[[255, 0, 0], [0, 255, 0], [0, 0, 255], [255, 255, 255]]], np.uint8)
    Image.fromarray(colours).save(tmp_path / "colours.png")
    np.testing.assert_allclose(read_picture(tmp_path / "colours.png")[0], [76, 150, 29, 255], atol=1)


@pytest.mark.parametrize("ink", [0, 255])
def test_what_is_transparent_never_hides_the_ink(tmp_path: Path, ink: int) -> None:
    layered = np.zeros((30, 30, 4), np.uint8)
    layered[10:20, 10:20] = (ink, ink, ink, 255)
    Image.fromarray(layered).save(tmp_path / "sticker.png")
    grey = read_picture(tmp_path / "sticker.png")
    assert grey[15, 15] == ink
    assert grey[0, 0] == 255 - ink


def test_a_picture_taken_sideways_is_turned_upright(tmp_path: Path) -> None:
    upright = np.zeros((20, 10), np.uint8)
    upright[:10] = 255
    orientation = Image.Exif()
    orientation[0x0112] = 6
    Image.fromarray(np.rot90(upright)).save(tmp_path / "sideways.png", exif=orientation)
    np.testing.assert_array_equal(read_picture(tmp_path / "sideways.png"), upright)


def _png_header(width: int, height: int) -> bytes:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")


@pytest.mark.parametrize("side", [8001, 40_000, 2**31 - 1])
def test_a_huge_picture_is_refused_before_it_is_decoded(tmp_path: Path, side: int) -> None:
    (tmp_path / "huge.png").write_bytes(_png_header(side, side))
    with pytest.raises(DataError, match=r"huge\.png"):
        read_picture(tmp_path / "huge.png")


def test_a_large_file_is_refused_before_it_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pictures, "MAX_FILE_BYTES", 1000)
    (tmp_path / "large.png").write_bytes(bytes(1001))
    with pytest.raises(DataError, match="1,001 bytes"):
        read_picture(tmp_path / "large.png")


@pytest.mark.parametrize("name", ["digit.png", "digit.jpg", "digit.gif", "digit.bmp", "digit.webp"])
@pytest.mark.parametrize("damage", ["half", "few bytes", "flipped"])
def test_a_damaged_picture_is_refused_or_read(tmp_path: Path, mnist: Dataset, name: str, damage: str) -> None:
    path = tmp_path / name
    Image.fromarray(mnist.test.images[0, ..., 0]).save(path)
    whole = path.read_bytes()
    rng = np.random.default_rng(0)
    for _ in range(40 if damage == "flipped" else 1):
        content = bytearray(whole[: {"half": len(whole) // 2, "few bytes": 12}.get(damage, len(whole))])
        if damage == "flipped":
            content[rng.integers(len(content))] ^= 1 << rng.integers(8)
        path.write_bytes(content)
        try:
            assert read_picture(path).ndim == 2
        except DataError as error:
            assert name in str(error)  # noqa: PT017


@pytest.mark.parametrize(
    "content", [b"", b"hello, this is text\n", b"%PDF-1.7", b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"II*\0"]
)
def test_what_is_no_picture_is_refused_with_what_is_expected(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "notes.png").write_bytes(content)
    with pytest.raises(DataError, match=r"notes\.png .*expected PNG, JPEG"):
        read_picture(tmp_path / "notes.png")


def test_other_formats_of_pillow_are_not_let_in(tmp_path: Path) -> None:
    Image.new("L", (10, 10)).save(tmp_path / "scan.png", format="TGA")
    with pytest.raises(DataError, match="not a picture that can be read"):
        read_picture(tmp_path / "scan.png")


@pytest.mark.parametrize(
    ("pixels", "suffix", "expected"),
    [
        (np.array([[0, 1]], np.uint8), ".png", [0, 255]),
        (np.array([[0, 1]], np.uint16), ".png", [0, 255]),
        (np.array([[False, True]]), ".tif", [0, 255]),
        (np.array([[0, 7, 255]], np.uint16), ".png", [0, 7, 255]),
        (np.array([[0, 1023, 4095]], np.uint16), ".png", [0, 64, 255]),
        (np.array([[0, 257, 65535]], np.uint16), ".png", [0, 1, 255]),
        (np.array([[0, 0.5, 1]], np.float32), ".tif", [0, 128, 255]),
        (np.array([[0, 100, 255]], np.float32), ".tif", [0, 100, 255]),
        (np.array([[-1, 0, 1]], np.float32), ".tif", [0, 128, 255]),
        (np.array([[0.7, 0.7]], np.float32), ".tif", [178, 178]),
        (np.array([[-3, 0, 200]], np.int32), ".tif", [0, 0, 200]),
        (np.array([[0, 1, 2]], np.uint8), ".png", [0, 1, 2]),
        (np.array([[254, 255]], np.uint8), ".png", [254, 255]),
    ],
)
def test_black_and_white_are_found_in_masks_deep_pictures_and_floats(
    tmp_path: Path, pixels: np.ndarray, suffix: str, expected: list[int]
) -> None:
    Image.fromarray(pixels).save(tmp_path / f"a{suffix}")
    assert read_picture(tmp_path / f"a{suffix}")[0].tolist() == expected


def test_a_mask_by_its_palette_is_black_and_white(tmp_path: Path) -> None:
    mask = Image.fromarray(np.array([[0, 1]], np.uint8), "P")
    mask.putpalette([0, 0, 0, 1, 1, 1])
    mask.save(tmp_path / "mask.png")
    assert read_picture(tmp_path / "mask.png")[0].tolist() == [0, 255]


def test_a_picture_of_numbers_that_are_not_finite_is_refused(tmp_path: Path) -> None:
    Image.fromarray(np.array([[0, np.nan]], np.float32)).save(tmp_path / "a.tif")
    with pytest.raises(DataError, match="finite"):
        read_picture(tmp_path / "a.tif")


def test_a_folder_and_nothing_are_refused(tmp_path: Path) -> None:
    for path, words in ((tmp_path, "is a folder; expected a picture"), (tmp_path / "nothing.png", "No such file")):
        with pytest.raises(DataError, match=words):
            read_picture(path)


def _heic(path: Path, digit: np.ndarray) -> None:
    pytest.importorskip("pillow_heif").register_heif_opener()
    Image.fromarray(digit).save(path, format="HEIF", quality=100)


def test_an_iphones_photo_is_read(tmp_path: Path, mnist: Dataset) -> None:
    digit = np.kron(mnist.test.images[0, ..., 0], np.ones((4, 4), np.uint8))
    _heic(tmp_path / "photo.heic", digit)
    assert np.abs(read_picture(tmp_path / "photo.heic").astype(int) - digit).mean() < 3
    assert picture_size(tmp_path / "photo.heic") == digit.shape


def test_what_an_iphones_photo_needs_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "photo.jpg").write_bytes(b"\0\0\0\x18ftypheic" + bytes(40))
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    with pytest.raises(DataError, match=r"photo\.jpg is a HEIC picture.*pip install pillow-heif\), or save it as JPEG"):
        read_picture(tmp_path / "photo.jpg")


def test_a_damaged_heic_is_refused(tmp_path: Path, mnist: Dataset) -> None:
    _heic(tmp_path / "photo.heic", mnist.test.images[0, ..., 0])
    whole = (tmp_path / "photo.heic").read_bytes()
    for length in (12, len(whole) // 2):
        (tmp_path / "photo.heic").write_bytes(whole[:length])
        with pytest.raises(DataError, match=r"photo\.heic"):
            read_picture(tmp_path / "photo.heic")


@pytest.mark.parametrize("suffix", [".gif", ".tif", ".webp", ".png"])
def test_the_first_of_several_pages_is_read(tmp_path: Path, mnist: Dataset, suffix: str) -> None:
    first, *others = [Image.fromarray(image) for image in mnist.test.images[:3, ..., 0]]
    path = tmp_path / f"pages{suffix}"
    first.save(path, save_all=True, append_images=others, lossless=True)
    assert page_count(path) == 3
    np.testing.assert_allclose(read_picture(path).astype(int), mnist.test.images[0, ..., 0], atol=2)
    first.save(path, lossless=True)
    assert page_count(path) == 1


def test_a_file_whose_parts_are_read_again_and_again_is_refused() -> None:
    """As a TIFF's tags that all point to the whole of it; newer versions of Pillow skip those themselves."""
    file = pictures._Metered(bytes(1 << 20))
    for _ in range(5):
        file.seek(0)
        assert len(file.read()) == 1 << 20
    file.seek(0)
    with pytest.raises(ValueError, match="its parts overlap"):
        file.read()


def test_a_jpeg_of_very_many_scans_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "scans.jpg"
    Image.effect_noise((64, 64), 99).save(path, progressive=True)
    assert read_picture(path).shape == (64, 64)
    content = path.read_bytes()
    scan = content[content.rindex(b"\xff\xda") : -2]
    path.write_bytes(content[:-2] + 200 * scan + content[-2:])
    with pytest.raises(DataError, match="more than 100 scans"):
        read_picture(path)


@pytest.mark.parametrize("suffix", [".tif", ".gif"])
def test_pages_are_counted_to_a_limit(tmp_path: Path, suffix: str) -> None:
    first, *others = [Image.new("L", (8, 8), shade % 256) for shade in range(1200)]
    first.save(tmp_path / f"pages{suffix}", save_all=True, append_images=others)
    assert page_count(tmp_path / f"pages{suffix}") == pictures.MOST_PAGES


@pytest.mark.parametrize(("suffix", "mode"), [(".webp", "L"), (".tif", "F")])
def test_pictures_that_take_much_memory_may_have_fewer_pixels(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, suffix: str, mode: str
) -> None:
    monkeypatch.setattr(pictures, "MAX_COSTLY_PIXELS", 100)
    Image.new(mode, (10, 11)).save(tmp_path / f"a{suffix}")
    with pytest.raises(DataError, match=r"has 10 x 11 pixels, more than the 100"):
        read_picture(tmp_path / f"a{suffix}")


def test_pictures_of_several_bands_become_grey_as_a_whole(tmp_path: Path) -> None:
    rows = np.random.default_rng(0).integers(0, 256, (600, 5, 4)).astype(np.uint8)
    Image.fromarray(rows).save(tmp_path / "clear.png")
    white = Image.new("RGBA", (5, 600), "white")
    white.alpha_composite(Image.fromarray(rows))
    np.testing.assert_array_equal(read_picture(tmp_path / "clear.png"), np.asarray(white.convert("L")))
