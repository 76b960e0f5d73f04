"""What native code prints is kept back; our own words and the exception go on to the user."""

import subprocess
import sys

SCRIPT = """
import ctypes, os, sys
from glyphlite.console import captured_noise, progress_bar, say

with progress_bar("working", None), captured_noise() as noise:
    os.write(1, b"native out ")
    os.write(2, b"native err ")
    ctypes.CDLL(None).printf(b"buffered ")
    print("python out", end=" ")
    print("python err", file=sys.stderr)
    say("our words")
    caught = noise.text()
print(sorted(caught.split()))
say("after")
try:
    with captured_noise():
        os.write(2, b"more noise")
        raise ValueError("kept")
except ValueError as error:
    print(error)
os.write(2, b"restored\\n")
"""


def test_only_our_words_reach_the_user() -> None:
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True)
    caught = ["buffered", "err", "err", "native", "native", "out", "out", "python", "python"]
    assert done.stdout.splitlines() == [str(caught), "kept"]
    assert [line.strip() for line in done.stderr.splitlines() if line.strip()] == ["our words", "after", "restored"]
