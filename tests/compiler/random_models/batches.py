"""Builds many generated models in one call of the C compiler and runs them in one process, sanitizers on.

The flags are those of :mod:`random_models.harness`. Buffers are of the very size that a model asks for, each in an allocation of
its own: a byte too far is an error of the address sanitizer. A model that is stopped is one result; the process goes on with
the next.
"""

import re
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from glyphlite.compiler.compile import Compilation
from glyphlite.emulation.toolchain import Compiler, compile_program, host_compiler
from glyphlite.errors import ToolError
from random_models.calls import calling
from random_models.foreign import PROCESSORS, foreign
from random_models.harness import FLAGS, MANY, PATHS, TRAPS, intrinsics_read

SECONDS = 20
NAME = "net"
"""The name that models are compiled under."""
_OURS = re.compile(rf"\b({NAME}|{NAME.upper()})_|_{NAME.upper()}\b")

_MAIN = """\
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
static const struct { long taken, given, arena; void (*invoke)(signed char *, signed char *, void *); } models[] = {
@MODELS@
};
/* Answers of every model from the given one on; 2 when one wrote into its input. */
int main(int count, char **arguments) {
  const int first = atoi(arguments[1]), inputs = atoi(arguments[2]);
  FILE *file = fopen(arguments[3], "rb");
  for (int m = 0; m < @COUNT@; m++) {
    const long taken = models[m].taken, given = models[m].given;
    if (m < first) { fseek(file, taken * inputs, SEEK_CUR); continue; }
    alarm(@SECONDS@);
    signed char *answers = malloc(given * inputs);
    for (int i = 0; i < inputs; i++) {
      signed char *source = malloc(taken), *input = malloc(taken), *result = malloc(given);
      void *arena = malloc(models[m].arena);
      if (fread(source, 1, taken, file) != (size_t)taken) return 3;
      memcpy(input, source, taken);
      memset(arena, 37 * i + 11, models[m].arena);
      memset(result, 91 * i + 5, given);
      models[m].invoke(input, result, arena);
      if (memcmp(source, input, taken)) return 2;
      memcpy(answers + i * given, result, given);
      free(source); free(input); free(result); free(arena);
    }
    fwrite(answers, 1, given * inputs, stdout);
    fflush(stdout);
    free(answers);
  }
  return 0;
}
"""


@dataclass(frozen=True)
class Program:
    """One generated model: its C as one text, the bytes that it takes and gives, and the function ``call`` that calls it."""

    text: str
    input_bytes: int
    output_bytes: int
    call: str = (
        f"static void call(signed char *input, signed char *result, void *arena) {{ {NAME}_invoke(input, result, arena); }}"
    )


def program_of(compilation: Compilation) -> Program:
    """Returns what was compiled under :data:`NAME` as one text of C."""
    files, text = compilation.files, compilation.files[f"{NAME}.c"]
    for file in sorted(file for file in files if file.endswith(".h")):
        included = f'#include "{file}"'
        assert included in text
        text = text.replace(included, files[file])
    report = compilation.report
    return Program(text, report.input_bytes, report.output_bytes, calling(report, "call"))


def run_batch(
    programs: Sequence[Program], inputs: Sequence[bytes], *, path: str = "plain", flags: Sequence[str] = TRAPS
) -> list[bytes | str]:
    """Builds and runs programs on their inputs.

    Args:
        programs: generated models, all different.
        inputs: for each the stored int8 inputs, one after the other, as many for each.
        path: which of :data:`random_models.harness.PATHS`, or of :data:`random_models.foreign.PROCESSORS`.
        flags: the C compiler's.

    Returns:
        For each its answers one after the other, or the words of what stopped it.
    """
    if not programs:
        return []
    count = len(inputs[0]) // programs[0].input_bytes
    other = foreign(path) if path in PROCESSORS else None
    with tempfile.TemporaryDirectory(prefix="glyphlite-batch-") as temporary:
        folder = Path(temporary)
        try:
            if other:
                binary = _build(programs, folder, (*other.flags, *MANY), other.compiler)
            else:
                binary = _build(programs, folder, (*flags, *PATHS[path]))
        except ToolError as error:
            if len(programs) == 1:
                return [f"not C: {error}"]
            half = len(programs) // 2  # which of them is it?
            return [
                *run_batch(programs[:half], inputs[:half], path=path, flags=flags),
                *run_batch(programs[half:], inputs[half:], path=path, flags=flags),
            ]
        (folder / "inputs").write_bytes(b"".join(inputs))
        answers: list[bytes | str] = []
        while len(answers) < len(programs):
            command = [*(other.command if other else ()), binary, str(len(answers)), str(count), folder / "inputs"]
            environment = {"ASAN_OPTIONS": "detect_leaks=0", **(other.environment if other else {})}
            finished = subprocess.run(command, capture_output=True, check=False, env=environment)
            position = 0
            for program in programs[len(answers) :]:
                size = program.output_bytes * count
                if position + size > len(finished.stdout):
                    place = len(answers)
                    alone = flags is TRAPS and not other and run_batch([program], [inputs[place]], path=path, flags=FLAGS)[0]
                    answers.append(alone if isinstance(alone, str) else _words(finished))
                    break
                answers.append(finished.stdout[position : position + size])
                position += size
    return answers


def _build(programs: Sequence[Program], folder: Path, flags: Sequence[str], compiler: Compiler | None = None) -> Path:
    """Builds all of them as one unit, every name of theirs numbered."""
    texts, models = [], []
    defined = [flag[2:].split("=") for flag in flags if flag.startswith(f"-D{NAME.upper()}_")]
    definitions = "".join(f"#define {macro} {value}\n" for macro, value in defined)
    for number, program in enumerate(programs):
        own = f"{NAME}{number}"
        texts.append(_OURS.sub(lambda found, number=number: _numbered(found[0], number), definitions + program.text))
        call = _OURS.sub(lambda found, number=number: _numbered(found[0], number), program.call)
        texts.append(re.sub(r"\bcall(?=\(|_in_memory|_many)", f"call{number}", call))
        models.append(f"{{ {program.input_bytes}, {program.output_bytes}, sizeof({own}_arena_t), call{number} }},")
    main = _MAIN.replace("@MODELS@", "\n".join(models)).replace("@COUNT@", str(len(programs)))
    source = folder / "batch.c"
    source.write_text(
        "#include <stdio.h>\n#include <stdlib.h>\n#include <string.h>\n"
        + "\n".join(texts)
        + "\n"
        + main.replace("@SECONDS@", str(SECONDS))
    )
    compiler, flags = compiler or host_compiler(), (*flags, "-std=gnu11")
    flags = (*flags, *intrinsics_read(compiler, flags))
    return compile_program([source], folder / "batch", compiler=compiler, flags=flags, timeout_s=600)


def _numbered(name: str, number: int) -> str:
    """``net_`` with its number, and so the end of an include guard."""
    return f"{name[:-1]}{number}_" if name.endswith("_") else f"{name}{number}"


def _words(finished: "subprocess.CompletedProcess[bytes]") -> str:
    words = [line for line in finished.stderr.decode(errors="replace").splitlines() if "error" in line.lower()]
    return words[0] if words else f"exit status {finished.returncode}: it wrote into its input, or did not end"
