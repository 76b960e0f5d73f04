"""The component that TensorFlow Lite Micro runs: C++ without a warning, valid manifests, refused where there is no library."""

import subprocess
from pathlib import Path

import pytest
from support.exported import run
from support.validators import NoValidatorsError, validators
from typer.testing import CliRunner

from glyphlite.cli import app
from glyphlite.errors import ToolError
from glyphlite.pipeline.export import export_file

WARNINGS = ("-Wall", "-Wextra", "-Wconversion", "-Wdouble-promotion", "-Wshadow", "-Werror")
COMMON = {
    "name": "digits",
    "language": "cc",
    "dataset": None,
    "sample": 2,
    "data_dir": None,
    "inputs": "random:3",
    "engine": "tflm",
}


@pytest.fixture(scope="module")
def component(samples: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("component") / "digits"
    export_file(samples / "model_int8.tflite", "esp-idf", folder, **COMMON)
    return folder


def test_its_sources_compile_without_a_warning_and_without_a_program(component: Path, stubs: Path) -> None:
    for source in ("model_inference.cc", "digits_check.cc"):
        command = ["g++", "-std=c++17", "-fsyntax-only", *WARNINGS, "-DMODEL_NO_MAIN", "-isystem", str(stubs), source]
        subprocess.run(command, check=True, cwd=component / "src", timeout=120)
    for named in ("CMakeLists.txt", "zephyr/CMakeLists.txt"):
        text = (component / named).read_text()
        assert "MODEL_NO_MAIN" in text
        assert all((component / "src" / file).is_file() for file in ("model_data.cc", "model_inference.cc", "digits_check.cc"))


def test_its_check_holds_the_sample_and_what_the_reference_kernels_give(component: Path) -> None:
    check, values = (component / "src" / "digits_check.cc").read_text(), (component / "src" / "test_inputs.h").read_text()
    assert "RunInference(kTestInput, output)" in check
    assert "output[i] != kExpectedOutput[i]" in check
    assert "kTestInput[784]" in values


def test_manifests_name_the_toolchains_own_libraries_and_are_valid(component: Path, tmp_path: Path) -> None:
    assert 'espressif/esp-tflite-micro: "^1.3.1"' in (component / "idf_component.yml").read_text()
    assert "select TENSORFLOW_LITE_MICRO" in (component / "zephyr" / "Kconfig").read_text()
    try:
        python = validators()
    except NoValidatorsError as error:
        pytest.skip(str(error))
    run(python.parent / "compote", "component", "pack", "--name", "digits", "--dest-dir", tmp_path / "packed", cwd=component)
    assert list((tmp_path / "packed").glob("digits_*.tgz"))
    code = """
import pathlib, sys, kconfiglib
top = pathlib.Path(sys.argv[2]) / "Kconfig"
names = ("CPP", "STD_CPP17", "REQUIRES_FULL_LIBCPP", "PRINTK", "TENSORFLOW_LITE_MICRO")
options = "".join(f"config {name}\\n\\tbool '{name}'\\n" for name in names)
top.write_text(f"{options}config MAIN_STACK_SIZE\\n\\tint\\nsource '{sys.argv[1]}/zephyr/Kconfig'\\n")
kconfig = kconfiglib.Kconfig(str(top), warn_to_stderr=False)
kconfig.load_config(sys.argv[1] + "/examples/zephyr/prj.conf")
print(kconfig.syms["DIGITS"].str_value, kconfig.syms["TENSORFLOW_LITE_MICRO"].str_value)
"""
    assert run(python, "-c", code, component, tmp_path) == "y y\n"


def test_a_toolchain_without_a_kept_library_is_refused_with_what_there_is(samples: Path, tmp_path: Path) -> None:
    path = samples / "model_int8.tflite"
    for toolchain in ("arduino", "platformio", "cmake", "cmsis-pack", "rust"):
        with pytest.raises(
            ToolError, match=f"nobody keeps a TensorFlow Lite Micro for {toolchain} .*esp-idf and zephyr have one"
        ):
            export_file(path, toolchain, tmp_path / "out", **COMMON)
    assert not (tmp_path / "out").exists()
    command = ["export", str(path), "--for", "arduino", "--engine", "tflm", "--out", str(tmp_path / "out")]
    assert CliRunner().invoke(app, command).exception is not None


def test_zephyr_gets_the_same_folder(samples: Path, component: Path, tmp_path: Path) -> None:
    command = ["export", str(samples / "model_int8.tflite"), "--for", "zephyr", "--engine", "tflm", "--name", "digits"]
    more = ["--inputs", "random:3", "--sample", "2", "--out", str(tmp_path / "digits")]
    assert CliRunner().invoke(app, [*command, *more]).exit_code == 0
    first, second = (
        {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
        for folder in (component, tmp_path / "digits")
    )
    assert first == second
