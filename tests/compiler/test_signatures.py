"""Files of several signatures: the first subgraph is the model, as TFLite Micro takes it; what follows it is checked alike."""

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from random_models.differential import examine
from random_models.harness import PATHS
from support.assembled import Assembly
from support.signatures import several

from glyphlite.compiler import compile_graph
from glyphlite.errors import ArtifactError
from glyphlite.evaluation.inspection import describe
from glyphlite.export.tflm.op_resolver import resolver_entries
from glyphlite.tflite.reader import parse_graph

OPS: tuple[str, ...] = ("LOGISTIC", "ABS", "RELU")


@pytest.mark.parametrize("path", PATHS)
def test_the_first_subgraph_is_what_generated_c_and_tflite_micro_run(path: str):
    models = [several(*(OPS[(first + place) % 3] for place in range(3))) for first in range(3)]
    verdicts = examine(models, inputs=12, path=path)
    assert [verdict.outcome for verdict in verdicts] == ["equal"] * 3, verdicts
    assert len({compile_graph(parse_graph(model), "net").files["net.c"] for model in models}) == 3


def test_inspect_names_the_signatures_that_are_not_looked_at():
    content = several(*OPS, subgraphs=(1, 0))
    inspection = describe(parse_graph(content), content, "m")
    assert inspection.signatures == ["abs", "logistic"]
    assert (inspection.subgraphs, inspection.other_signatures) == (3, ["abs", "subgraph 2"])
    assert [operator.name for operator in inspection.operators] == ["LOGISTIC"]


def test_a_tflite_micro_program_registers_the_ops_of_all_of_them():
    assert [entry.name for entry in resolver_entries(parse_graph(several(*OPS)), "m")] == list(OPS)


@pytest.mark.parametrize("place", [0, 1])
def test_a_model_that_runs_another_is_refused(place: int):
    names: list[str] = list(OPS)
    names[place] = "CALL"
    with pytest.raises(ArtifactError, match="3 subgraphs, and number 1 takes or gives tensors"):
        parse_graph(several(*names))


def test_any_op_of_the_others_is_checked():
    assembly = Assembly.of(schema.ModelT.InitFromObj(schema.Model.GetRootAs(several(*OPS))))
    assembly.model.subgraphs[2].tensors[1].shape = np.array([1, 13], np.int32)
    with pytest.raises(ArtifactError, match=r"subgraph 2: op 0 \(RELU\)"):
        parse_graph(assembly.pack())
