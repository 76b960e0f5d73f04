"""Random small networks for the compiler's proof: a seed gives a draft, a draft an int8 .tflite, TFLite Micro the answers.

Half of the seeds go through Keras and the TensorFlow Lite converter, as a user's model does; the others are written by hand, with
numbers that training would never give. Used by the tests beside this folder and by ``campaigns/compiler.py``.
"""

from random_models.drafts import Draft, draw
from random_models.edges import vary_edges
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

    One in six then gets further inputs and outputs, one in six state.

    Raises:
        RefusedError: the converter does not take it (nothing of the compiler's).
    """
    draft = draw(seed, for_keras=seed % 2 == 0)
    if seed % 2:
        from random_models.by_hand import write

        return draft, vary_states(vary_edges(write(draft), seed), seed)
    from random_models.with_keras import convert

    return draft, vary_states(vary_edges(convert(draft), seed), seed)
