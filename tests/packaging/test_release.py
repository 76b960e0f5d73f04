"""What a release claims is so: versions agree, each Python of the classifiers is run, extras and fragments are of known kinds."""

import re
import tomllib
from pathlib import Path

import pytest
import release

from glyphlite.extras import APART, PACKAGES

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
VERSION = PROJECT["project"]["version"]


def test_every_place_names_this_version() -> None:
    assert release.check_versions(VERSION) == ""
    assert release.check_changelog(VERSION) == ""


@pytest.mark.parametrize("check", [release.check_versions, release.check_changelog])
def test_another_version_is_a_fault(check) -> None:
    assert "9.9.9" in check("9.9.9")


def test_the_workflow_runs_each_python_that_is_claimed() -> None:
    claimed = re.findall(r"Python :: (3\.\d+)", " ".join(PROJECT["project"]["classifiers"]))
    run = re.findall(r"python: \[(.*)\]", (ROOT / ".github" / "workflows" / "checks.yml").read_text())
    assert claimed
    assert [re.findall(r"3\.\d+", each) for each in run] == [claimed, claimed]


def test_each_target_that_a_workflow_runs_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    used = set(re.findall(r"run: make ([a-z-]+)", (ROOT / ".github" / "workflows" / "checks.yml").read_text()))
    assert {"lint", "test", "release"} <= used <= targets


def test_extras_are_those_that_commands_ask_for() -> None:
    extras = PROJECT["project"]["optional-dependencies"]
    assert set(PACKAGES) < set(extras)
    assert not any(re.match(r"tensorflow|keras", each) for each in PROJECT["project"]["dependencies"])
    assert extras["all"] == [f"glyphlite[{','.join(name for name in PACKAGES if name not in APART)}]"]


def test_fragments_of_the_changelog_are_of_known_kinds() -> None:
    kinds = {each["directory"] for each in PROJECT["tool"]["towncrier"]["type"]}
    told = (ROOT / "changelog.d" / "README.md").read_text()
    assert all(f"`{kind}`" in told for kind in kinds)
    for path in set((ROOT / "changelog.d").iterdir()) - {ROOT / "changelog.d" / "README.md"}:
        assert re.fullmatch(rf"(\d+|\+[\w-]+)\.({'|'.join(kinds)})(\.\d+)?\.md", path.name), path.name
