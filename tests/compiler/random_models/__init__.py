"""Random small networks for the compiler's proof: a seed gives a draft, a draft an int8 .tflite, TFLite Micro the answers.

Half of the seeds go through Keras and the TensorFlow Lite converter, as a user's model does; the others are written by hand, with
numbers that training would never give. Used by the tests beside this folder and by ``campaigns/compiler.py``.
"""

import numpy as np

from random_models.arithmetic import FIRST_SEED
from random_models.drafts import Draft, draw
from random_models.edges import vary_edges
from random_models.findings import vary_findings
from random_models.inputs import draw_inputs, edge_of, edges_of, from_model, stored_inputs, to_model
from random_models.oracle import Oracle, RefusedError, undefined
from random_models.states import vary_states

__all__ = [
    "Draft",
    "Oracle",
    "RefusedError",
    "draw",
    "draw_inputs",
    "edge_of",
    "edges_of",
    "from_model",
    "model_of",
    "stored_inputs",
    "to_model",
    "undefined",
]


def model_of(seed: int) -> tuple[Draft, bytes]:
    """The network of a seed: its draft and its .tflite file. Even seeds go through Keras, odd ones are written by hand.

    From seed 1,000 on one in five is an int16x8 file. One in six gets further inputs and outputs, of int8 files one in six state;
    one in eight outputs that say where values lie and which are larger.

    Raises:
        RefusedError: the converter does not take it (nothing of the compiler's).
    """
    draft = draw(seed, for_keras=seed % 2 == 0)
    wide = seed >= FIRST_SEED and np.random.default_rng([seed, 1025]).random() < 0.2
    if seed % 2:
        from random_models import by_hand, by_hand_int16

        if wide:
            return draft, vary_findings(vary_edges(by_hand_int16.write(draft), seed), seed)
        return draft, vary_findings(vary_states(vary_edges(by_hand.write(draft), seed), seed), seed)
    from random_models.with_keras import convert

    if wide:
        return draft, vary_findings(vary_edges(convert(draft, wide=True), seed), seed)
    return draft, vary_findings(vary_states(vary_edges(convert(draft), seed), seed), seed)
