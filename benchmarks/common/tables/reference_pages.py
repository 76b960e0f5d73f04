"""The generated parts of docs/reference: every command and option, every key of results.json and of a model file, every op."""

import ast
import inspect
import re
from collections.abc import Iterator
from typing import Any, get_args

from pydantic import BaseModel

from common.tables import markdown_table


def commands() -> str:
    """Returns every command with its arguments and options, as Typer knows them."""
    from typer.main import get_command

    from glyphlite.cli import app

    group: Any = get_command(app)
    parts = []
    for name, command in sorted(_leaves(group)):
        context = command.make_context(name, [], resilient_parsing=True)
        context.info_name = f"glyphlite {name}"
        usage = command.get_usage(context).removeprefix("Usage: ").replace("\n", " ")
        rows = [_option_row(parameter, context) for parameter in command.params]
        table = markdown_table(("Argument or option", "Meaning"), rows, words=2)
        example = (command.epilog or "").removeprefix("Example: ")
        help_text = " ".join(inspect.cleandoc(command.help or "").split())
        parts.append(f"### glyphlite {name}\n\n{help_text}\n\n    {re.sub(r' +', ' ', usage)}\n\n{table}\n\nExample: `{example}`")
    return "\n\n".join(parts)


def _leaves(group: Any, before: str = "") -> Iterator[tuple[str, Any]]:
    """Yields every command with its name, those of a group behind the group's."""
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from _leaves(command, f"{before}{name} ")
        else:
            yield f"{before}{name}", command


def records() -> str:
    """Returns a table per record of results.json: key, type, and the meaning that stands under the field."""
    import glyphlite.records
    import glyphlite.results as module

    meanings = _meanings(inspect.getsource(module)) | _meanings(inspect.getsource(glyphlite.records))
    parts = []
    for record in _reachable(module.Results):
        name = record.__name__
        rows = [
            (f"`{field.alias or key}`", _type_words(field.annotation), _cell(meanings[name][key]))
            for key, field in record.model_fields.items()
        ]
        rows += [
            (f"`{key}`", _type_words(field.return_type), _cell(field.description or ""))
            for key, field in record.model_computed_fields.items()
        ]
        title = "The document" if record is module.Results else name
        parts.append(f"### {title}\n\n{markdown_table(('Key', 'Type', 'Meaning'), rows, words=3)}")
    return "\n\n".join(parts)


def model_keys() -> str:
    """Returns a table of each part of a model file: key, values, what holds where it is left out, and the meaning."""
    from glyphlite.models.architecture import Architecture
    from glyphlite.models.definition.definition import default_recipe
    from glyphlite.models.definition.keys import LAYER_KEYS, MODEL_KEYS, RECIPE, Table, required_keys

    plain = default_recipe("", quantization_aware=False)

    def table(keys: dict[str, Any], owner: Any, needed: tuple[str, ...] = ()) -> str:
        rows = [
            (f"`{name}`", _cell(key.value.words), "needed" if name in needed else _default_words(owner, name), _cell(key.meaning))
            for name, key in keys.items()
        ]
        return markdown_table(("Key", "Value", "Left out", "Meaning"), rows, words=4)

    def tables(part: Table, title: str) -> Iterator[str]:
        whole = part is RECIPE
        keys = table(part.keys, plain if whole else part.record, () if whole else required_keys(part.record))
        yield f"### {title}\n\n{keys}"
        for name, key in part.keys.items():
            if isinstance(key.value, Table) and name != "quantized_schedule":
                extra = " and `[recipe.quantized_schedule]`" if name == "schedule" else ""
                yield from tables(key.value, f"`[recipe.{name}]`{extra}")

    document = f"### The document\n\n{table(MODEL_KEYS, Architecture)}"
    rows = [(f"`{name}`", _cell(key.value.words), _cell(key.meaning)) for name, key in LAYER_KEYS.items()]
    layers = f"### Keys of layers\n\n{markdown_table(('Key', 'Value', 'Meaning'), rows, words=3)}"
    return "\n\n".join((document, layers, *tables(RECIPE, "`[recipe]`")))


