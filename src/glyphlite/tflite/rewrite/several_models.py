"""Files of several models, one a signature: each in turn as the first, which is the one that every runtime runs unless told."""

from collections.abc import Iterator
from typing import Any

from glyphlite.tflite.writer import pack_model, unpack_model


def other_models(content: bytes) -> list[int]:
    """Returns the subgraphs beside the first that a signature runs."""
    return sorted({each.subgraphIndex for each in unpack_model(content).signatureDefs or []} - {0})


def with_leading(content: bytes, place: int) -> bytes:
    """Returns the same file with the subgraph of a place and the first exchanged, and all that names either."""
    model = unpack_model(content)
    graphs = model.subgraphs
    graphs[0], graphs[place] = graphs[place], graphs[0]
    now = {0: place, place: 0}
    for record, field in _references(model):
        named = getattr(record, field)
        several = not isinstance(named, int)
        setattr(record, field, [now.get(each, each) for each in named] if several else now.get(named, named))
    return pack_model(model)


def _references(model: Any) -> Iterator[tuple[Any, str]]:
    """Yields every record of an object model that names a subgraph by its index, and the field that does."""
    for signature in model.signatureDefs or []:
        yield signature, "subgraphIndex"
    for operator in (operator for graph in model.subgraphs for operator in graph.operators or []):
        for options in (operator.builtinOptions, operator.builtinOptions2):
            for field in vars(options) if options is not None else ():
                if "ubgraph" in field and getattr(options, field) is not None:
                    yield options, field
