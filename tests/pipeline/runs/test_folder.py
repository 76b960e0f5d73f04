"""The folder of a run: a finished one is never replaced unasked, an unfinished one never lost, other files never touched."""

from pathlib import Path

import pytest

from glyphlite.errors import OutputError
from glyphlite.files.folders import owned_folder
from glyphlite.files.manifest import MANIFEST
from glyphlite.files.owned import write_owned
from glyphlite.pipeline.runs.folder import (
    FIRMWARE,
    PREVIOUS,
    TRAINING_FILES,
    Wish,
    choose_folder,
    clear_folder,
    drop_previous,
    is_finished,
    is_unfinished,
    require_exportable,
    require_kept,
)
from glyphlite.training.checkpoint import Checkpoint, CheckpointStore


def _finished(folder: Path) -> Path:
    for name in ("results.json", "model.keras", "model_int8.tflite", "figures/training.png"):
        write_owned(folder / name, "of a run")
    return _with_checkpoint(folder, 430)


def _unfinished(folder: Path) -> Path:
    return _with_checkpoint(folder, 16)


def _with_checkpoint(folder: Path, step: int) -> Path:
    CheckpointStore(folder / "checkpoints").save(step, Checkpoint({}, {}))
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


@pytest.mark.parametrize("overwrite", [False, True])
@pytest.mark.parametrize("name", ["model.keras", "labels.txt", "results.json", "figures/training.png", "model_int8.tflite"])
def test_a_file_of_the_users_own_of_one_of_our_names_stops_the_command_and_is_named(
    tmp_path: Path, name: str, overwrite: bool
) -> None:
    _unfinished(tmp_path)
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text("mine")
    with pytest.raises(OutputError, match=f"{name}: glyphlite did not write and would replace; move it away or"):
        choose_folder(Wish(tmp_path, overwrite=overwrite), "mlp")
    assert (tmp_path / name).read_text() == "mine"


def test_a_file_in_the_place_of_a_folder_of_ours_is_the_users_too(tmp_path: Path) -> None:
    (tmp_path / "figures").write_text("mine")
    with pytest.raises(OutputError, match="figures: glyphlite did not write"):
        choose_folder(Wish(tmp_path, overwrite=True), "mlp")


def test_a_training_does_not_mind_what_only_a_run_writes(tmp_path: Path) -> None:
    (tmp_path / "report.html").write_text("mine")
    assert choose_folder(Wish(tmp_path), "mlp", writes=TRAINING_FILES) == tmp_path
    with pytest.raises(OutputError, match=r"report\.html"):
        choose_folder(Wish(tmp_path), "mlp")


def test_what_was_changed_since_is_replaced_only_when_told(tmp_path: Path) -> None:
    write_owned(_unfinished(tmp_path) / "labels.txt", "ours")
    (tmp_path / "labels.txt").write_text("edited")
    with pytest.raises(OutputError, match=r"labels\.txt: was changed since .* --overwrite"):
        choose_folder(Wish(tmp_path, resume=True), "mlp")
    assert choose_folder(Wish(tmp_path, overwrite=True), "mlp") == tmp_path


def test_the_folders_of_a_run_that_hold_the_users_files_stop_it(tmp_path: Path) -> None:
    (tmp_path / "c").mkdir()
    (tmp_path / "c" / "model.c").write_text("mine")
    for overwrite in (False, True):
        with pytest.raises(OutputError, match=r"c holds files that glyphlite did not write: model\.c"):
            require_exportable(tmp_path, overwrite=overwrite)
    (tmp_path / "c" / "model.c").unlink()
    with owned_folder(tmp_path / "c") as folder:
        (folder / "model.c").write_text("ours")
    (tmp_path / "c" / "notes.md").write_text("mine")
    require_exportable(tmp_path, overwrite=True)


@pytest.mark.parametrize("name", [".", "absent/..", "../run"])
def test_a_folder_named_by_a_detour_is_that_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    (tmp_path / "run").mkdir()
    monkeypatch.chdir(tmp_path / "run")
    assert choose_folder(Wish(Path(name)), "mlp").samefile(tmp_path / "run")
    assert not list((tmp_path / "run").iterdir())


