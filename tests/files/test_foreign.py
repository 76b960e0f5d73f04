"""No file of the user's is lost: every command that writes a folder, into folders that hold his files, links and mount points."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from glyphlite.errors import OutputError
from glyphlite.files.manifest import MANIFEST
from glyphlite.pipeline.compile import compile_file
from glyphlite.pipeline.export import export_file
from glyphlite.pipeline.inspect import inspect_file
from glyphlite.pipeline.predict import predict_pictures
from glyphlite.pipeline.report import write_reports

pytestmark = pytest.mark.slow

Command = Callable[[Path, Path, bool], None]


def _export(target: str) -> Command:
    def command(artifact: Path, folder: Path, overwrite: bool) -> None:
        options = {"name": "model", "language": "cc", "dataset": None, "sample": 0, "data_dir": None, "litertjs": False}
        export_file(artifact, target, folder, overwrite=overwrite, **options)  # pyright: ignore[reportArgumentType]

    return command


def _compile(artifact: Path, folder: Path, overwrite: bool) -> None:
    options = {"name": "model", "optimize": "size", "scores": "logits", "dataset": None, "sample": 0, "data_dir": None}
    compile_file(artifact, folder, overwrite=overwrite, compare=False, check=False, **options)  # pyright: ignore[reportArgumentType]


COMMANDS: dict[str, Command] = {
    "c-array": _export("c-array"),
    "tflm": _export("tflm"),
    "web": _export("web"),
    "compile": _compile,
}
WHOLE = ("tflm", "web", "compile")
"""Commands whose folder is theirs as a whole."""


@pytest.fixture(scope="module")
def artifact(samples: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An artifact whose classes are no data set's, so that no data is loaded for it."""
    from glyphlite.tflite.metadata import ModelMetadata, add_metadata

    path = tmp_path_factory.mktemp("artifact") / "letters.tflite"
    path.write_bytes(
        add_metadata((samples / "model_int8.tflite").read_bytes(), ModelMetadata("letters", labels=tuple("ABCDEFGHIJ")))
    )
    return path


