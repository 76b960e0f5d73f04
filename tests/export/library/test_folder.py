"""The library for six toolchains: built with CMake in both ways, the sketch compiled, the same folder for all."""

import shutil
import subprocess
from pathlib import Path

import pytest
from support.exported import library_of, run, with_a_wrong_byte
from support.streaming import running_sum

from glyphlite.errors import OutputError
from glyphlite.export.library.folder import TOOLCHAINS
from glyphlite.pipeline.export import export_file

WARNINGS = ("-Wall", "-Wextra", "-Wconversion", "-Werror")
needs_cmake = pytest.mark.skipif(shutil.which("cmake") is None, reason="no cmake here")

ARDUINO_H = """#pragma once
#include <cstdio>
inline unsigned long micros() { return 0; }
struct {
    void begin(long) {}
    void print(const char *text) { std::printf("%s", text); }
    void print(long value) { std::printf("%ld", value); }
    void println(const char *text) { std::printf("%s\\n", text); }
    void write(unsigned char byte) { std::putchar(byte); }
    int available() { return !std::feof(stdin); }
    int read() { return std::getchar(); }
} Serial;
"""


def build(source: Path, folder: Path, *options: str) -> str:
    run("cmake", "-S", source, "-B", folder, *options)
    run("cmake", "--build", folder)
    return run(folder / "digits_example")


@needs_cmake
@pytest.mark.slow
def test_cmake_takes_it_by_add_subdirectory_and_by_find_package(library: Path, tmp_path: Path) -> None:
    example = library / "examples" / "cmake"
    assert build(example, tmp_path / "inside") == "digits: 0 bytes differ from TensorFlow Lite Micro's\n"
    run("cmake", "-S", library, "-B", tmp_path / "build", f"-DCMAKE_INSTALL_PREFIX={tmp_path / 'installed'}")
    run("cmake", "--build", tmp_path / "build", "--target", "install")
    moved = shutil.copytree(example, tmp_path / "elsewhere" / "a" / "b")  # where ../.. is no library
    assert "0 bytes differ" in build(moved, tmp_path / "outside", f"-DCMAKE_PREFIX_PATH={tmp_path / 'installed'}")


