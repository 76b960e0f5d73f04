"""What builds the parts of an Android app here: a JDK, Kotlin's compiler out of its npm package, and Debian's aapt."""

import base64
import hashlib
import os
import re
import shutil
import subprocess
import tarfile
import tempfile
from pathlib import Path

import pytest

from glyphlite.emulation.system_tools import unpacked_packages
from glyphlite.files.single import user_cache
from support.debian import NoPackagesError, debian_tool, unpack

STUBS = Path(__file__).parent / "android_stubs"
"""Signatures of Android 36 and of LiteRT, no code, and a program that runs what needs no Android."""

KOTLIN = "2.4.20"
KOTLIN_INTEGRITY = "sha512-IF5IVM7LpPhA/ntHQQpaVt1yxpaaQovtEVYLyqWMuaLr0XelLPPm7/sM6HLhtcRjjjoSsK7I7lP2kzYJkMy73w=="
"""As npm writes it: of the tarball."""
LANGUAGE = "2.2"
"""The version of Kotlin that the Android Gradle plugin brings along."""
_JARS = ("compiler", "stdlib", "script-runtime", "reflect")
_OTHERS = ("annotations-13.0", "kotlinx-coroutines-core-jvm")


def jdk() -> Path:
    """Returns the home of a JDK; skips without one."""
    if found := shutil.which("javac"):
        return Path(found).resolve().parents[1]
    cache = unpacked_packages() / "openjdk-17-jdk-headless"
    try:
        unpack(["openjdk-17-jdk-headless"], cache, "usr/lib/jvm/java-17-openjdk-amd64/bin/javac")
    except NoPackagesError as error:
        pytest.skip(str(error))
    return cache / "usr/lib/jvm/java-17-openjdk-amd64"


def kotlin() -> Path:
    """Returns the folder of Kotlin's jars, fetched once through npm; skips where that is not possible."""
    folder = user_cache() / f"kotlin-{KOTLIN}"
    if folder.is_dir():
        return folder
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("no npm here to fetch Kotlin's compiler with")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".kotlin-") as name:
        at = Path(name)
        done = subprocess.run([npm, "pack", f"kotlin-compiler@{KOTLIN}"], cwd=at, capture_output=True, timeout=400, check=False)
        tarball = at / f"kotlin-compiler-{KOTLIN}.tgz"
        if done.returncode or not tarball.exists():
            pytest.skip(f"npm cannot fetch Kotlin's compiler: {done.stderr.decode()[-200:]}")
        assert "sha512-" + base64.b64encode(hashlib.sha512(tarball.read_bytes()).digest()).decode() == KOTLIN_INTEGRITY
        (at / "jars").mkdir()
        wanted = {f"package/lib/{each}.jar" for each in (*(f"kotlin-{jar}" for jar in _JARS), *_OTHERS)}
        with tarfile.open(tarball) as archive:
            for member in archive:
                content = archive.extractfile(member) if member.name in wanted else None
                if content is not None:
                    (at / "jars" / Path(member.name).name).write_bytes(content.read())
        if not folder.exists():
            (at / "jars").replace(folder)
    return folder


def compile_kotlin(sources: list[Path], out: Path) -> None:
    """Compiles Kotlin and the Java that it refers to into a jar; a warning is an error.

    Raises:
        AssertionError: the compiler's words.
    """
    jars = kotlin()
    # One short run of a large program: compiling it well, or collecting on several threads, costs more than it brings.
    quick = ["-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"]
    command = [jdk() / "bin" / "java", "-Xmx1g", *quick, "-cp", jars / "kotlin-compiler.jar"]
    command += ["org.jetbrains.kotlin.cli.jvm.K2JVMCompiler", "-Werror", "-no-reflect", "-kotlin-home", jars.parent]
    command += ["-no-stdlib", "-cp", jars / "kotlin-stdlib.jar", "-jvm-target", "17"]
    command += ["-language-version", LANGUAGE, "-api-version", LANGUAGE, "-d", out, *sources]
    done = subprocess.run([str(each) for each in command], capture_output=True, text=True, timeout=500, check=False)
    assert done.returncode == 0, done.stderr[-3000:]


def aapt(project: Path, out: Path) -> str:
    """Compiles an app's resources and manifest as Android's own tool does; returns what it says of the package.

    Args:
        project: of the export.
        out: an empty folder, which gets ``R.java``.
    """
    try:
        tool = debian_tool("aapt", "aapt", "android-framework-res")
        framework = tool.root / "usr/share/android-framework-res/framework-res.apk"
        if not framework.exists():
            pytest.skip("aapt is installed without android-framework-res")
    except NoPackagesError as error:
        pytest.skip(str(error))
    main = project / "app/src/main"
    [namespace] = re.findall(r'namespace = "([\w.]+)"', (project / "app/build.gradle.kts").read_text())
    manifest = (main / "AndroidManifest.xml").read_text(encoding="utf-8")
    (out / "AndroidManifest.xml").write_text(manifest.replace("<manifest", f'<manifest package="{namespace}"'), encoding="utf-8")
    libraries = [tool.root / "usr/lib/p7zip", *sorted(tool.root.glob("usr/lib/*-linux-gnu/android"))]
    paths = os.pathsep.join([*map(str, libraries), tool.environment.get("LD_LIBRARY_PATH", "")])
    environment = {**os.environ, "LD_LIBRARY_PATH": paths}
    command: list[str | Path] = [tool.program, "package", "-f", "-m", "-M", out / "AndroidManifest.xml", "-S", main / "res"]
    command += ["-A", main / "assets", "-I", framework, "-J", out, "-F", out / "app.apk"]
    command += ["--min-sdk-version", "24", "--target-sdk-version", "29"]  # the framework's own
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    badging: list[str | Path] = [tool.program, "dump", "badging", out / "app.apk"]
    return subprocess.run(badging, env=environment, capture_output=True, text=True, timeout=60, check=True).stdout
