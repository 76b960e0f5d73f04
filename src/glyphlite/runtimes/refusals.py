"""Translation of what a runtime prints when it refuses a file into the reason that a person understands, with what to do.

A table of patterns over the runtimes' own messages; the message itself is shown where no pattern fits.
"""

import re

from glyphlite.errors import ArtifactError, ToolError
from glyphlite.escaping import one_line

INT8 = "convert the model with --to int8"

_KNOWN: tuple[tuple[str, str], ...] = (
    (
        r"Select TensorFlow op|Regular TensorFlow ops|Flex[A-Z]\w+|\(Flex\)",
        "it needs TensorFlow's own ops (SELECT_TF_OPS), which no runtime here has",
    ),
    (r"dequantize\w*\.cc.*kTfLiteInt8", f"its weights are float16, which TFLite Micro cannot dequantize; {INT8}"),
    (
        r"(?s)Input type: FLOAT32 with filter type: INT8|Hybrid models are not supported",
        f"its weights are int8 but its activations float32 (dynamic range), which TFLite Micro has no kernels for; {INT8}",
    ),
    (r"Didn't find op for builtin opcode '(\w+)' version '(\d+)'", r"the runtime has no kernel for version \2 of the op \1"),
    (r"from op code CUSTOM", "it has a custom op, as TensorFlow's own (SELECT_TF_OPS) are, which TFLite Micro has no kernel for"),
    (r"quantized_dimension must be in range", "a tensor in it is quantized along an axis that it does not have"),
    (r"codec can't decode", "a name in it is not UTF-8 text"),
    (r"Didn't find op for builtin opcode '(\w+)'", r"the runtime has no kernel for the op \1"),
    (r"Failed to get registration from op code", "it uses an op that the runtime does not have"),
    (
        r"op_code\.cc|Unresolved custom op: (\w+)|unresolved custom op: (\w+)",
        "it uses a custom op that the runtime does not have",
    ),
    (
        r"Failed to allocate|Failed to resize buffer|[Aa]rena size is too small|bad_alloc|MemoryError",
        "it needs more memory than a classifier may take",
    ),
    (
        r"not a valid [Ff]latbuffer|buffer is smaller than|bad number|unpack_from|Could not open|Model identifier|TFL3",
        "it is not a .tflite file, or a damaged one",
    ),
    (r"schema version (\d+)", r"its schema version is \1, expected 3"),
)

_USELESS = re.compile(r"^(INFO|WARNING|W0000|I0000)\b|^\s*$|XNNPACK delegate for CPU|NOTICE:")
_NOISE = re.compile(r"^(ERROR|E0000 [\d.:]+\s+\d+)[:\s]*|\s*\[?RuntimeError\]?:?\s*")
LONGEST = 220


class NotStartedError(ToolError):
    """Our own child process does not start: nothing is known of any file, so that it is no refusal and ends what asked."""


class RefusedError(ArtifactError):
    """A runtime refuses a file; ``reason`` says why without naming either."""

    def __init__(self, filename: str, runtime: str, reason: str) -> None:
        super().__init__(f"{filename}: {runtime} refuses it: {reason}")
        self.filename, self.runtime, self.reason = filename, runtime, reason


def reason_for(noise: str, error: BaseException | str) -> str:
    """Returns the reason of a refusal in words.

    Args:
        noise: what the runtime printed while it loaded or ran the file.
        error: what it raised.
    """
    text = f"{noise}\n{error}"
    for pattern, words in _KNOWN:
        if match := re.search(pattern, text):
            return match.expand(words) if "\\" in words else words
    lines = [line for line in noise.splitlines() if not _USELESS.search(line)]
    words = re.sub(r"(?<=[a-z0-9.)])(?=Node number|unsupported |failed to )", ". ", lines[0] if lines else str(error)).replace(
        "..", "."
    )
    words = one_line(_NOISE.sub("", words))
    return words if len(words) <= LONGEST else words[: LONGEST - 3] + "..."
