"""Real mount points, in a mount namespace of the test's own: a folder, a folder below, a single file."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

_ALLOWED = shutil.which("unshare") and not subprocess.run(["unshare", "-rm", "true"], capture_output=True, check=False).returncode
pytestmark = pytest.mark.skipif(not _ALLOWED, reason="needs unshare, and the right to mount in a namespace")

_WRITES = """
import sys
from pathlib import Path
from glyphlite.errors import OutputError
from glyphlite.files.folders import owned_folder
from glyphlite.files.manifest import MANIFEST
from glyphlite.files.owned import locked_folder, write_owned

root = Path(sys.argv[1])

def fill(text):
    with owned_folder(root / "out") as folder:
        (folder / "a").write_text(text)
        (folder / "sub").mkdir()
        (folder / "sub" / "b").write_text(text)

def write(text):
    with locked_folder(root / "out"):
        for name in ("a", "sub/b"):
            write_owned(root / "out" / name, text)

for text in ("first", "second"):
    (fill if sys.argv[2] == "folder" else write)(text)
    print(text, *(path.read_text() for path in (root / "out" / "a", root / "out" / "sub" / "b")))
print(*sorted(path.name for path in (root / "out").rglob("*") if path.name != MANIFEST))
"""


def _run(root: Path, mounts: str, script: str, *words: str) -> list[str]:
    command = ["unshare", "-rm", "sh", "-ec", f'{mounts}\nexec "$@"', "sh", sys.executable, "-c", script, str(root), *words]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout.splitlines()


@pytest.mark.parametrize("how", ["folder", "files"])
@pytest.mark.parametrize(
    "mounts",
    ["mount -t tmpfs none '{0}/out'", "mount --bind '{0}/their own' '{0}/out'", "mount --bind '{0}/their own' '{0}/out/sub'"],
)
def test_a_mount_point_is_written_in_place(tmp_path: Path, mounts: str, how: str) -> None:
    tmp_path /= "a folder"
    for name in ("out/sub", "their own"):
        (tmp_path / name).mkdir(parents=True)
    lines = _run(tmp_path, mounts.format(tmp_path), _WRITES, how)
    assert lines == ["first first first", "second second second", "a b sub"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out", "their own"]


def test_a_file_that_is_a_mount_point_is_left_and_named(tmp_path: Path) -> None:
    """As ``docker -v results.json:/run/results.json`` makes it: it can be written, but not replaced."""
    (tmp_path / "theirs").write_text("theirs")
    script = """
import sys
from pathlib import Path
from glyphlite.errors import OutputError
from glyphlite.files.single import write_text
place = Path(sys.argv[1]) / "a"
try:
    write_text(place, "ours")
except OutputError as error:
    print(error)
print(place.read_text(), *sorted(path.name for path in place.parent.iterdir()))
"""
    (tmp_path / "a").write_text("")
    lines = _run(tmp_path, f"mount --bind {tmp_path}/theirs {tmp_path}/a", script)
    assert lines == [f"cannot write {tmp_path}/a: Device or resource busy", "theirs a theirs"]
