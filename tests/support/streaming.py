"""Small models that keep state between calls."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from support.assembled import Assembly

SCALE = 0.5


def running_sum(
    initial: Sequence[int] | None = (1, 2, 3, 4), *, zero_point: int = 5, change: Callable[[Any], None] = lambda _: None
) -> bytes:
    """A model that adds its input to a variable, which it gives out: ops 0 to 4 of the model, 0 and 1 of the initializer."""
    assembly = Assembly()
    main = assembly.subgraph()
    source, total, old = (main.tensor((1, 4), (SCALE, zero_point)) for _ in range(3))
    if initial is not None:
        main.op("CALL_ONCE", [], [], "CallOnceOptions", initSubgraphIndex=1)
    handle = main.variable("sum")
    main.op("READ_VARIABLE", [handle], [old], "ReadVariableOptions")
    main.op("ADD", [source, old], [total], "AddOptions")
    main.op("ASSIGN_VARIABLE", [handle, total], [], "AssignVariableOptions")
    main.edges([source], [total])
    if initial is not None:
        init = assembly.subgraph()
        values = init.constant(np.array([initial], np.int8), [(SCALE, zero_point)])
        init.op("ASSIGN_VARIABLE", [init.variable("sum"), values], [], "AssignVariableOptions")
    change(assembly.model)
    return assembly.pack()