@pytest.mark.parametrize("named", [True, False])
def test_an_unfinished_run_asks_whether_to_go_on(tmp_path: Path, named: bool) -> None:
    folder = _unfinished(tmp_path / "mlp")
    with pytest.raises(OutputError, match=r"not finished; --resume continues it, --overwrite starts over"):
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
    theirs = {
        "notes.md",
        "labels.txt",
        "figures/mine.png",
        "checkpoints/mine.txt",
        "checkpoints/checkpoint-000000003.ckpt",
        "c/model.c",
    }
    for name in theirs:
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text("kept")
    (folder / "model.keras").write_text("edited")
    clear_folder(folder)
    drop_previous(folder)
    left = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file() and path.name != MANIFEST}
    assert {name.removesuffix(".1.kept") for name in left} == theirs
    assert {(folder / name).read_text() for name in left} == {"kept"}
    assert not is_finished(folder)
    assert not is_unfinished(folder)


def _contents(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.name != MANIFEST and "checkpoints" not in path.parts
    }


def _firmware(folder: Path, text: str) -> None:
    """Writes the folders of firmware as the pipeline does, over what is there."""
    for part in FIRMWARE:
        with owned_folder(folder / part, overwrite=True) as new:
            (new / "deep").mkdir()
            (new / "deep" / "model.c").write_text(text)


def test_the_firmware_of_a_finished_run_is_kept_too(tmp_path: Path) -> None:
    folder = _finished(tmp_path / "run")
    _firmware(folder, "the former")
    (folder / "c" / "mine.txt").write_text("mine")
    clear_folder(folder)
    _firmware(folder, "the next")
    for part in FIRMWARE:
        assert (folder / PREVIOUS / part / "deep" / "model.c").read_text() == "the former"
        assert (folder / part / "deep" / "model.c").read_text() == "the next"
    assert not (folder / PREVIOUS / "c" / "mine.txt").exists()
    write_owned(folder / "results.json", "the next")
    drop_previous(folder)
    assert not (folder / PREVIOUS).exists()
    assert (folder / "c" / "mine.txt").read_text() == "mine"


def test_a_finished_run_is_kept_as_a_whole_until_the_one_that_replaces_it_is_finished(tmp_path: Path) -> None:
    folder = _finished(tmp_path / "run")
    before = _contents(folder)
    clear_folder(folder)
    assert {f"{PREVIOUS}/{name}": content for name, content in before.items()} == _contents(folder)
    assert is_finished(folder / PREVIOUS)
    write_owned(folder / "model.keras", "half of the next")
    clear_folder(_unfinished(folder))  # begun anew: the unfinished one goes, the finished one stays
    assert {f"{PREVIOUS}/{name}": content for name, content in before.items()} == _contents(folder)
    write_owned(folder / "results.json", "the next")
    drop_previous(folder)
    assert _contents(folder) == {"results.json": b"the next"}
    assert not (folder / PREVIOUS).exists()
    drop_previous(folder)


def test_a_newer_finished_run_takes_the_place_of_one_that_was_kept(tmp_path: Path) -> None:
    folder = _finished(tmp_path / "run")
    clear_folder(folder)
    write_owned(folder / "results.json", "the second")
    clear_folder(folder)
    assert _contents(folder) == {f"{PREVIOUS}/results.json": b"the second"}


def test_the_users_files_in_the_place_of_the_former_run_stay(tmp_path: Path) -> None:
    folder = _finished(tmp_path / "run")
    clear_folder(folder)
    (folder / PREVIOUS / "notes.txt").write_text("mine")
    write_owned(folder / "results.json", "the next")
    with pytest.raises(OutputError, match=r"notes\.txt"):
        clear_folder(folder)
    assert is_finished(folder)
    drop_previous(folder)
    assert _contents(folder) == {"results.json": b"the next", f"{PREVIOUS}/notes.txt": b"mine"}


def test_a_run_is_not_replaced_by_a_training_that_begins_with_its_model(tmp_path: Path) -> None:
    folder = _finished(tmp_path / "run")
    (tmp_path / "link").symlink_to(folder)
    for model in (folder / "model.keras", tmp_path / "link" / "model.keras"):
        with pytest.raises(OutputError, match="belongs to the run that --overwrite replaces"):
            require_kept(Wish(folder, overwrite=True), folder, model)
    require_kept(Wish(folder, resume=True), folder, folder / "model.keras")
    require_kept(Wish(folder, overwrite=True), folder, tmp_path / "other.keras")


@pytest.mark.parametrize(("name", "folder"), [("..", "model"), ("../../x", "x"), ("/etc/x", "x"), (".", "model"), ("-rf", "-rf")])
def test_a_models_name_never_leads_out_of_the_folder_of_runs(tmp_path: Path, name: str, folder: str) -> None:
    assert choose_folder(Wish(), name, runs=tmp_path) == tmp_path / folder
