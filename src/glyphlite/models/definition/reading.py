"""A model file to its definition. Whatever is wrong with one becomes a single ModelError: the file, the line, what was expected
and what was found. Reads TOML by ``tomllib``; what the layers make of an image is looked at in ``shapes``.
"""

import re
import tomllib
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any, NoReturn

from glyphlite.errors import ModelError, did_you_mean
from glyphlite.files.untrusted import parsing, read_input, reason_of
from glyphlite.models.architecture import Architecture, FoldedConv, FoldedDepthwise, Layer
from glyphlite.models.definition.definition import ModelDefinition, StoredDefinition, default_recipe
from glyphlite.models.definition.keys import (
    FLOAT_ONLY,
    KINDS,
    LEAVE_A_ROW,
    MODEL_KEYS,
    MOST_LAYERS,
    NEED_MAPS,
    RECIPE,
    TRAINED_FOR_INT8,
    Key,
    Real,
    Table,
    keys_of,
    required_keys,
)
from glyphlite.models.definition.positions import DEEPEST, TooDeepError, positions
from glyphlite.models.recipe import Recipe, Schedule

LARGEST_FILE = 1 << 20
"""Bytes."""
EXPECTED = "a model file (TOML)"
_RESERVED = ("pred", "softmax", "input_layer", "rounded_input")
"""Names of what every model has besides its layers."""
_SYNTAX_LINE = re.compile(r" \(at line (\d+), column \d+\)$")
_LONG_NUMBER = re.compile(r"[0-9_]{1000,}")
_LONGEST_SHOWN = 60


def read_definition(path: Path) -> StoredDefinition:
    """Returns the model that a file defines.

    Raises:
        ModelError: it is missing, no regular file, larger than :data:`LARGEST_FILE`, no TOML, or defines no model.
    """
    content = read_input(path, EXPECTED, ModelError, LARGEST_FILE)
    try:
        text = content.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as failure:
        line = content[: failure.start].count(b"\n") + 1
        raise ModelError(f"{path}:{line}: byte 0x{content[failure.start]:02x} is no UTF-8; save the file as UTF-8") from None
    document, lines = _parsed(path, text)
    return _Reader(path, lines).definition(document, content)


def _parsed(path: Path, text: str) -> tuple[dict[str, Any], dict[tuple[str | int, ...], int]]:
    try:
        lines = positions(text)
    except TooDeepError as failure:
        raise ModelError(f"{path}:{failure.line}: nested more than {DEEPEST} deep; a model needs three") from None

    def refusal(failure: BaseException) -> str:
        if isinstance(failure, tomllib.TOMLDecodeError):
            words = str(failure)
            if found := _SYNTAX_LINE.search(words):
                return f"{path}:{found[1]}: this is no TOML: {words[: found.start()]}"
            last = max(1, text.rstrip("\n").count("\n") + 1)
            return f"{path}:{last}: this is no TOML: {words}"
        if number := _LONG_NUMBER.search(text):
            return f"{path}:{text.count(chr(10), 0, number.start()) + 1}: a number of {len(number[0]):,} digits"
        return f"{path} is no TOML: {reason_of(failure)}"

    with parsing(refusal, ModelError):
        return tomllib.loads(text), lines


