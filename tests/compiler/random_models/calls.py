"""The call of a generated model in C from one buffer of inputs to one buffer of outputs, whatever its parameters are."""

from glyphlite.compiler import CompilationReport


def calling(report: CompilationReport, function: str) -> str:
    """C of a function ``function(signed char *input, signed char *result, void *arena)``.

    Among several, each input and output gets an allocation of its own, of the very size that it has, so that the address
    sanitizer sees a byte too far; inputs are copied back, so that whoever calls sees a byte that was written there. So does
    the state, which is reset before the first call.
    """
    edges = (*report.input_tensors, *report.output_tensors)
    opening = f"static void {function}(signed char *input, signed char *result, void *arena) {{\n"
    arena = f"({report.name}_arena_t *)arena"
    if report.state_bytes:
        opening += f"  static {report.name}_state_t *state;\n"
        opening += f"  if (!state) {{ state = malloc(sizeof *state); {report.name}_reset(state); }}\n"
        arena = f"state, {arena}"
    if len(edges) == 2:
        return f"{opening}  {report.name}_invoke((void *)input, (void *)result, {arena});\n}}\n"
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
    return opening + "\n".join([*made, call, *back]) + "\n}\n"
