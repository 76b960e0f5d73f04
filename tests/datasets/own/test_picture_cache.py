"""Pictures of a folder are normalized once: kept while nothing changed, made again where a file or the cache did."""

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from glyphlite.datasets.own import picture_cache, picture_reading
from glyphlite.datasets.own.picture_folders import read_picture_folder

Arrays = tuple[np.ndarray, np.ndarray]


@pytest.fixture
def pictures(tmp_path: Path, strokes: Arrays) -> Path:
    for number, (image, label) in enumerate(zip(strokes[0][:8], strokes[1][:8], strict=True)):
        path = tmp_path / "data" / f"c{label}" / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(255 - image.repeat(2, 0).repeat(2, 1)).save(path)
    return tmp_path / "data"


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Collects the pictures that are read."""
    read: list[Path] = []
    true_read = picture_reading.read_picture

    def reading(path: Path) -> np.ndarray:
        read.append(path)
        return true_read(path)

    monkeypatch.setattr(picture_reading, "read_picture", reading)
    return read


def test_pictures_are_read_once_and_give_the_same_images(pictures: Path, reads: list[Path]) -> None:
    first = read_picture_folder(pictures)
    assert len(reads) == 8
    second = read_picture_folder(pictures)
    assert len(reads) == 8
    np.testing.assert_array_equal(first.train.images, second.train.images)
    assert first.notes == second.notes


@pytest.mark.parametrize("change", ["content", "time", "new", "gone", "size", "code"])
def test_what_changed_is_made_again(pictures: Path, reads: list[Path], change: str, monkeypatch: pytest.MonkeyPatch) -> None:
    read_picture_folder(pictures)
    one = pictures / "c0" / "0.png"
    if change == "content":
        Image.fromarray(np.pad(np.zeros((30, 30), np.uint8), 15, constant_values=255)).save(one)
    elif change == "time":
        os.utime(one, ns=(1, 1))
    elif change == "new":
        (pictures / "c0" / "new.png").write_bytes(one.read_bytes())
    elif change == "gone":
        one.unlink()
    elif change == "code":
        monkeypatch.setattr(picture_cache, "_code", lambda: "other")
    reads.clear()
    found = read_picture_folder(pictures, *((20, 20) if change == "size" else ()))
    assert len(reads) == {"new": 9, "gone": 7}.get(change, 8)
    assert len(found.train) == len(reads)


def test_the_code_that_normalizes_pictures_is_part_of_the_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """Were it left out, pictures of an older glyphlite would be taken for those of this one."""
    read: list[str] = []
    true_read = Path.read_bytes

    def reading(path: Path) -> bytes:
        read.append(f"{path.parent.name}/{path.name}")
        return true_read(path)

    monkeypatch.setattr(Path, "read_bytes", reading)
    picture_cache._code.__wrapped__()
    assert {"preprocessing/normalize.py", "preprocessing/pictures.py", "own/picture_reading.py"} <= set(read)


@pytest.mark.parametrize("damage", ["empty", "half", "flipped", "text", "shape"])
def test_a_damaged_cache_is_made_again(pictures: Path, reads: list[Path], cache: Path, damage: str) -> None:
    first = read_picture_folder(pictures)
    kept = next(cache.glob("*.npz"))
    whole = kept.read_bytes()
    flipped = bytearray(whole)
    flipped[len(whole) // 2] ^= 0xFF
    kept.write_bytes(
        {"empty": b"", "half": whole[: len(whole) // 2], "flipped": bytes(flipped), "text": b"hello"}.get(damage, whole)
    )
    if damage == "shape":
        with np.load(kept) as arrays:
            stored = dict(arrays)
        with kept.open("wb") as stream:
            np.savez(stream, **{**stored, "images": stored["images"][:3]})
    reads.clear()
    np.testing.assert_array_equal(read_picture_folder(pictures).train.images, first.train.images)
    assert len(reads) == 8
    reads.clear()
    read_picture_folder(pictures)
    assert reads == []


def test_a_cache_that_cannot_be_written_costs_nothing(
    pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setattr(picture_cache, "cache_place", lambda: tmp_path / "file" / "pictures")
    assert len(read_picture_folder(pictures).train) == 8
    assert "are not cached for the next time" in capsys.readouterr().err


def test_only_the_latest_folders_are_kept(pictures: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(picture_cache, "MOST_KEPT", 2)
    for side in (20, 21, 22):
        read_picture_folder(pictures, side, side)
    assert len(list(cache.iterdir())) == 2
