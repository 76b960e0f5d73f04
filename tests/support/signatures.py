"""Files of several models, one a subgraph, with signatures."""

from typing import Any

from ai_edge_litert import schema_py_generated as schema

from support.assembled import Assembly


def several(*names: str, subgraphs: tuple[int, ...] = (0, 1, 2)) -> bytes:
    """A file of one op a subgraph, and a signature for each of these subgraphs, called like its op in small letters."""
    assembly = Assembly()
    for name in names:
        part = assembly.subgraph()
        source = part.tensor((1, 12), (0.04, 3))
        output = part.tensor((1, 12), (1 / 256, -128))
        part.op(name, [source], [output])
        part.edges([source], [output])
    assembly.model.signatureDefs = []
    for index in subgraphs:
        signature: Any = schema.SignatureDefT()
        signature.signatureKey, signature.subgraphIndex = names[index].lower().encode(), index
        signature.inputs, signature.outputs = [], []
        for ports, place in ((signature.inputs, 0), (signature.outputs, 1)):
            port: Any = schema.TensorMapT()
            port.name, port.tensorIndex = b"x", place
            ports.append(port)
        assembly.model.signatureDefs.append(signature)
    return assembly.pack()
