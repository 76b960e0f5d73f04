"""Whole folders or none, also where two processes put theirs in the same place at the same moment."""

from pathlib import Path

import pytest

from glyphlite.errors import OutputError
from glyphlite.files import atomic_folder


def _fill(path: Path, name: str) -> None:
    with atomic_folder(path) as folder:
        (folder / name).write_text(name)


def _names(path: Path) -> list[str]:
    return sorted(each.name for each in path.iterdir())


@pytest.fixture
def others(monkeypatch: pytest.MonkeyPatch):
    """``others(path, times)``: so often another process puts a folder at the path just before ours is renamed to it."""
    replace = Path.replace

    def others(path: Path, times: int) -> None:
        left = [times]

        def replace_after_another(self: Path, target: Path) -> Path:
            if target == path and left[0]:
                left[0] -= 1
                path.mkdir()
                (path / f"theirs {left[0]}").write_text("theirs")
            return replace(self, target)

        monkeypatch.setattr(Path, "replace", replace_after_another)

    return others


def test_a_folder_takes_the_place_of_the_one_before_and_leaves_nothing_beside(tmp_path: Path) -> None:
    for name in ("first", "second"):
        _fill(tmp_path / "out", name)
        assert (_names(tmp_path), _names(tmp_path / "out")) == (["out"], [name])


@pytest.mark.parametrize("existing", [False, True])
def test_what_another_puts_there_in_between_is_replaced(tmp_path: Path, others, *, existing: bool) -> None:
    if existing:
        _fill(tmp_path / "out", "before")
    others(tmp_path / "out", 2)
    _fill(tmp_path / "out", "ours")
    assert (_names(tmp_path), _names(tmp_path / "out")) == (["out"], ["ours"])


@pytest.mark.parametrize("stays", ["before", "theirs"])
def test_what_fails_leaves_the_folder_before_but_not_over_anothers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stays: str
) -> None:
    _fill(tmp_path / "out", "before")
    replace = Path.replace

    def full(self: Path, target: Path) -> Path:
        if target == tmp_path / "out":
            if not self.name.endswith(".previous"):
                raise OSError(28, "No space left on device")
            if stays == "theirs":
                target.mkdir()
                (target / "theirs").write_text("theirs")
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(OutputError, match="No space left on device"):
        _fill(tmp_path / "out", "ours")
    assert (_names(tmp_path), _names(tmp_path / "out")) == (["out"], [stays])
