"""The folder of a run: a finished one is never replaced unasked, an unfinished one never lost, other files never touched."""

from pathlib import Path

import pytest

from glyphlite.errors import OutputError
from glyphlite.pipeline.run_folder import Wish, choose_folder, clear_folder, is_finished, is_unfinished


def _finished(folder: Path) -> Path:
    (folder / "checkpoints").mkdir(parents=True)
    for name in ("results.json", "model.keras", "model_int8.tflite", "checkpoints/checkpoint-000000430.ckpt"):
        (folder / name).write_text("of a run")
    return folder


def _unfinished(folder: Path) -> Path:
    (folder / "checkpoints").mkdir(parents=True)
    (folder / "checkpoints" / "checkpoint-000000016.ckpt").write_text("half-way")
    return folder


def test_a_new_name_is_taken_as_it_is(tmp_path: Path) -> None:
    assert choose_folder(Wish(), "mlp", runs=tmp_path) == tmp_path / "mlp"
    assert choose_folder(Wish(tmp_path / "mine"), "mlp", runs=tmp_path) == tmp_path / "mine"
    assert not list(tmp_path.iterdir())


def test_without_a_folder_a_finished_run_stays_and_the_next_number_is_taken(tmp_path: Path, capfd) -> None:
    _finished(tmp_path / "mlp")
    assert choose_folder(Wish(), "mlp", runs=tmp_path) == tmp_path / "mlp-2"
    _finished(tmp_path / "mlp-2")
    assert choose_folder(Wish(), "mlp", runs=tmp_path) == tmp_path / "mlp-3"
    told = " ".join(capfd.readouterr().err.split())
    assert "mlp holds a finished run, which stays; this one goes into" in told


def test_a_named_folder_with_a_finished_run_asks_for_overwrite(tmp_path: Path) -> None:
    folder = _finished(tmp_path / "mine")
    with pytest.raises(OutputError, match=r"mine holds a finished run; .*--out.*--overwrite"):
        choose_folder(Wish(folder), "mlp", runs=tmp_path)
    assert choose_folder(Wish(folder, overwrite=True), "mlp", runs=tmp_path) == folder


def test_a_model_of_the_users_own_counts_as_finished(tmp_path: Path) -> None:
    (tmp_path / "model.keras").write_text("mine")
    with pytest.raises(OutputError, match="--overwrite"):
        choose_folder(Wish(tmp_path), "mlp")


@pytest.mark.parametrize("named", [True, False])
def test_an_unfinished_run_asks_whether_to_go_on(tmp_path: Path, named: bool) -> None:
    folder = _unfinished(tmp_path / "mlp")
    with pytest.raises(OutputError, match=r"not finished; --resume goes on with it, --overwrite starts over"):
        choose_folder(Wish(folder if named else None), "mlp", runs=tmp_path)
    wish = Wish(folder if named else None, resume=True)
    assert choose_folder(wish, "mlp", runs=tmp_path) == folder


def test_a_run_that_ended_behind_its_training_is_unfinished(tmp_path: Path) -> None:
    folder = _finished(tmp_path / "mlp")
    (folder / "results.json").unlink()
    assert is_unfinished(folder)
    assert not is_finished(folder)


def test_resuming_without_a_name_takes_the_newest_unfinished(tmp_path: Path) -> None:
    _unfinished(tmp_path / "mlp")
    _unfinished(tmp_path / "mlp-2")
    _finished(tmp_path / "mlp-10")
    _unfinished(tmp_path / "mlp-fashion-mnist")
    assert choose_folder(Wish(resume=True), "mlp", runs=tmp_path) == tmp_path / "mlp-2"


def test_resuming_nothing_is_refused(tmp_path: Path) -> None:
    for wish in (Wish(resume=True), Wish(tmp_path / "mine", resume=True)):
        with pytest.raises(OutputError, match=r"nothing to resume: .* holds no checkpoint"):
            choose_folder(wish, "mlp", runs=tmp_path)
    with pytest.raises(OutputError, match="give one of the two"):
        choose_folder(Wish(resume=True, overwrite=True), "mlp", runs=tmp_path)
    assert not list(tmp_path.iterdir())


def test_overwriting_removes_what_is_ours_and_nothing_else(tmp_path: Path) -> None:
    folder = _finished(tmp_path / "mlp")
    for name in ("notes.md", "figures/mine.png", "checkpoints/mine.txt", "c/model.c"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text("kept")
    clear_folder(folder)
    left = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert left == {"notes.md", "figures/mine.png", "checkpoints/mine.txt", "c/model.c"}
    assert not is_finished(folder)
    assert not is_unfinished(folder)
