"""Each model of a file in turn as its first, which every runtime runs."""

import numpy as np
from random_models.oracle import Oracle
from support.assembled import Assembly
from support.signatures import several

from glyphlite.tflite.reader import parse_graph
from glyphlite.tflite.rewrite.several_models import other_models, with_leading
from glyphlite.tflite.writer import pack_model, unpack_model


def test_the_model_of_a_signature_is_run_where_it_leads() -> None:
    content = several("LOGISTIC", "ABS", "RELU")
    inputs = np.arange(-12, 12, dtype=np.int8).reshape(2, 1, 12)
    assert other_models(content) == [1, 2]
    for place, name in ((1, "ABS"), (2, "RELU")):
        leading = with_leading(content, place)
        assert [operator.name for operator in parse_graph(leading).operators] == [name]
        assert np.array_equal(Oracle(leading).run(inputs), Oracle(several(name, subgraphs=(0,))).run(inputs))
        assert {each.signatureKey: each.subgraphIndex for each in unpack_model(leading).signatureDefs}[b"logistic"] == place
        assert with_leading(leading, place) == pack_model(unpack_model(content))


def test_what_names_a_subgraph_follows_it() -> None:
    assembly = Assembly()
    for _ in range(3):
        assembly.subgraph()
    part = assembly.subgraph()
    part.op("CALL_ONCE", [], [], "CallOnceOptions", initSubgraphIndex=0)
    part.op("WHILE", [], [], "WhileOptions", condSubgraphIndex=3, bodySubgraphIndex=2)
    part.op("CALL", [], [], "CallOptions", subgraph=1)
    first = unpack_model(with_leading(assembly.pack(), 3)).subgraphs[0]
    once, loop, call = (operator.builtinOptions for operator in first.operators)
    assert (once.initSubgraphIndex, loop.condSubgraphIndex, loop.bodySubgraphIndex, call.subgraph) == (3, 0, 2, 1)
    assert other_models(assembly.pack()) == []
