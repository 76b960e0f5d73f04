"""The arena against TFLite Micro itself: the measured size is taken, 16 bytes less are not, and the parts add up."""

import subprocess
import sys
from pathlib import Path

import pytest

from glyphlite.errors import ArtifactError
from glyphlite.records import RuntimeReport
from glyphlite.runtimes.tflm_arena import ArenaMeasurement, measure_arena

TRY = """
import sys
from pathlib import Path
from glyphlite.runtimes.isolation.tflm_arena_child import attempt
content = Path(sys.argv[1]).read_bytes()
print([attempt(content, int(size)) for size in sys.argv[2:]])
"""


@pytest.fixture(scope="module")
def arenas(samples: Path) -> dict[str, ArenaMeasurement]:
    return {variant: measure_arena(samples / f"model_{variant}.tflite") for variant in ("int8", "float32", "int16x8")}


@pytest.mark.parametrize("variant", ["int8", "float32", "int16x8"])
def test_the_smallest_arena_is_the_smallest(samples: Path, arenas: dict[str, ArenaMeasurement], variant: str) -> None:
    artifact, arena = samples / f"model_{variant}.tflite", arenas[variant]
    sizes = [arena.recommended_bytes, arena.host_bytes, arena.host_bytes - 16, 16, 1]
    tried = subprocess.run(
        [sys.executable, "-c", TRY, str(artifact), *map(str, sizes)], capture_output=True, text=True, check=True, timeout=60
    )
    assert tried.stdout.strip() == "[True, True, False, False, False]"


def test_the_parts_add_up_to_the_whole(arenas: dict[str, ArenaMeasurement]) -> None:
    arena = arenas["int8"]
    assert arena.host_bytes < 10_000
    assert arena.head_bytes + arena.tail_bytes == arena.host_bytes
    assert sum(part.bytes for part in arena.parts) == arena.tail_bytes
    assert arena.head_bytes >= 26 * 26 * 8 + 13 * 13 * 8  # the largest op's input and output at once
    assert {part.name: part.count for part in arena.parts}["NodeAndRegistration struct"] == 6


def test_the_record_for_other_programs_holds_both_numbers(arenas: dict[str, ArenaMeasurement]) -> None:
    arena = arenas["int8"]
    record = RuntimeReport.model_validate_json(arena.report().model_dump_json())
    assert record.arena_bytes == arena.host_bytes
    assert record.recommended_arena_bytes == arena.host_bytes + arena.margin_bytes
    assert sum(part.bytes for part in record.arena_breakdown) == arena.host_bytes


def test_the_margin_covers_the_scratch_of_the_largest_convolution(arenas: dict[str, ArenaMeasurement]) -> None:
    margins = {variant: arena.margin_bytes for variant, arena in arenas.items()}
    # 3x3x1 filters: four columns of 16 elements of one byte (int8) or two (int16), and 16 bytes of alignment
    assert margins == {"int8": 64 + 16, "int16x8": 128 + 16, "float32": 16}


@pytest.mark.parametrize(("variant", "reason"), [("float16", "float16"), ("dynamic", "dynamic range")])
def test_a_variant_that_tflite_micro_refuses_is_refused_with_what_to_use(samples: Path, variant: str, reason: str) -> None:
    with pytest.raises(ArtifactError, match=rf"(?s){reason}.*int8"):
        measure_arena(samples / f"model_{variant}.tflite")


def test_a_damaged_file_never_reaches_tflite_micro(samples: Path, tmp_path: Path) -> None:
    damaged = tmp_path / "model.tflite"
    damaged.write_bytes((samples / "model_int8.tflite").read_bytes()[:9000])
    with pytest.raises(ArtifactError):
        measure_arena(damaged)


def test_a_search_that_takes_too_long_is_ended(samples: Path) -> None:
    with pytest.raises(ArtifactError, match="longer than"):
        measure_arena(samples / "model_int8.tflite", timeout_s=0.01)


@pytest.mark.slow
def test_an_inference_without_end_is_ended(samples: Path) -> None:
    script = """
import sys, itertools
from pathlib import Path
from glyphlite.runtimes.isolation import tflm_arena_child as child
child.ATTEMPT_SECONDS = 1
child._run_blank = lambda interpreter: any(False for _ in itertools.count())
sys.argv = ["", sys.argv[1], str(1 << 20)]
child.main()
"""
    tried = subprocess.run(
        [sys.executable, "-c", script, str(samples / "model_int8.tflite")], capture_output=True, text=True, check=True, timeout=60
    )
    assert tried.stdout.strip() == '{"too_slow": true}'
