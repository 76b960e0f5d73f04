"""TensorFlow's noise stays away, and what it has to say later reaches the terminal: never a closed stream."""

import subprocess
import sys

_LATER = """
from glyphlite.console import quiet_tensorflow
quiet_tensorflow()
import tensorflow as tf
import absl.logging
tf.get_logger().warning("not heard")
tf.get_logger().error("heard")
absl.logging.error("heard, too")
"""


def test_tensorflows_loggers_do_not_write_into_the_closed_capture() -> None:
    done = subprocess.run([sys.executable, "-c", _LATER], capture_output=True, text=True, check=True)
    assert "Logging error" not in done.stderr
    assert "Traceback" not in done.stderr
    assert "heard" in done.stderr
    assert "heard, too" in done.stderr
    assert "not heard" not in done.stderr
