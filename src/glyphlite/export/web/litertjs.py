"""LiteRT.js, the page's second engine: the files of it that a browser needs, from the user's cache or, once, through npm.

It is Google's, of 9 MB, and never part of this repository. npm is asked because it knows the machine's settings of where packages
come from; what it brings is one tarball, taken only when its SHA-512 is the one below. Knows nothing of pages or models.
"""

import base64
import hashlib
import io
import re
import shutil
import subprocess
import tarfile
from dataclasses import dataclass
from importlib.resources import files as resources
from pathlib import Path

from glyphlite.console import progress_bar, say
from glyphlite.errors import OutputError, ToolError
from glyphlite.files.scratch import temporary_folder
from glyphlite.files.single import user_cache, write_bytes

PACKAGE = "@litertjs/core"
VERSION = "2.5.3"
TARBALL = f"litertjs-core-{VERSION}.tgz"
INTEGRITY = "sha512-PlGmbMOq9WitX7FO0jhbdJw9GthatsyuCQXjTt/wJZo0FLaw48q4tz8IwqgqCIkviYGr9OFDL1kCnN4nzWoyJQ=="
"""As npm writes it: of the tarball."""
TARBALL_MEBIBYTES = 11
NPM_SECONDS = 300

CORE, SCRIPT, WASM, LICENSE = "litert-core.js", "litert-wasm.js", "litert.wasm", "litert-license.txt"
MEMBERS = {
    CORE: "package/dist/index.js",
    SCRIPT: "package/wasm/litert_wasm_compat_internal.js",
    WASM: "package/wasm/litert_wasm_compat_internal.wasm",
}
"""Of the four builds the one that every browser with SIMD runs, on one thread and so without special headers. Relaxed SIMD is not
everywhere, differs from processor to processor, and brings nothing at this size."""

CHANGES = (
    # A bare name is nothing that a browser resolves; the package behind it, 30 lines, is replaced by the page's own loader.
    (r'import \{ createWasmLib \} from "@litertjs/wasm-utils";', 'import { createWasmLib } from "./litert-loader.js";'),
    # Nothing runs on a GPU here: none is asked for.
    (r"await Environment\.create\(\)", "await Environment.create({ webGpuDevice: null })"),
    (r"//# sourceMappingURL=\S+\s*", ""),
)
"""What differs in the page's copy of its JavaScript: pattern and replacement, each found once."""
_NOTICE = (
    f"/* {PACKAGE} {VERSION}, Apache License 2.0 (see {LICENSE}); changed by glyphlite: its loader, no GPU, no source map. */\n"
)


@dataclass(frozen=True)
class LiteRtJs:
    """LiteRT.js as a page serves it.

    Attributes:
        files: content by file name, the licence among them.
        source: words for where it was found.
    """

    files: dict[str, bytes]
    source: str

    @property
    def bytes(self) -> int:
        """Returns what a browser fetches of it."""
        return sum(len(content) for name, content in self.files.items() if name != LICENSE)


def obtain_litertjs() -> LiteRtJs:
    """Returns LiteRT.js from the user's cache, else through npm, verified in any case and kept for the next time.

    Raises:
        ToolError: it is not in the cache, and npm is missing, cannot fetch it, or brings something else.
    """
    kept = cached_tarball()
    try:
        tarball = kept.read_bytes()
    except OSError:
        tarball = b""
    if _is_expected(tarball):
        return unpacked(tarball, f"your cache ({kept})")
    if tarball:
        say(f"{kept} is not {PACKAGE} {VERSION}: fetching it anew", style="yellow")
    tarball = fetch_with_npm()
    try:
        write_bytes(kept, tarball)
    except OutputError as error:
        say(str(error), lead="LiteRT.js is not cached for the next time:", style="yellow")
    return unpacked(tarball, f"npm ({PACKAGE}@{VERSION})")


def cached_tarball() -> Path:
    """Returns where the tarball is kept; one put there by hand does as well."""
    return user_cache() / "litertjs" / TARBALL


def fetch_with_npm() -> bytes:
    """Returns the tarball, downloaded by npm with the user's own settings; nothing is installed and no script of it run.

    Raises:
        ToolError: there is no npm, it fails or takes too long, or brings another tarball.
    """
    npm = shutil.which("npm")
    if npm is None:
        raise ToolError(
            "LiteRT.js is fetched with npm, which is not installed: install Node.js, which brings it, or put "
            f"{TARBALL} into {cached_tarball().parent}"
        )
    with (
        temporary_folder() as folder,
        progress_bar(f"LiteRT.js with npm, {PACKAGE}@{VERSION} ({TARBALL_MEBIBYTES} MiB)", None),
    ):
        _run_npm(npm, folder)
        try:
            tarball = (folder / TARBALL).read_bytes()
        except OSError as error:
            raise ToolError(f"LiteRT.js cannot be fetched: npm pack left no {TARBALL} ({error.strerror})") from None
    if not _is_expected(tarball):
        raise ToolError(f"LiteRT.js is refused: npm fetched a {TARBALL} of {_integrity(tarball)}, expected {INTEGRITY}")
    return tarball


def _run_npm(npm: str, folder: Path) -> None:
    """Lets npm put the tarball into a folder."""
    command = [npm, "pack", f"{PACKAGE}@{VERSION}", "--pack-destination=.", "--ignore-scripts", "--loglevel=error"]
    command += ["--fetch-retries=1", "--fetch-retry-mintimeout=1000", "--fetch-timeout=20000"]
    try:
        subprocess.run(
            command, cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=True, timeout=NPM_SECONDS
        )
    except subprocess.TimeoutExpired:
        raise ToolError(f"LiteRT.js cannot be fetched: npm did not finish within {NPM_SECONDS} s") from None
    except OSError as error:
        raise ToolError(f"LiteRT.js cannot be fetched: {npm} does not start ({error.strerror})") from None
    except subprocess.CalledProcessError as error:
        code = re.search(r"^npm (?:error|ERR!) code (\w+)", error.stderr, re.MULTILINE)
        reason = code[1] if code else f"exit code {error.returncode}"
        raise ToolError(f"LiteRT.js cannot be fetched: npm says {reason}; try again with a network") from None


def unpacked(tarball: bytes, source: str) -> LiteRtJs:
    """Returns the page's files out of a tarball that was verified."""
    files: dict[str, bytes] = {}
    with tarfile.open(fileobj=io.BytesIO(tarball), mode="r:gz") as archive:
        for file, member in MEMBERS.items():
            stream = archive.extractfile(member)
            assert stream is not None
            files[file] = stream.read()
    files[CORE] = _changed(files[CORE].decode()).encode()
    files[LICENSE] = (resources("glyphlite.export") / "templates" / "web" / LICENSE).read_bytes()
    return LiteRtJs(files, source)


def _changed(script: str) -> str:
    for pattern, replacement in CHANGES:
        script, count = re.subn(pattern, replacement, script)
        assert count == 1, pattern
    return _NOTICE + script


def _is_expected(tarball: bytes) -> bool:
    return _integrity(tarball) == INTEGRITY


def _integrity(tarball: bytes) -> str:
    return "sha512-" + base64.b64encode(hashlib.sha512(tarball).digest()).decode()
