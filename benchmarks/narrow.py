"""Puts a pretrained model's twin with INT4 layers into the package: what training it again would end with, without training.

    python benchmarks/narrow.py glyph-50kmac glyph-2kram

The twin's recipe is the other's, but that layers are rounded to four bits at the end (``Recipe.narrowed``). That rounding is done
here on what the other's trainings left: for the chosen seed on its Keras model, which is then converted; for the other seeds on
their int8 files, as their Keras models are not in the package. Validation images choose the seed; the test split is not looked
at.
"""

import argparse
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from ship import answers, require_own_recipe, share_right

from glyphlite.console import quiet_tensorflow, say
from glyphlite.datasets.dataset import Dataset, as_float
from glyphlite.datasets.registry import load_dataset
from glyphlite.errors import GlyphliteError, ModelError
from glyphlite.files.folders import atomic_folder
from glyphlite.files.single import sha256_of, write_json
from glyphlite.models import pretrained
from glyphlite.models.pretrained import CARD, INT8, KERAS, TrainedSeed, pretrained_artifact, pretrained_card, pretrained_keras
from glyphlite.models.qat.compensated_rounding import NARROWING_IMAGES, compensated_codes, narrow_layers
from glyphlite.models.zoo.glyph_family import FRONTIER

_FINE = 18
"""Int8 codes to one of four bits: what reads the latter out of a file takes half a code of int8 for rounding."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", help="the pretrained model")
    parser.add_argument("twin", help="the model whose recipe says which layers are rounded")
    parser.add_argument("--root", type=Path, default=pretrained.ROOT, help="where the models go (the package)")
    arguments = parser.parse_args()
    quiet_tensorflow()
    try:
        narrow(arguments.source, arguments.twin, arguments.root)
    except GlyphliteError as error:
        raise SystemExit(f"narrow.py: {error}") from None
    return 0


def narrow(source: str, twin: str, root: Path) -> None:
    """Writes the twin's folder.

    Raises:
        ModelError: the twin is not known, has no layers to round, or its recipe is not the source's but for that; the source was
            trained on all images; or another seed than the source's is the best on validation.
    """
    from glyphlite.evaluation.confidence import fit_confidence
    from glyphlite.tflite.cost import total_macs, weight_bytes
    from glyphlite.tflite.reader import read_graph

    known = next((each for each in FRONTIER if each.architecture.name == twin), None)
    if known is None or not known.recipe.narrowed:
        raise ModelError(f"{twin} is not a member of the family with layers to round")
    card = pretrained_card(source)
    if card.all_images:
        raise ModelError(f"{source} was trained on the validation images, too, which choose here; train {twin} itself")
    require_own_recipe(f"the pretrained {source}", source, card.recipe)
    recipe = {**card.recipe, "name": known.recipe.name, "narrowed": list(known.recipe.narrowed)}
    require_own_recipe(f"the pretrained {source}, rounded,", twin, recipe)
    dataset = load_dataset(card.dataset, seed=card.split_seed or 0)
    with tempfile.TemporaryDirectory() as temporary:
        made = Path(temporary)
        seeds = []
        for each in card.seeds:
            folder = made / f"seed-{each.seed}"
            folder.mkdir()
            if each.seed == card.chosen:
                _from_keras(pretrained_keras(source), known.recipe.narrowed, dataset, made / KERAS, folder / INT8)
                content = (folder / INT8).read_bytes()
            else:
                content = pretrained_artifact(source, each.seed).read_bytes()
                content = narrowed_file(content, known.recipe.narrowed, dataset)
            (folder / INT8).write_bytes(called(content, twin, pretrained_artifact(source, each.seed)))
            scores, graph = answers(folder / INT8, dataset), read_graph(folder / INT8)
            seeds.append(
                TrainedSeed(
                    seed=each.seed,
                    validation_accuracy=share_right(scores, dataset),
                    float_validation_accuracy=each.float_validation_accuracy,
                    best_epoch=each.best_epoch,
                    seconds=each.seconds,
                    bytes=(folder / INT8).stat().st_size,
                    weight_bytes=weight_bytes(graph),
                    macs=total_macs(graph),
                    sha256=sha256_of(folder / INT8),
                    certainty=fit_confidence(scores, dataset.validation.labels).model_dump(mode="json"),
                )
            )
            say(f"seed {each.seed}: {each.validation_accuracy:.2%} of validation, {seeds[-1].validation_accuracy:.2%} rounded")
        index = next(index for index, each in enumerate(seeds) if each.seed == card.chosen)
        best = replace(seeds[index], float_validation_accuracy=share_right(answers(made / KERAS, dataset), dataset))
        seeds[index] = best
        if any(each.validation_accuracy > best.validation_accuracy for each in seeds):
            raise ModelError(f"another seed than {source}'s is now the best; its Keras model is not in the package")
        twin_card = replace(
            card,
            model=twin,
            recipe=recipe,
            note=f"the files that {source}'s trainings left, rounded by benchmarks/narrow.py; not trained again",
            keras_sha256=sha256_of(made / KERAS),
            seeds=tuple(seeds),
        )
        with atomic_folder(root / twin) as folder:
            for path in (each for each in made.rglob("*") if each.is_file()):
                place = folder / path.relative_to(made)
                place.parent.mkdir(exist_ok=True)
                place.write_bytes(path.read_bytes())
            write_json(folder / CARD, twin_card.document())


def _from_keras(path: Path, names: tuple[str, ...], dataset: Dataset, keras_path: Path, artifact: Path) -> None:
    """Rounds layers of a Keras model, and writes it and its int8 file."""
    from glyphlite.conversion.converter import convert
    from glyphlite.models.loading import load_keras_model
    from glyphlite.models.saving import save_keras

    model = load_keras_model(path)
    narrow_layers(model, names, as_float(dataset.train.images[:NARROWING_IMAGES]))
    save_keras(model, keras_path)
    artifact.write_bytes(convert(load_keras_model(keras_path), "int8", labels=dataset.labels).content)


def narrowed_file(content: bytes, names: tuple[str, ...], dataset: Dataset) -> bytes:
    """Rounds layers of an int8 file: their weights become INT4, their biases follow the scales."""
    from glyphlite.tflite.rewrite.declarations import with_true_declarations
    from glyphlite.tflite.rewrite.int4_weights import with_narrow_weights
    from glyphlite.tflite.writer import pack_model, unpack_model

    model = unpack_model(content)
    tensors = model.subgraphs[0].tensors
    for name in names:
        operator = next(each for each in model.subgraphs[0].operators if _text(tensors[each.outputs[0]].name) == name)
        inputs, weights, bias = (tensors[index] for index in operator.inputs[:3])
        seen = _values(content, operator.inputs[0], dataset.train.images[:NARROWING_IMAGES]).astype(np.float64)
        seen = (seen - inputs.quantization.zeroPoint[0]).reshape(len(seen), -1)
        scales = np.asarray(weights.quantization.scale, np.float64)
        stored = np.frombuffer(bytes(model.buffers[weights.buffer].data), np.int8).reshape(len(scales), -1)
        codes, steps = compensated_codes(stored * scales[:, None], seen.T @ seen / len(seen))
        steps = steps / _FINE
        model.buffers[weights.buffer].data = np.frombuffer((_FINE * codes).astype(np.int8).tobytes(), np.uint8)
        weights.quantization.scale = steps.astype(np.float32)
        sums = np.frombuffer(bytes(model.buffers[bias.buffer].data), np.int32) * scales / steps
        model.buffers[bias.buffer].data = np.frombuffer(np.round(sums).astype(np.int32).tobytes(), np.uint8)
        bias.quantization.scale = (np.asarray(bias.quantization.scale) / scales * steps).astype(np.float32)
    return with_true_declarations(with_narrow_weights(bytes(pack_model(model))))


def called(content: bytes, name: str, source: Path) -> bytes:
    """Returns a file with the metadata of the one that it was made from, under its own name."""
    from glyphlite.tflite.metadata import add_metadata, read_metadata

    return add_metadata(content, replace(read_metadata(source.read_bytes()), name=name.replace("-", "_")))


def _text(name: Any) -> str:
    return name.decode() if isinstance(name, bytes) else str(name)


def _values(content: bytes, tensor: int, images: np.ndarray) -> np.ndarray:
    """Returns what a tensor of an int8 file holds for each image, as LiteRT's built-in kernels compute it."""
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    interpreter = Interpreter(
        model_content=content,
        experimental_preserve_all_tensors=True,
        experimental_op_resolver_type=OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
    )
    place = interpreter.get_input_details()[0]["index"]
    interpreter.allocate_tensors()
    found = []
    for image in images:
        interpreter.set_tensor(place, (image[np.newaxis].astype(np.int16) - 128).astype(np.int8))
        interpreter.invoke()
        found.append(interpreter.get_tensor(tensor).copy())
    return np.concatenate(found)


if __name__ == "__main__":
    raise SystemExit(main())
