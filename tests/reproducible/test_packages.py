"""What the repository's tools make has the same bytes in another folder: wheel, source distribution, page scripts, notebooks."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import page
import pytest

ROOT = Path(__file__).parents[2]
CIRCUMSTANCES = (
    {"PYTHONHASHSEED": "1", "TZ": "Pacific/Kiritimati", "LC_ALL": "C.UTF-8", "USER": "alice"},
    {"PYTHONHASHSEED": "2", "TZ": "America/Los_Angeles", "LC_ALL": "POSIX", "USER": "bob"},
)


def _run(command: list[str], folder: Path, number: int, **more: str) -> None:
    """Run a command in one of two circumstances, umasks among them, with more variables of the environment."""
    environment = {**os.environ, **CIRCUMSTANCES[number], "SOURCE_DATE_EPOCH": "1700000000", **more}
    done = subprocess.run(
        command,
        cwd=folder,
        env=environment,
        umask=(0o022, 0o077)[number],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]


def _sources() -> list[str]:
    """Lists the files of the working tree that git does not ignore."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip("this is no git working tree, so which files are sources is not known")
    return [name for name in done.stdout.splitlines() if (ROOT / name).is_file()]


def _copied(names: list[str], folder: Path, umask: int) -> Path:
    """Copy the sources as another user has them: with other modes, in another order, at another time."""
    previous = os.umask(umask)
    try:
        for name in sorted(names, reverse=umask != 0o022):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, folder / name)
    finally:
        os.umask(previous)
    return folder


@pytest.mark.slow
def test_wheel_and_source_distribution(tmp_path: Path) -> None:
    names, built = _sources(), []
    for number, place in enumerate(("one", "another/folder")):
        folder = _copied(names, tmp_path / place, (0o022, 0o077)[number])
        _run([sys.executable, "-m", "hatchling", "build", "-d", str(folder / "dist")], folder, number)
        built.append({path.name: path.read_bytes() for path in (folder / "dist").iterdir()})
    assert {name.rpartition(".")[2] for name in built[0]} == {"whl", "gz"}
    assert built[0] == built[1]


@pytest.mark.slow
def test_page_scripts_are_those_that_are_committed(tmp_path: Path) -> None:
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("no npm, which make page needs")
    esbuild = [npm, "exec", "--yes", f"--package={page.ESBUILD}", "--", "esbuild", "--version"]
    if subprocess.run(esbuild, capture_output=True, timeout=300, check=False).returncode:
        pytest.skip(f"npm cannot get {page.ESBUILD}")
    _run([sys.executable, str(ROOT / "tools" / "page.py"), str(tmp_path / "page")], tmp_path, 1)
    committed = ROOT / "src" / "glyphlite" / "export" / "templates" / "page"
    made, kept = (
        {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
        for folder in (tmp_path / "page", committed)
    )
    assert set(made) == set(kept)
    assert [name for name, content in made.items() if content != kept[name]] == []


CODE = """
import matplotlib.pyplot as plt
from pathlib import Path
class Unnamed: pass
print(Path.home() / "models", Unnamed())
plt.plot([1, 2, 3])
"""


@pytest.mark.slow
def test_notebooks_that_measure_no_time(tmp_path: Path) -> None:
    stored = []
    for number in range(2):
        home = tmp_path / str(number) / "home"
        home.mkdir(parents=True)
        cells = [nbformat.v4.new_code_cell(line, id=f"cell-{index}") for index, line in enumerate(("%matplotlib inline", CODE))]
        path = home / "small.ipynb"
        nbformat.write(nbformat.v4.new_notebook(cells=cells), path)
        _run([sys.executable, str(ROOT / "notebooks" / "refresh.py"), str(path)], home, number, HOME=str(home))
        stored.append(path.read_text())
    assert "image/png" in stored[0]
    assert "<__main__.Unnamed object>" in stored[0]
    assert stored[0] == stored[1]