def layer_kinds() -> str:
    """Returns the kinds of layers of a model file, with the keys that each needs and those that it may have."""
    from glyphlite.models.definition.keys import FLOAT_ONLY, KINDS, TRAINED_FOR_INT8, keys_of, required_keys

    rows = []
    for kind, record in KINDS.items():
        needed = required_keys(record)
        optional = [name for name in keys_of(kind) if name not in needed]
        trained = "for int8" if kind in TRAINED_FOR_INT8 else "in float" if kind in FLOAT_ONLY else "both"
        meaning = _cell(inspect.cleandoc(record.__doc__ or "").split("\n\n")[0])
        rows.append((f"`{kind}`", _names(needed) or "-", _names(optional), trained, meaning))
    return markdown_table(("Kind", "Needs", "May have", "Trained", "What it is"), rows, words=5)


def _names(keys: Any) -> str:
    return ", ".join(f"`{name}`" for name in keys)


def _default_words(owner: Any, name: str) -> str:
    """Returns what holds where a key of a record is left out."""
    value = getattr(owner, name, None)
    if value in (None, ""):
        return "-"
    if hasattr(value, "kind"):
        return f"`{value.kind}`, peak {value.peak:g}"
    return f"`{str(value).lower()}`" if isinstance(value, bool) else f'`"{value}"`' if isinstance(value, str) else f"`{value}`"


def ops() -> str:
    """Returns the ops that generated C accepts, those that it refuses with what replaces them, and which TFLite Micro has."""
    from glyphlite.compiler.lower import ADVICE
    from glyphlite.compiler.ops import BEGINS, OPS
    from glyphlite.compiler.ops.int16.table import INT16_OPS
    from glyphlite.export.tflm.op_resolver import TFLM_OPS
    from glyphlite.tflite.rewrite.folding import COMPUTED_AHEAD

    def micro(name: str) -> str:
        return "yes" if name in TFLM_OPS else "no"

    wide = INT16_OPS.keys() | (BEGINS & OPS.keys())
    rows = [(name, "yes", "yes" if name in wide else "no", micro(name), "") for name in sorted(OPS)]
    ahead = sorted(COMPUTED_AHEAD - OPS.keys())
    rows += [(name, "of constants", "of constants", micro(name), ADVICE.get(name, "")) for name in ahead]
    rows += [(name, "no", "no", micro(name), ADVICE[name]) for name in sorted(ADVICE.keys() - set(ahead))]
    return markdown_table(("Op", "Generated C", "int16", "TensorFlow Lite Micro", "Instead"), rows, words=5)


def _option_row(parameter: Any, context: Any) -> tuple[str, str]:
    """Returns an argument or option with what its value is, and its help with its default, as ``--help`` shows them."""
    names, meaning = parameter.get_help_record(context)
    return "`" + names.replace("|", "\\|") + "`", _cell(meaning)


def _reachable(record: type[BaseModel], seen: list[type[BaseModel]] | None = None) -> list[type[BaseModel]]:
    """Returns a record and all that its fields hold, each once, in the order in which they appear."""
    seen = [] if seen is None else seen
    if record not in seen:
        seen.append(record)
        for field in record.model_fields.values():
            for inner in _records_in(field.annotation):
                _reachable(inner, seen)
    return seen


def _records_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in get_args(annotation):
        yield from _records_in(inner)


def _type_words(annotation: Any) -> str:
    """Returns a type as a reader of JSON knows it: ``list of Accuracy``, ``number or null``."""
    known = {int: "integer", float: "number", str: "text", bool: "true or false", type(None): "null"}
    if annotation in known:
        return known[annotation]
    arguments = [_type_words(each) for each in get_args(annotation)]
    origin = getattr(annotation, "__origin__", None)
    if origin is list:
        return f"list of {arguments[0]}"
    if origin is dict:
        return f"object: name to {arguments[1]}"
    return " or ".join(arguments) if arguments else annotation.__name__


def _meanings(source: str) -> dict[str, dict[str, str]]:
    """Returns, per class, the string that stands under each annotated field."""
    found: dict[str, dict[str, str]] = {}
    for node in ast.parse(source).body:
        if isinstance(node, ast.ClassDef):
            pairs = zip(node.body, node.body[1:], strict=False)
            found[node.name] = {
                field.target.id: text.value.value
                for field, text in pairs
                if isinstance(field, ast.AnnAssign)
                and isinstance(field.target, ast.Name)
                and isinstance(text, ast.Expr)
                and isinstance(text.value, ast.Constant)
                and isinstance(text.value.value, str)
            }
    return found


def _cell(text: str) -> str:
    """Returns a text as one cell of a table."""
    return " ".join(text.split()).replace("|", "\\|")
