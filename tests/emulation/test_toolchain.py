import ctypes
import importlib.util
import subprocess
import time
from pathlib import Path

import pytest

from glyphlite.emulation import toolchain
from glyphlite.emulation.elf import read_elf
from glyphlite.emulation.toolchain import TARGETS, compile_and_link, compile_program, compile_shared, run_tool, target_named
from glyphlite.errors import ToolError

TRIPLE = "int triple(int x) { return 3 * x; }\nint unused(int x) { return x / 7; }\n"


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "triple.c"
    path.write_text(TRIPLE)
    return path


def test_every_host_compiler_builds_a_library_that_works(source: Path, tmp_path: Path):
    compilers = toolchain.host_compilers()
    assert compilers[-1].name == "zig"
    for compiler in compilers:
        library = compile_shared([source], tmp_path / f"{compiler.name}.so", compiler=compiler)
        assert ctypes.CDLL(str(library)).triple(14) == 42
        assert compiler.version()


def test_a_program_finds_headers_and_the_math_library(tmp_path: Path):
    (tmp_path / "include").mkdir()
    (tmp_path / "include" / "answer.h").write_text("#define ANSWER 1764.0\n")
    source = tmp_path / "main.c"
    source.write_text('#include <math.h>\n#include <stdio.h>\n#include "answer.h"\nvolatile double x = ANSWER;\n'
                      'int main(void) { printf("%.0f", sqrt(x)); return 0; }\n')  # fmt: skip
    program = compile_program([source], tmp_path / "main", flags=("-O1", "-lm"), include=[tmp_path / "include"])
    assert subprocess.run([program], capture_output=True, check=True).stdout == b"42"


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name, target in TARGETS.items() if target.architecture in ("arm", "riscv")])
def test_images_hold_what_is_kept_and_nothing_else(name: str, source: Path, tmp_path: Path):
    image = read_elf(compile_and_link(TARGETS[name], [source], tmp_path / "image.elf", keep=["triple"]))
    assert [symbol.name for symbol in image.functions] == ["triple"]
    footprint = image.footprint()
    assert 4 <= footprint.code_bytes <= 16
    assert (footprint.constant_bytes, footprint.data_bytes, footprint.bss_bytes) == (0, 0, 0)


@pytest.mark.parametrize("name", ["cortex-m0", "wasm32"])
def test_images_may_copy_and_clear_memory(name: str, tmp_path: Path):
    source = tmp_path / "copy.c"
    source.write_text(
        "#include <string.h>\nvoid copy(char *a, const char *b, size_t n) { memset(a + n, 0, n); memcpy(a, b, n); }\n"
    )
    assert compile_and_link(TARGETS[name], [source], tmp_path / "copy.out", keep=["copy"]).stat().st_size > 100


def test_a_webassembly_module_is_built(source: Path, tmp_path: Path):
    module = compile_and_link(TARGETS["wasm32"], [source], tmp_path / "net.wasm", keep=["triple"]).read_bytes()
    assert module.startswith(b"\0asm")
    assert b"triple" in module
    assert b"unused" not in module


def test_target_names_are_taken_as_runtimes_spell_them():
    assert target_named("cortex_m4") is TARGETS["cortex-m4"]
    assert target_named("cortex-m4").dsp
    assert not target_named("cortex-m3").dsp
    with pytest.raises(ToolError, match=r"unknown core 'cortex-m99'.*cortex-m0, "):
        target_named("cortex-m99")


def test_the_first_error_is_quoted(tmp_path: Path):
    source = tmp_path / "wrong.c"
    source.write_text("int f(void) { return missing; }\n")
    with pytest.raises(ToolError, match=r"gcc building wrong\.c: exit status 1: .*wrong\.c:1:.*missing"):
        compile_shared([source], tmp_path / "wrong.so", compiler=toolchain.host_compiler("gcc"))


def test_missing_tools_say_how_to_get_them(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ToolError, match=r"no C compiler here; .*pip install 'glyphlite\[firmware\]'"):
        toolchain.host_compiler()
    with pytest.raises(ToolError, match=r"no C compiler for cortex-m4 here; .*glyphlite\[firmware\]"):
        toolchain.cross_compiler(TARGETS["cortex-m4"])


@pytest.mark.slow
def test_a_tool_that_hangs_is_stopped_with_its_children(tmp_path: Path):
    marker = tmp_path / "child"
    started = time.monotonic()
    with pytest.raises(ToolError, match=r"hanging: no end after 0.5 s; stopped it"):
        run_tool(["sh", "-c", f"(sleep 3; touch {marker}) & wait"], what="hanging", timeout_s=0.5)
    assert time.monotonic() - started < 2.5
    time.sleep(3)
    assert not marker.exists()


def test_a_tool_that_is_not_there_is_named():
    with pytest.raises(ToolError, match="looking: cannot start /no/such/tool"):
        run_tool(["/no/such/tool"], what="looking", timeout_s=1)
