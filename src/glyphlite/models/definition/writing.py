"""A definition to the text of a model file, which reads back as the same data."""

from dataclasses import fields
from typing import Any

import tomli_w

from glyphlite.models.definition.definition import ModelDefinition, layer_keys
from glyphlite.models.definition.keys import is_required
from glyphlite.models.recipe import Recipe

_HEAD = (
    "# A model that glyphlite trains: glyphlite run --model FILE\n"
    '# Every key: docs/reference/model-file.md, or glyphlite\'s site, "Model files".\n'
)


def write_definition(definition: ModelDefinition) -> str:
    """Returns the text of a file that defines a model: one line a layer, then the recipe; what is left out has its own value."""
    architecture, size = definition.architecture, definition.input_size
    document: dict[str, Any] = {"name": architecture.name}
    if definition.description:
        document["description"] = definition.description
    if size:
        document["input_size"] = list(size)
    if architecture.weight_bits != 8:
        document["weight_bits"] = architecture.weight_bits
    if not architecture.biased_scores:
        document["biased_scores"] = False
    layers = "".join(f"    {{ {_inline(layer_keys(layer))} }},\n" for layer in architecture.layers)
    always = ("quantized_epochs",) if architecture.is_quantization_aware else ()
    recipe = tomli_w.dumps({"recipe": _recipe(definition.recipe, always)})
    return f"{_HEAD}{tomli_w.dumps(document)}layers = [\n{layers}]\n\n{recipe}"


def _inline(values: dict[str, object]) -> str:
    """Returns plain values as one line of keys."""
    return ", ".join(tomli_w.dumps({key: value}).strip() for key, value in values.items())


def _recipe(recipe: Recipe, always: tuple[str, ...]) -> dict[str, Any]:
    """Returns a recipe as plain data without what has the record's own value, but for ``always``."""
    return _plain(
        {
            field.name: getattr(recipe, field.name)
            for field in fields(recipe)
            if is_required(field) or field.name in always or getattr(recipe, field.name) != field.default
        }
    )


def _plain(values: dict[str, Any]) -> dict[str, Any]:
    """Returns values as TOML holds them: records as tables, tuples as arrays."""
    plain = {}
    for key, value in values.items():
        if hasattr(value, "__dataclass_fields__"):
            plain[key] = _plain(
                {
                    field.name: each
                    for field in fields(value)
                    if (each := getattr(value, field.name)) != field.default or is_required(field)
                }
            )
        else:
            plain[key] = list(value) if isinstance(value, tuple) else value
    return plain
