"""Minify the page's scripts and style sheet into templates/page, as they are served: `make page`.

    python tools/page.py [FOLDER]

Each module stays a module of its own, so that a page's files are those of ``templates/web``. Needs npm, which fetches esbuild.
``sources.json`` remembers the hash of what each file was made from: tests/export/web/test_minified.py fails where a source is
newer.
"""

import hashlib
import json
import shutil
import subprocess
import sys
from pathlib import Path

ESBUILD = "esbuild@0.28.2"
TEMPLATES = Path(__file__).resolve().parents[1] / "src" / "glyphlite" / "export" / "templates"


def main() -> int:
    """Minify every script and the style sheet; 2 where npm is missing or fails."""
    npm = shutil.which("npm")
    if npm is None:
        sys.stderr.write("npm is missing: install Node.js, which brings it\n")
        return 2
    target = Path(sys.argv[1]) if sys.argv[1:] else TEMPLATES / "page"
    web = TEMPLATES / "web"
    sources = sorted([*web.rglob("*.js"), *web.rglob("*.css")])
    names = {path: path.relative_to(web).as_posix() for path in sources}
    command = [npm, "exec", "--yes", f"--package={ESBUILD}", "--", "esbuild", *map(str, sources)]
    options = ["--minify", "--format=esm", "--target=es2022", "--charset=utf8", "--log-level=warning"]
    if code := subprocess.run([*command, *options, f"--outbase={web}", f"--outdir={target}"], check=False).returncode:
        return code
    for left in {path for path in target.rglob("*.*") if path.relative_to(target).as_posix() not in names.values()}:
        left.unlink()
    hashes = {names[path]: hashlib.sha256(path.read_bytes()).hexdigest() for path in sources}
    (target / "sources.json").write_text(json.dumps({"esbuild": ESBUILD, "sha256": hashes}, indent=1) + "\n")
    before, after = (sum((folder / name).stat().st_size for name in names.values()) for folder in (web, target))
    sys.stdout.write(f"{len(sources)} files, {before:,} bytes minified to {after:,}: {target}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
