"""READ_VARIABLE and ASSIGN_VARIABLE: state as maps, in the order in which TFLite Micro copies them.

A variable is two values: what it holds when a call begins, and what it holds when the call ends. What is read before the first
assignment is the one, what is read behind an assignment is the assigned value itself; only the last assignment writes.
"""

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from glyphlite.compiler.codegen.c_names import identifier
from glyphlite.compiler.codegen.kernel import Site
from glyphlite.compiler.context import Context, describe
from glyphlite.compiler.ir import Node, State, VariableState
from glyphlite.compiler.ops.layout.move import Axis, MoveKernel, Walk, move_kernel
from glyphlite.compiler.values import Value
from glyphlite.escaping import c_comment, printable
from glyphlite.tflite.graph import Operator, Tensor

_BEFORE, _AFTER, _COPY = -3_000_000, -4_000_000, -5_000_000  # the indices of values that the file does not have, and less


@dataclass(frozen=True, kw_only=True)
class Copy(Node):
    """A copy, byte by byte: of what is assigned to a variable, where nothing else can compute it there."""

    continues_chain: ClassVar[bool] = False

    def kernel(self, site: Site) -> MoveKernel:
        """Returns the kernel: a row, as it is."""
        return move_kernel(site, Walk(0, (Axis(self.output.row_bytes, 1),)))


def lower_nothing(context: Context, operator: Operator) -> None:
    """Lowers CALL_ONCE and VAR_HANDLE: the reader has made variables of them."""
    del context, operator


def lower_read_variable(context: Context, operator: Operator) -> None:
    """Lowers READ_VARIABLE. Source: ``MicroResourceVariables::Read``, micro_resource_variable.cc."""
    variable = _variable(context, operator)
    value, _ = context.assigned.get(variable.state.name, (variable.before, operator))
    context.reshaped(operator, value)


def lower_assign_variable(context: Context, operator: Operator) -> None:
    """Lowers ASSIGN_VARIABLE. Source: ``MicroResourceVariables::Assign``, micro_resource_variable.cc."""
    variable, value = _variable(context, operator), context.value(operator, 1)
    others = {other.before.index for other in context.variables.values()} - {variable.before.index}
    if value.index in others:  # which another assignment may write over before it is copied
        copied = replace(value, index=_COPY - len(context.nodes))
        context.nodes.append(_copy(context, operator, value, copied))
        value = copied
    context.assigned[variable.state.name] = value, operator


def finish_variables(context: Context) -> tuple[VariableState, ...]:
    """Appends a copy for each variable that ends a call with another value than it began with; returns all variables."""
    finished: list[VariableState] = []
    for variable in {each.state.name: each for each in context.variables.values()}.values():
        value, operator = context.assigned.get(variable.state.name, (variable.before, None))
        if operator is None or value.index == variable.before.index:
            finished.append(replace(variable, after=variable.before.index))
            continue
        seen = replace(variable.before, index=value.index, name=value.name)
        context.nodes.append(_copy(context, operator, seen, replace(variable.before, index=variable.after)))
        finished.append(variable)
    return tuple(finished)


def _copy(context: Context, operator: Operator, source: Value, output: Value) -> Copy:
    return Copy(
        name=context.name(operator),
        op=operator.name,
        sources=(describe(context.graph, operator, 0),),
        inputs=(source,),
        output=output,
    )


def take_variables(context: Context) -> None:
    """Makes a value of what each variable holds when a call begins.

    Raises:
        ArtifactError: a variable is not int8 or int16 with one scale.
    """
    for place, variable in enumerate(context.graph.variables):
        operator = next(each for each in context.graph.operators if each.name == "VAR_HANDLE")
        if variable.is_behind:
            reason = f"the first values of {printable(variable.name)} lie behind the FlatBuffer, where TFLite Micro does not look"
            raise context.refuse(operator, reason, "convert the model again")
        tensor = Tensor(variable.handles[0], variable.name, variable.shape, variable.dtype, variable.quantization)
        before = replace(context.activation(tensor, operator), index=_BEFORE - place)
        is_wide = before.element_type == "int16"
        held = variable.initial if is_wide else (variable.initial.astype(np.int16) + 128).astype(np.uint8)
        shape = "x".join(map(str, variable.shape)) or "one value"
        state = State(
            name=context.field(identifier(variable.name)),
            c_type="int16_t" if is_wide else "uint8_t",
            initial=held.reshape(-1),
            words=c_comment(f"{variable.name}: {shape}, {'as stored' if is_wide else 'stored + 128'}"),
        )
        made = VariableState(state, before, _AFTER - place)
        context.variables |= dict.fromkeys(variable.handles, made)


def _variable(context: Context, operator: Operator) -> VariableState:
    return context.variables[operator.inputs[0]]
