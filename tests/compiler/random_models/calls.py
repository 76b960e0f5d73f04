"""The call of a generated model in C from one buffer of inputs to one buffer of outputs, whatever its parameters are."""

from glyphlite.compiler import CompilationReport


def calling(report: CompilationReport, function: str) -> str:
    """C of a function ``function(signed char *input, signed char *result, void *arena)``.

    Among several, each input and output gets an allocation of its own, of the very size that it has, so that the address
    sanitizer sees a byte too far; inputs are copied back, so that whoever calls sees a byte that was written there. So does
    the state, which is reset before the first call.

    Each call is made again with inputs and outputs in the arena, and several calls as one of ``NAME_invoke_many`` where the C is
    built with it; their answers have to be the same.
    """
    edges = (*report.input_tensors, *report.output_tensors)
    opening = f"static void {function}(signed char *input, signed char *result, void *arena) {{\n"
    arena = f"({report.name}_arena_t *)arena"
    if report.state_bytes:
        opening += f"  static {report.name}_state_t *state;\n"
        opening += f"  if (!state) {{ state = malloc(sizeof *state); {report.name}_reset(state); }}\n"
        arena = f"state, {arena}"
    if len(edges) == 2:
        call = f"  {report.name}_invoke((void *)input, (void *)result, {arena});\n"
        again = f"  {function}_in_memory(input, result);\n  {function}_many(input, result);\n}}\n"
        return _in_memory(report, function) + _many(report, function) + opening + call + again
    made, names, back = [], [], []
    for bulk, tensors in (("input", report.input_tensors), ("result", report.output_tensors)):
        offset = 0
        for edge in tensors:
            own = f"own{len(names)}"
            made.append(f"  void *{own} = malloc({edge.bytes}); memcpy({own}, {bulk} + {offset}, {edge.bytes});")
            back.append(f"  memcpy({bulk} + {offset}, {own}, {edge.bytes}); free({own});")
            names.append(own)
            offset += edge.bytes
    call = f"  {report.name}_invoke({', '.join(names)}, {arena});"
    lines = [*made, call, *back, f"  {function}_in_memory(input, result);", f"  {function}_many(input, result);"]
    return _in_memory(report, function) + _many(report, function) + opening + "\n".join(lines) + "\n}\n"


def _in_memory(report: CompilationReport, function: str) -> str:
    """C of a function that does the same in an allocation of arena, inputs and outputs in one, and requires the same result."""
    name = report.name
    lines = [f"static void {function}_in_memory(const signed char *input, const signed char *result) {{"]
    passed = "memory"
    if report.state_bytes:
        lines += [
            f"  static {name}_state_t *state;",
            f"  if (!state) {{ state = malloc(sizeof *state); {name}_reset(state); }}",
        ]
        passed = "state, memory"
    lines += [f"  {name}_memory_t *memory = malloc(sizeof *memory);", "  memset(memory, 0xA5, sizeof *memory);"]
    offset = 0
    for edge in report.input_tensors:
        if edge.memory_offset is not None:
            lines.append(f"  memcpy({name}_memory_{edge.name}(memory), input + {offset}, {edge.bytes});")
        offset += edge.bytes
    lines.append(f"  {name}_memory_invoke({passed});")
    offset = 0
    for edge in report.output_tensors:
        lines.append(f"  if (memcmp({name}_memory_{edge.name}(memory), result + {offset}, {edge.bytes})) {{")
        lines.append('    fputs("error: other bytes with inputs and outputs in the arena\\n", stderr);')
        lines.append("    abort();\n  }")
        offset += edge.bytes
    return "\n".join([*lines, "  free(memory);", "}", ""])


def _many(report: CompilationReport, function: str) -> str:
    """C of a function that keeps what it is given, and calls ``NAME_invoke_many`` when it has five, and thirteen after these."""
    name, most = report.name, 13
    opening = f"static void {function}_many(const signed char *input, const signed char *result) {{\n"
    if not report.many_bytes:
        return opening + "  (void)input; (void)result;\n}\n"
    lines = ["  (void)input; (void)result;", f"#if defined({name.upper()}_MANY)", "  static int kept, rounds;"]
    offset, passed, compared = 0, [], []
    for bulk, edges in (("input", report.input_tensors), ("result", report.output_tensors)):
        offset = 0
        for edge in edges:
            own, size = f"many{len(passed)}", edge.bytes
            lines.append(f"  static signed char *{own};")
            lines.append(f"  if (!{own}) {own} = malloc({most * size});")
            lines.append(f"  memcpy({own} + (size_t)kept * {size}, {bulk} + {offset}, {size});")
            if bulk == "result":
                compared.append((own, size))
            passed.append(own)
            offset += size
    given = [f"(void *){own}" for own in passed[: len(report.input_tensors)]]
    lines.append(f"  if (++kept < (rounds % 2 ? {most} : 5)) return;")
    lines.append(f"  {name}_many_t *memory = malloc(sizeof *memory);")
    lines.append("  memset(memory, 0x5A, sizeof *memory);")
    for own, size in compared:
        lines.append(f"  signed char *new_{own} = malloc((size_t)kept * {size});")
        given.append(f"(void *)new_{own}")
    lines.append(f"  {name}_invoke_many({', '.join(given)}, kept, memory);")
    for own, size in compared:
        lines.append(f"  if (memcmp(new_{own}, {own}, (size_t)kept * {size})) {{")
        lines.append('    fputs("error: other bytes of many images at once\\n", stderr);\n    abort();\n  }')
        lines.append(f"  free(new_{own});")
    lines += ["  free(memory);", "  kept = 0;", "  ++rounds;", "#endif"]
    return opening + "\n".join(lines) + "\n}\n"
