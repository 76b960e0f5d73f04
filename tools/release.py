"""Build the packages of a release into dist/ and check them: `make release`. Publishes nothing.

    python tools/release.py

What lies in dist/ afterwards: the source distribution, the wheel, a list of what an installation of the wheel contains
(CycloneDX), and the SHA-256 of the three.
"""

import hashlib
import shutil
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

from fresh import ROOT, build, check_light, environment_with

DIST = ROOT / "dist"


def main() -> int:
    """Build, check, list; 1 where a check fails."""
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    told = [check_versions(version), check_changelog(version)]
    shutil.rmtree(DIST, ignore_errors=True)
    packages = build(DIST, commit_time())
    subprocess.run([sys.executable, "-m", "twine", "check", "--strict", *map(str, packages)], check=True)
    wheel = next(path for path in packages if path.suffix == ".whl")
    with tempfile.TemporaryDirectory() as name:
        programs = environment_with(wheel, Path(name) / "environment")
        (Path(name) / "work").mkdir()
        told += check_light(programs, Path(name) / "work")
        parts = DIST / f"glyphlite-{version}.cdx.json"
        bill = [sys.executable, "-m", "cyclonedx_py", "environment", "--output-reproducible", "--output-file", str(parts)]
        subprocess.run([*bill, str(programs / "python")], check=True)
    sums = "".join(f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in [*packages, parts])
    (DIST / "SHA256SUMS").write_text(sums)
    sys.stdout.write(sums)
    faults = [line for line in told if line]
    sys.stderr.writelines(f"{line}\n" for line in faults)
    return 1 if faults else 0


def commit_time() -> int:
    """Returns when the present commit was made, in seconds since 1970; 1 January 1980 outside a git working tree."""
    command = ["git", "log", "-1", "--format=%ct"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    return int(done.stdout) if done.returncode == 0 and done.stdout.strip() else 315532800


def check_versions(version: str) -> str:
    """Returns what is wrong where CITATION.cff names another version than pyproject.toml; else nothing."""
    cited = (ROOT / "CITATION.cff").read_text()
    return "" if f"\nversion: {version}\n" in cited else f"CITATION.cff: expected the line version: {version}"


def check_changelog(version: str) -> str:
    """Returns what is wrong where CHANGELOG.md says nothing of a version; else nothing."""
    return "" if f"\n## {version}" in (ROOT / "CHANGELOG.md").read_text() else f"CHANGELOG.md: expected a section ## {version}"


if __name__ == "__main__":
    sys.exit(main())
