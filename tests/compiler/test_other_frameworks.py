"""Files of other frameworks' converters (docs/how-to/other-frameworks.md): TFLite Micro's bytes, and smaller by ``optimize``."""

from pathlib import Path

import pytest
from random_models.differential import examine

from glyphlite.tflite.reader import parse_graph
from glyphlite.tflite.rewrite.optimization import optimize_file


@pytest.mark.slow
def test_files_from_pytorch_and_onnx_give_the_bytes_of_tflite_micro(samples: Path) -> None:
    files = {path.relative_to(samples.parent): path.read_bytes() for path in sorted(samples.parent.glob("frameworks/*/*.tflite"))}
    assert len(files) == 3
    assert {path.parent.name for path in files} == {"pytorch", "onnx"}
    smaller = {path: optimize_file(content, path.name, strip_names=True).content for path, content in files.items()}
    verdicts = examine([*files.values(), *smaller.values()], inputs=12)
    assert {verdict.outcome for verdict in verdicts} == {"equal"}, verdicts
    assert all(len(smaller[path]) < 0.9 * len(content) for path, content in files.items())
    assert "TRANSPOSE" in {each.name for content in files.values() for each in parse_graph(content).operators}
