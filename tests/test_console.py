"""The environment variables that are set before TensorFlow is imported."""

import os
import platform

import pytest

from glyphlite.console import quiet_tensorflow


@pytest.mark.parametrize(("machine", "setting"), [("x86_64", "1"), ("AMD64", "1"), ("aarch64", None)])
def test_onednn_is_turned_on_where_it_helps(monkeypatch: pytest.MonkeyPatch, machine: str, setting: str | None) -> None:
    monkeypatch.delenv("TF_ENABLE_ONEDNN_OPTS", raising=False)
    monkeypatch.setattr(platform, "machine", lambda: machine)
    quiet_tensorflow()
    assert os.environ.pop("TF_ENABLE_ONEDNN_OPTS", None) == setting


def test_what_the_user_set_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TF_ENABLE_ONEDNN_OPTS", "0")
    quiet_tensorflow()
    assert os.environ["TF_ENABLE_ONEDNN_OPTS"] == "0"
