"""Lets the site (``make docs``) contain pages that lie outside docs/: README, the changelog, CONTRIBUTING and experiments/.

A hook of MkDocs. Links between pages are relative to the repository, so that they work on GitHub and in a checkout; here they
become links of the site. A link to a file that is no page, such as a source, becomes its name.
"""

import posixpath
import re
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files  # pyright: ignore[reportMissingImports]

ROOT = Path(__file__).resolve().parents[1]
LINK = re.compile(r"(?<!!)\[(?P<words>(?:[^\[\]]|\[[^\]]*\])*)\]\((?P<target>[^)\s]+)\)")
PICTURE = re.compile(r"(?P<before>(?:src|srcset)=\"|!\[[^\]]*\]\()(?P<target>[^)\"\s]+)")


def site_path(path: str) -> str | None:
    """Returns where a file of the repository lies on the site, None for one that is no page or picture of it."""
    if path.startswith("docs/"):
        return path.removeprefix("docs/")
    if path == "README.md":
        return "readme.md"
    if path == "experiments/README.md":
        return "experiments/index.md"
    return path.lower() if path.endswith(".md") and (ROOT / path).is_file() else None


def on_files(files: Files, config: Any) -> Files:
    """Adds the pages outside docs/."""
    for page in sorted([*ROOT.glob("*.md"), *ROOT.glob("experiments/*.md")]):
        path = page.relative_to(ROOT).as_posix()
        files.append(File.generated(config, str(site_path(path)), content=for_site(page.read_text(), path)))
    return files


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Turns the links of a page of docs/ into the site's."""
    generated = page.file.generated_by is not None
    return markdown if generated else for_site(markdown, f"docs/{page.file.src_uri}")


def for_site(markdown: str, path: str) -> str:
    """Returns a page of the repository with links that lead to the same pages on the site."""

    def linked(match: re.Match[str]) -> str:
        target = _target(match["target"], path)
        return match["words"] if target is None else f"[{match['words']}]({target})"

    def pictured(match: re.Match[str]) -> str:
        return match["before"] + (_target(match["target"], path) or match["target"])

    return PICTURE.sub(pictured, LINK.sub(linked, markdown))


def _target(target: str, path: str) -> str | None:
    """Returns a link's target on the site, None where the site has no such page; what is no relative link stays."""
    if re.match(r"[a-z]+:|#", target):
        return target
    file, _, anchor = target.partition("#")
    found = site_path(posixpath.normpath(posixpath.join(posixpath.dirname(path), file)))
    here = posixpath.dirname(site_path(path) or "")
    return None if found is None else posixpath.relpath(found, here or ".") + (f"#{anchor}" if anchor else "")