class _Reader:
    """One file: what its tables say, and where."""

    def __init__(self, path: Path, lines: dict[tuple[str | int, ...], int]) -> None:
        self.path, self.lines = path, lines

    def definition(self, document: dict[str, Any], content: bytes) -> StoredDefinition:
        given = {key: value for key, value in document.items() if key not in ("layers", "recipe")}
        self._check((), given, MODEL_KEYS, "the file", more=("layers", "recipe"))
        name = given.get("name", self.path.stem)
        if not MODEL_KEYS["name"].value.accepts(name):
            raise ModelError(f'{self.path}:1: the model has no name; add a first line such as name = "my-net"')
        layers = self._layers(document)
        architecture = Architecture(name, layers, given.get("weight_bits", 8), given.get("biased_scores", True))
        self._check_weight_bits(architecture)
        recipe = self._recipe(document.get("recipe", {}), architecture)
        size = given.get("input_size")
        definition = ModelDefinition(architecture, recipe, given.get("description", ""), tuple(size) if size else None)
        return StoredDefinition(definition, self.path, content, self.lines)

    def _layers(self, document: dict[str, Any]) -> tuple[Layer, ...]:
        tables = document.get("layers")
        if not isinstance(tables, list) or not tables or not all(isinstance(each, dict) for each in tables):
            where = ("layers",) if "layers" in document else ()
            self._refuse(where, 'a model needs layers; add them as layers = [ { kind = "Flatten" } ], one table for each')
        if len(tables) > MOST_LAYERS:
            self._refuse(("layers",), f"{len(tables):,} layers, more than the {MOST_LAYERS:,} allowed")
        layers: list[Layer] = []
        counts: dict[str, int] = {}
        for index, table in enumerate(tables):
            layer = self._layer(("layers", index), table, counts)
            self._check_name(("layers", index), layer, layers)
            self._check_use(("layers", index), layer, layers)
            layers.append(layer)
        self._check_mixture(layers)
        self._check_order(layers)
        return tuple(layers)

    def _layer(self, where: tuple[str | int, ...], table: dict[str, Any], counts: dict[str, int]) -> Layer:
        kind = table.get("kind")
        if kind is None:
            self._refuse(where, f'this layer has no kind; add kind = "Dense", or another of {", ".join(KINDS)}')
        if not isinstance(kind, str) or kind not in KINDS:
            guess = did_you_mean(kind, KINDS) if isinstance(kind, str) else ""
            self._refuse((*where, "kind"), f"there is no kind of layer {_shown(kind)}{guess}; expected {', '.join(KINDS)}")
        given = {key: value for key, value in table.items() if key != "kind"}
        self._check(where, given, keys_of(kind), f"a {kind}", required_keys(KINDS[kind]), more=("kind",))
        counts[kind] = counts.get(kind, 0) + 1
        given.setdefault("name", f"{kind.lower()}{counts[kind]}")
        return KINDS[kind](**_taken(given, keys_of(kind)))

    def _check_name(self, where: tuple[str | int, ...], layer: Layer, before: list[Layer]) -> None:
        if layer.name in _RESERVED:
            self._refuse((*where, "name"), f"{layer.name} is the name of a layer that every model has; choose another")
        for index, other in enumerate(before):
            if other.name == layer.name:
                first = self._line(("layers", index))
                self._refuse((*where, "name"), f"the layer on line {first} is called {layer.name}, too; give one another name")

    def _check_use(self, where: tuple[str | int, ...], layer: Layer, before: list[Layer]) -> None:
        """Checks that the layer whose weights this one uses is there, and one like it."""
        if not isinstance(layer, FoldedConv | FoldedDepthwise) or layer.weights_of is None:
            return
        source = next((each for each in before if each.name == layer.weights_of), None)
        if source is None:
            self._refuse((*where, "weights_of"), f"no layer above is called {layer.weights_of}")
        if source != replace(layer, name=source.name, weights_of=None, padding=getattr(source, "padding", "")):
            line = self._line(("layers", before.index(source)))
            self._refuse(
                (*where, "weights_of"),
                f"{layer.name} is not like {source.name} on line {line}: kind, sizes, stride and bias must be the same, and "
                f"{source.name} must have weights of its own",
            )

    def _check_mixture(self, layers: Iterable[Layer]) -> None:
        kinds = [type(layer).__name__ for layer in layers]
        aware = next((kind for kind in kinds if kind in TRAINED_FOR_INT8), None)
        plain = next((kind for kind in kinds if kind in FLOAT_ONLY), None)
        if aware and plain:
            self._refuse(
                ("layers", kinds.index(plain), "kind"),
                f"a {plain} is trained in float, the {aware} on line {self._line(('layers', kinds.index(aware)))} for int8; "
                f"expected {', '.join(FLOAT_ONLY)}, or {', '.join(TRAINED_FOR_INT8)}",
            )

    def _check_order(self, layers: Iterable[Layer]) -> None:
        """Checks that windows move over maps, that dense layers and the scores see a row of numbers."""
        flat = False
        for index, layer in enumerate(layers):
            kind = type(layer).__name__
            if flat and kind in NEED_MAPS:
                self._refuse(("layers", index), f"a {kind} needs maps, but the layers above leave a row; put it before them")
            if not flat and kind == "Dense":
                self._refuse(("layers", index), 'a Dense needs a row of numbers; put { kind = "Flatten" } before it')
            flat = flat or kind in LEAVE_A_ROW
        if not flat:
            self._refuse(("layers",), f"the last layers leave maps; end with one of {' or '.join(LEAVE_A_ROW)}")

    def _check_weight_bits(self, architecture: Architecture) -> None:
        if architecture.weight_bits < 8 and not architecture.is_quantization_aware:
            kinds = ", ".join(TRAINED_FOR_INT8)
            self._refuse(("weight_bits",), f"4-bit weights need layers that are trained for int8: {kinds}")

    def _recipe(self, table: Any, architecture: Architecture) -> Recipe:
        if not isinstance(table, dict):
            self._refuse(("recipe",), f"recipe is {_shown(table)}; expected {RECIPE.words}")
        given = self._table(("recipe",), table, RECIPE, "a recipe", required=())
        base = default_recipe(architecture.name, quantization_aware=architecture.is_quantization_aware)
        if "quantized_epochs" not in given:
            base = replace(base, quantized_epochs=min(base.quantized_epochs, given.get("epochs", base.epochs) - 1))
        if not given.get("quantized_epochs", base.quantized_epochs):
            base = replace(base, quantized_epochs=0, quantized_schedule=None)
        recipe = replace(base, **given)
        self._check_recipe(recipe, architecture)
        return recipe

    def _check_recipe(self, recipe: Recipe, architecture: Architecture) -> None:
        """Checks what several keys of a recipe, or a recipe and its layers, have to agree on."""
        where = ("recipe",)
        aware, narrow = architecture.is_quantization_aware, architecture.weight_bits < 8
        for key, schedule in (("schedule", recipe.schedule), ("quantized_schedule", recipe.quantized_schedule)):
            self._check_schedule((*where, key), schedule)
        if recipe.quantized_epochs and not aware:
            kinds = ", ".join(TRAINED_FOR_INT8)
            self._refuse((*where, "quantized_epochs"), f"epochs with int8 simulated need layers that are trained for it: {kinds}")
        if recipe.quantized_epochs >= recipe.epochs:
            self._refuse(
                (*where, "quantized_epochs"),
                f"quantized_epochs is {recipe.quantized_epochs:,}; expected fewer than the {recipe.epochs:,} epochs",
            )
        if aware and not recipe.quantized_epochs:
            words = (
                f"these layers are trained for int8: set quantized_epochs to 1 or more, and epochs above it (now {recipe.epochs})"
            )
            self._refuse((*where, "quantized_epochs"), words)
        if recipe.freezing and not narrow:
            self._refuse((*where, "freezing"), "freezing is for 4-bit weights; set weight_bits = 4, or leave it out")
        if recipe.warps_seed is not None and not recipe.augmentation:
            self._refuse((*where, "warps_seed"), "warps_seed is of an augmentation; name one, or leave it out")
        known = [layer.name for layer in architecture.layers if isinstance(layer, FoldedConv)]
        for name in recipe.narrowed or ():
            if name not in known:
                guess = did_you_mean(name, known)
                self._refuse((*where, "narrowed"), f"no FoldedConv is called {name}{guess}; narrowed names such layers")

    def _check_schedule(self, where: tuple[str | int, ...], schedule: Schedule | None) -> None:
        if schedule is None:
            return
        if schedule.floor > schedule.peak:
            self._refuse((*where, "floor"), f"floor is {schedule.floor:g}; expected at most the peak, {schedule.peak:g}")
        if schedule.kind == "exponential_floor" and not schedule.decay_epochs:
            self._refuse((*where, "decay_epochs"), "exponential_floor needs decay_epochs above 0, such as decay_epochs = 3.0")

    def _table(
        self, where: tuple[str | int, ...], table: dict[str, Any], kind: Table, what: str, required: tuple[str, ...]
    ) -> dict[str, Any]:
        """Returns the values of a table as its record takes them, tables inside it as records."""
        self._check(where, table, kind.keys, what, required)
        inner: dict[str, Any] = {}
        for key, value in table.items():
            kept = kind.keys[key].value
            if isinstance(kept, Table):
                inner[key] = kept.record(**self._table((*where, key), value, kept, f"a {key}", required_keys(kept.record)))
        return {**_taken(table, kind.keys), **inner}

    def _check(
        self,
        where: tuple[str | int, ...],
        table: dict[str, Any],
        keys: dict[str, Key],
        what: str,
        required: tuple[str, ...] = (),
        more: tuple[str, ...] = (),
    ) -> None:
        """Checks each key of a table, what it says, and that the required ones are there.

        Args:
            where: the table's path.
            table: what it says.
            keys: those that it may have.
            what: whose keys these are, for the error.
            required: keys that it must have.
            more: keys that it may have, which were looked at before.
        """
        for key, value in table.items():
            if key not in keys:
                known = (*more, *keys)
                self._refuse(
                    (*where, key), f"{what} has no key {_shown(key)}{did_you_mean(key, known)}; it has {', '.join(known)}"
                )
            if not keys[key].value.accepts(value):
                self._refuse((*where, key), f"{key} is {_shown(value)}; expected {keys[key].value.words}")
        for key in required:
            if key not in table:
                self._refuse(where, f"{what} needs the key {key}: {keys[key].value.words}")

    def _line(self, where: tuple[str | int, ...]) -> int:
        """Returns the line of a path, or of the nearest one around it."""
        while where and where not in self.lines:
            where = where[:-1]
        return self.lines.get(where, 1)

    def _refuse(self, where: tuple[str | int, ...], words: str) -> NoReturn:
        raise ModelError(f"{self.path}:{self._line(where)}: {words}")


def _taken(table: dict[str, Any], keys: dict[str, Key]) -> dict[str, Any]:
    """Returns the values as records hold them."""
    return {
        key: float(value) if isinstance(keys[key].value, Real) else tuple(value) if isinstance(value, list) else value
        for key, value in table.items()
        if not isinstance(keys[key].value, Table)
    }


def _shown(value: Any) -> str:
    """Returns a value of the file as an error shows it: of a long one only the beginning, of a collection what it is."""
    if isinstance(value, dict | list):
        return f"{'a table' if isinstance(value, dict) else 'an array'} of {len(value):,}"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int) and value.bit_length() > 256:
        return "a number of very many digits"
    text = repr(value) if isinstance(value, str) else str(value)
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}..."