def test_the_check_finds_a_wrong_byte(library: Path, tmp_path: Path) -> None:
    source = shutil.copytree(library / "src", tmp_path / "src")
    with_a_wrong_byte(source)
    main = library / "examples" / "cmake" / "main.c"
    run("gcc", "-std=c99", *WARNINGS, "-I", source, main, source / "digits.c", source / "digits_check.c", "-o", tmp_path / "run")
    done = subprocess.run([tmp_path / "run"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "digits: 1 bytes differ from TensorFlow Lite Micro's\n")


def test_the_sketch_compiles_as_the_arduino_ide_does_and_its_check_is_right(library: Path, tmp_path: Path) -> None:
    """The IDE puts Arduino.h before a sketch, compiles it as C++ and the library's C as C."""
    (tmp_path / "Arduino.h").write_text(ARDUINO_H)
    sketch = (library / "examples" / "digits_serial" / "digits_serial.ino").read_text()
    (tmp_path / "sketch.cpp").write_text(f'#include "Arduino.h"\n{sketch}\nint main() {{ setup(); loop(); }}\n')
    objects = []
    for name in ("digits", "digits_check"):
        objects.append(tmp_path / f"{name}.o")
        run("gcc", "-std=c99", *WARNINGS, "-c", library / "src" / f"{name}.c", "-o", objects[-1])
    flags = ("-std=c++11", "-Wall", "-Wextra", "-Werror", "-I", tmp_path, "-I", library / "src")
    run("g++", *flags, tmp_path / "sketch.cpp", *objects, "-o", tmp_path / "sketch")
    assert run(tmp_path / "sketch").startswith("digits: 0 bytes differ from TensorFlow Lite Micro's, ")


def test_the_sketch_of_the_serial_protocol_greets(library: Path, tmp_path: Path) -> None:
    """Built as the sketch above; its answer to a greeting names the model by its hash."""
    from glyphlite.runtimes.device.frames import Frame, FrameReader, encoded

    (tmp_path / "Arduino.h").write_text("#include <cstdint>\n" + ARDUINO_H)
    sketch = (library / "examples" / "digits_link" / "digits_link.ino").read_text()
    (tmp_path / "sketch.cpp").write_text(f'#include "Arduino.h"\n{sketch}\nint main() {{ setup(); loop(); }}\n')
    objects = []
    for name in ("digits", "digits_link"):
        objects.append(tmp_path / f"{name}.o")
        run("gcc", "-std=c99", *WARNINGS, "-c", library / "src" / f"{name}.c", "-o", objects[-1])
    flags = ("-std=c++11", "-Wall", "-Wextra", "-Werror", "-I", tmp_path, "-I", library / "src")
    run("g++", *flags, tmp_path / "sketch.cpp", *objects, "-o", tmp_path / "sketch")
    done = subprocess.run([tmp_path / "sketch"], input=encoded(Frame("H")), capture_output=True, check=False, timeout=60)
    (greeting, *_) = FrameReader().take(done.stdout)
    assert greeting.type == "h"
    assert len(greeting.data) == 50


def test_a_model_with_state_is_reset_and_checked(tmp_path: Path) -> None:
    model = tmp_path / "stream.tflite"
    model.write_bytes(running_sum())
    library_of(model, tmp_path / "lib", "sums")
    source = tmp_path / "lib" / "src"
    assert "sums_reset(&state);" in (source / "sums_check.c").read_text()
    main = tmp_path / "lib" / "examples" / "cmake" / "main.c"
    run("gcc", "-std=c99", *WARNINGS, "-I", source, main, source / "sums.c", source / "sums_check.c", "-o", tmp_path / "run")
    assert run(tmp_path / "run").startswith("sums: 0 bytes differ")
    for name in ("sums", "sums_check"):
        run("gcc", "-std=c99", *WARNINGS, "-I", source, "-c", source / f"{name}.c", "-o", tmp_path / f"{name}.o")
    objects = [tmp_path / "sums.o", tmp_path / "sums_check.o"]
    run("g++", *WARNINGS, "-I", source, tmp_path / "lib/examples/cpp/main.cpp", *objects, "-o", tmp_path / "object")
    assert run(tmp_path / "object").endswith("sums: 0 bytes differ from TensorFlow Lite Micro's\n")


@needs_cmake
@pytest.mark.slow
def test_from_cpp_a_model_is_an_object(library: Path, tmp_path: Path) -> None:
    folder = tmp_path / "build"
    run("cmake", "-S", library / "examples" / "cpp", "-B", folder, "-DCMAKE_CXX_FLAGS=-Wall -Wextra -Wconversion -Werror")
    run("cmake", "--build", folder)
    first, check = run(folder / "digits_object").splitlines()
    assert first.startswith("first output: ")
    assert check == "digits: 0 bytes differ from TensorFlow Lite Micro's"


def test_every_toolchain_gets_the_same_folder(samples: Path, tmp_path: Path) -> None:
    common = {"name": "net", "language": "cc", "dataset": None, "sample": 0, "data_dir": None, "inputs": "random:3"}
    folders = [tmp_path / toolchain for toolchain in TOOLCHAINS[:2]]
    for toolchain, folder in zip(TOOLCHAINS, folders, strict=False):
        exported = export_file(samples / "model_int8.tflite", toolchain, folder, **common)
        assert exported.document["toolchains"] == list(TOOLCHAINS)
    first, second = (
        {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()} for folder in folders
    )
    assert first == second


def test_a_folder_of_the_users_own_files_is_not_written_into(samples: Path, tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("mine")
    with pytest.raises(OutputError, match=r"README\.md"):
        library_of(samples / "model_int8.tflite", tmp_path)
    assert (tmp_path / "README.md").read_text() == "mine"


def test_a_name_that_arduino_keeps_for_itself_is_changed_in_its_manifest(samples: Path, tmp_path: Path) -> None:
    library_of(samples / "model_int8.tflite", tmp_path / "lib", "arduino_digits")
    assert (tmp_path / "lib" / "library.properties").read_text().startswith("name=glyphlite_arduino_digits\n")
    assert (tmp_path / "lib" / "src" / "arduino_digits.c").is_file()


def test_the_input_range_that_the_user_names_is_the_pictures_of_the_c(samples: Path, tmp_path: Path) -> None:
    common = {"name": "net", "language": "cc", "dataset": None, "sample": 0, "data_dir": None, "inputs": "random:3"}
    export_file(samples / "model_int8.tflite", "cmake", tmp_path / "lib", **common, input_range="-1..1")
    header = (tmp_path / "lib" / "src" / "net.h").read_text()
    export_file(samples / "model_int8.tflite", "cmake", tmp_path / "plain", **common)
    assert header != (tmp_path / "plain" / "src" / "net.h").read_text()
    assert "-1" in header[: header.index("#ifndef")]
