"""Memory maps beside generated C are files from outside: what is damaged in one is named in a line."""

import json
from pathlib import Path
from typing import Any

import pytest

from glyphlite.errors import ArtifactError
from glyphlite.evaluation.input_sets.compiled_inputs import edges_of, inputs_of_map, memory_map_in

EDGE = {"name": "input", "tensor": "x", "shape": [1, 4], "kind": "int8", "scale": 1, "zero_point": 0, "bytes": 4}
MAP = {"name": "net", "files": [], "layers": [], "arena_bytes": 8, "optimize": "speed", "labels": [], "macs": 4}
MAP |= {"input_bytes": 4, "output_bytes": 4, "output_scale": 0.5, "output_zero_point": 0}
MAP |= {"input_tensors": [EDGE], "output_tensors": [EDGE]}


def written(folder: Path, **changes: Any) -> Path:
    (folder / "net.json").write_text(json.dumps(MAP | changes))
    return folder


def test_a_sound_map_says_what_the_model_takes(tmp_path: Path) -> None:
    model = inputs_of_map(memory_map_in(written(tmp_path)))
    assert [each.port.shape for each in model.each] == [(4,)]


@pytest.mark.parametrize("key", ["arena_bytes", "output_scale", "output_zero_point", "macs"])
@pytest.mark.parametrize("value", [None, "x", [], {}, True])
def test_numbers_that_are_none_are_named(tmp_path: Path, key: str, value: object) -> None:
    with pytest.raises(ArtifactError, match=f"net.json is damaged: its {key} is .*; make it with glyphlite compile"):
        memory_map_in(written(tmp_path, **{key: value}))


@pytest.mark.parametrize("listed", ["x", [{}], [1], [EDGE | {"shape": "x"}], [EDGE | {"scale": "x"}], [EDGE | {"more": 1}]])
def test_a_damaged_list_of_inputs_is_named(listed: object) -> None:
    with pytest.raises(ArtifactError, match="the inputs listed beside the C are damaged"):
        edges_of({"input_tensors": listed}, "input")