@pytest.fixture(scope="module")
def written(artifact: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    """The files that each command writes."""
    root = tmp_path_factory.mktemp("written")
    for name, command in COMMANDS.items():
        command(artifact, root / name, False)
    return {name: sorted(_texts(root / name)) for name in COMMANDS}


def _texts(folder: Path) -> dict[str, bytes]:
    """The files in a folder but the manifest, links not followed."""
    files = (path for path in folder.rglob("*") if path.is_symlink() or path.is_file())
    return {
        path.relative_to(folder).as_posix(): str(path.readlink()).encode() if path.is_symlink() else path.read_bytes()
        for path in files
        if path.name != MANIFEST
    }


@pytest.mark.parametrize("overwrite", [False, True])
@pytest.mark.parametrize("name", COMMANDS)
def test_files_of_every_name_that_a_command_writes(
    name: str, overwrite: bool, written: dict[str, list[str]], artifact: Path, tmp_path: Path
) -> None:
    # With --overwrite a command refuses only when all is made, which takes its time: two names will do.
    names = (written[name][0], written[name][-1]) if overwrite else written[name]
    for index, file in enumerate(names):
        folder = tmp_path / str(index)
        (folder / file).parent.mkdir(parents=True)
        (folder / file).write_text("mine")
        with pytest.raises(OutputError, match=r"did not write|is not glyphlite's"):
            COMMANDS[name](artifact, folder, overwrite)
        assert _texts(folder) == {file: b"mine"}


@pytest.mark.parametrize("name", COMMANDS)
def test_links_and_folders_of_the_names_that_a_command_writes(
    name: str, written: dict[str, list[str]], artifact: Path, tmp_path: Path
) -> None:
    (tmp_path / "precious").write_text("mine")
    names = written[name]
    for index, kind in enumerate(("link", "dangling", "folder", "hard link")):
        place = tmp_path / f"out{index // len(names)}" / names[index % len(names)]
        place.parent.mkdir(parents=True, exist_ok=True)
        if kind == "folder":
            place.mkdir()
            (place / "mine").write_text("mine")
        elif kind == "hard link":
            os.link(tmp_path / "precious", place)
        else:
            place.symlink_to(tmp_path / ("precious" if kind == "link" else "nowhere"))
    for folder in tmp_path.glob("out*"):
        before = _texts(folder)
        with pytest.raises(OutputError, match="is not glyphlite's"):
            COMMANDS[name](artifact, folder, True)
        assert _texts(folder) == before
    assert (tmp_path / "precious").read_text() == "mine"
    assert not (tmp_path / "nowhere").exists()


@pytest.mark.parametrize("name", COMMANDS)
def test_other_files_stay_with_overwrite_and_changed_ones_are_asked_for(
    name: str, written: dict[str, list[str]], artifact: Path, tmp_path: Path
) -> None:
    command, folder, first = COMMANDS[name], tmp_path / "out", written[name][0]
    command(artifact, folder, False)
    ours = _texts(folder)
    command(artifact, folder, False)
    assert _texts(folder) == ours, "the same again is no question"
    (folder / "notes.txt").write_text("mine")
    (folder / "deep" / "er").mkdir(parents=True)
    (folder / "deep" / "er" / "link").symlink_to("../../notes.txt")
    (folder / first).write_text("edited")
    before = _texts(folder)
    with pytest.raises(OutputError, match="changed since"):
        command(artifact, folder, False)
    assert _texts(folder) == before
    command(artifact, folder, True)
    assert _texts(folder) == {**ours, "notes.txt": b"mine", "deep/er/link": b"../../notes.txt"}


@pytest.mark.parametrize("name", COMMANDS)
def test_links_to_folders_and_the_current_folder_stay(
    name: str, written: dict[str, list[str]], artifact: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    COMMANDS[name](artifact, tmp_path / "link", False)
    assert (tmp_path / "link").is_symlink()
    assert sorted(_texts(tmp_path / "real")) == written[name]
    monkeypatch.chdir(tmp_path / "real")
    inode = Path().stat().st_ino
    COMMANDS[name](artifact, Path(), False)
    assert Path().stat().st_ino == inode
    assert sorted(path.name for path in tmp_path.iterdir()) == ["link", "real"]


@pytest.mark.parametrize("name", COMMANDS)
def test_a_file_in_the_folders_place_stays(name: str, artifact: Path, tmp_path: Path) -> None:
    (tmp_path / "out").write_text("mine")
    with pytest.raises(OutputError, match="out"):
        COMMANDS[name](artifact, tmp_path / "out", True)
    assert _texts(tmp_path) == {"out": b"mine"}


MOUNTED = """
import sys
from pathlib import Path
sys.path[:0] = sys.argv[1:3]
from test_foreign import COMMANDS
name, artifact, outer = sys.argv[3], Path(sys.argv[4]), Path(sys.argv[5])
for _ in range(2):
    COMMANDS[name](artifact, outer, True)
assert outer.is_mount() and (outer / "inner").is_mount()
assert (outer / "inner" / "mine").read_text() == "mine"
print(*sorted(path.relative_to(outer).as_posix() for path in outer.rglob("*") if path.is_file()), sep="|")
"""


@pytest.mark.skipif(sys.platform != "linux", reason="mount namespaces are Linux's")
@pytest.mark.parametrize("name", ["c-array", "compile"])
def test_a_mount_point_and_one_within_it_stay(name: str, written: dict[str, list[str]], artifact: Path, tmp_path: Path) -> None:
    prepare = "mkdir outer && mount -t tmpfs a outer && mkdir outer/inner && mount -t tmpfs b outer/inner"
    within = ["unshare", "-rm", "sh", "-ec"]
    if subprocess.run([*within, prepare], cwd=tmp_path, capture_output=True, check=False).returncode:
        pytest.skip("this system lets us mount nothing")
    (tmp_path / "outer").rmdir()
    here = Path(__file__).parent
    python = [sys.executable, "-c", MOUNTED, str(here), str(here.parent), name, str(artifact), "outer"]
    script = f'{prepare} && printf mine > outer/inner/mine && exec "$@"'
    done = subprocess.run(
        [*within, script, "sh", *python], cwd=tmp_path, capture_output=True, text=True, timeout=200, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1].split("|") == sorted([*written[name], MANIFEST, "inner/mine"])


def test_a_picture_or_page_replaces_one_of_ours_and_nothing_else(samples: Path, tmp_path: Path) -> None:
    model, photo, run = tmp_path / "model.tflite", tmp_path / "seven.png", tmp_path / "run"
    run.mkdir()
    (run / "results.json").write_bytes((samples / "results.json").read_bytes())
    model.write_bytes((samples / "model_int8.tflite").read_bytes())
    Image.linear_gradient("L").save(photo)
    (tmp_path / "page.html").write_text("<html>mine</html>")
    (tmp_path / "seen-2.png").write_bytes(photo.read_bytes())
    before = _texts(tmp_path)

    def predict(show: str, pictures: int) -> None:
        options = {"samples": [], "every": False, "dataset": None, "data_dir": None, "input_range": "0..1"}
        predict_pictures([photo] * pictures, model_path=model, show=tmp_path / show, **options)  # pyright: ignore[reportArgumentType]

    for refused in (
        lambda: predict("seven.png", 1),
        lambda: predict("model.tflite", 1),
        lambda: predict("seen.png", 2),
        lambda: inspect_file(model, graph=model, runtimes=False),
        lambda: inspect_file(model, graph=photo, runtimes=False),
        lambda: write_reports([run], tmp_path / "page.html"),
        lambda: write_reports([run, run], photo),
    ):
        with pytest.raises(OutputError, match=r"is not glyphlite's|did not write"):
            refused()
        assert _texts(tmp_path) == before
    for _ in range(2):
        predict("seen.png", 1)
        inspect_file(model, graph=tmp_path / "graph.svg", runtimes=False)
        write_reports([run, run], tmp_path / "comparison.html")
    assert sorted(set(_texts(tmp_path)) - set(before)) == ["comparison.html", "graph.svg", "seen.png"]
