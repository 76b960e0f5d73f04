"""The converter's server is forked off before a test lets TensorFlow compute: that costs nothing, a process of its own 5 s."""

import pytest


@pytest.fixture(scope="session", autouse=True)
def converter() -> None:
    """Fork the converter's server."""
    from glyphlite.conversion.isolation import prepare

    prepare()
