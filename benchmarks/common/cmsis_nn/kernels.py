"""The sources of CMSIS-NN: from the ``bakenn`` wheel, which holds version 4.0.0, or a checkout of ARM-software/CMSIS-NN."""

import hashlib
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path

from common.artifacts import cache_folder

WHEEL, VERSION = "bakenn", "1.0.0"
_HERE = Path(__file__).parent
_KINDS = ("_s8", "_q7", "_q15", "tables", "_s16_s8")
"""Parts of the names of files that int8 models need; the others would only take time to build."""


@dataclass(frozen=True)
class Kernels:
    """A version of CMSIS-NN.

    Attributes:
        name: for results and tables.
        include: folders with its headers.
        files: its C files, and plain C for what it lacks.
        plain: the ops that run in that plain C.
        per_channel_dense: it has a dense kernel for weights quantized per channel.
        sha256: of all its files and of the harness around them, to tell whether a figure still holds.
    """

    name: str
    include: tuple[Path, ...]
    files: tuple[Path, ...]
    plain: tuple[str, ...]
    per_channel_dense: bool
    sha256: str


def of_wheel() -> Kernels:
    """Returns CMSIS-NN 4.0.0 as the wheel holds it, fetched with pip on the first call; it has no ADD, MEAN and SOFTMAX."""
    folder = cache_folder(f"cmsis-nn-of-{WHEEL}-{VERSION}")
    root = folder / "bakenn" / "backend" / "cmsis_nn" / "vendor"
    if not root.exists():
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", f"{WHEEL}=={VERSION}", "--dest", str(folder)]
        subprocess.run(command, check=True)
        with zipfile.ZipFile(next(folder.glob("*.whl"))) as wheel:
            wheel.extractall(folder, [name for name in wheel.namelist() if "/cmsis_nn/" in name])
    files = [path for path in sorted((root / "cmsis_nn" / "Source").rglob("*.c")) if not path.name.startswith("bakenn")]
    return Kernels(
        name=f"CMSIS-NN 4.0.0 of {WHEEL} {VERSION}",
        include=(root / "cmsis_nn" / "Include", root / "cmsis_core" / "Include"),
        files=(*files, _HERE / "plain_add_softmax.c", _HERE / "plain_mean.c"),
        plain=("ADD", "MEAN", "SOFTMAX"),
        per_channel_dense=False,
        sha256=_digest(files),
    )


def checkout(root: Path) -> Kernels:
    """Returns the kernels of a checkout of https://github.com/ARM-software/CMSIS-NN; it has no MEAN.

    Raises:
        SystemExit: the folder holds no such checkout.
    """
    files = [path for path in sorted((root / "Source").rglob("*.c")) if any(kind in path.stem for kind in _KINDS)]
    if not (root / "Source" / "BasicMathFunctions" / "arm_elementwise_add_s8.c").is_file():
        raise SystemExit(f"{root} is no checkout of ARM-software/CMSIS-NN: it has no arm_elementwise_add_s8.c")
    names = {path.name for path in files}
    return Kernels(
        name=f"CMSIS-NN, {_revision(root)}",
        include=(root / "Include",),
        files=(*files, _HERE / "plain_mean.c"),
        plain=("MEAN",),
        per_channel_dense="arm_fully_connected_per_channel_s8.c" in names,
        sha256=_digest(files),
    )


def _revision(root: Path) -> str:
    """Returns the commit that is checked out, or the newest date that a header tells where there is no git."""
    if (root / ".git").exists():
        command = ["git", "-C", str(root), "log", "-1", "--format=commit %h of %cs"]
        return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.strip()
    header = (root / "Include" / "arm_nnfunctions.h").read_text()
    date = next(line.split("$Date:")[1].strip() for line in header.splitlines() if "$Date:" in line)
    return f"headers of {date}"


def _digest(files: list[Path]) -> str:
    digest = hashlib.sha256()
    for path in (*files, *sorted(_HERE.glob("*.py")), *sorted(_HERE.glob("*.c"))):
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def fingerprint(kernels: Kernels, *parts: object) -> str:
    """Returns what a figure of CMSIS-NN depends on, as one digest: it is only measured again where this differs."""
    return hashlib.sha256(repr((kernels.name, kernels.sha256, *parts)).encode()).hexdigest()[:16]
