from pathlib import Path

import pytest

from glyphlite.errors import DataError
from glyphlite.pipeline.inputs.labels import named_labels


def test_labels_are_a_file_or_names_between_commas(tmp_path: Path):
    (tmp_path / "labels.txt").write_bytes("\ufeffstill\r\n\nwälking\n".encode())
    assert named_labels(str(tmp_path / "labels.txt")) == ("still", "wälking")
    assert named_labels("still, walking,running") == ("still", "walking", "running")


@pytest.mark.parametrize(
    ("text", "words"),
    [("nowhere.txt", "nowhere.txt"), ("a,a", "'a' twice"), ("BINARY", "no UTF-8|not UTF-8"), ("ONE", "1 label")],
)
def test_what_names_no_labels_is_refused(text: str, words: str, tmp_path: Path):
    (tmp_path / "BINARY").write_bytes(b"\xff\xfe\x00")
    (tmp_path / "ONE").write_text("alone\n")
    with pytest.raises(DataError, match=words):
        named_labels(str(tmp_path / text) if text.isupper() else text)
