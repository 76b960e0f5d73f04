"""Tables of TensorFlow Lite Micro: its arena, and how far other runtimes agree with it."""

from typing import Any

from common.tables import interval, markdown_table, percent

RUNTIMES = {
    "tflm": "TensorFlow Lite Micro (the reference)",
    "generated_c": "generated C, this host",
    "cortex_m0": "generated C, emulated Cortex-M0",
    "cortex_m4": "generated C, emulated Cortex-M4",
    "litert_builtin": "LiteRT, built-in kernels",
    "litert_reference": "LiteRT, reference kernels",
    "litert": "LiteRT, XNNPACK (its default)",
    "keras": "Keras, the float source",
}


def arena_parts_table(document: dict[str, Any], variant: str = "int8") -> str:
    """Returns what the arena of a variant is made of, its size, and what is recommended for a target."""
    arena = document["arenas"][variant]
    rows = [(part["name"], f"{part['bytes']:,}") for part in arena["arena_breakdown"]]
    smallest, recommended = arena["arena_bytes"], arena["recommended_arena_bytes"]
    rows += [
        ("**smallest arena accepted on a 64-bit host**", f"**{smallest:,}**"),
        ("margin", f"{recommended - smallest:,}"),
        ("**recommended for a target**", f"**{recommended:,}**"),
    ]
    return markdown_table(("Part of the arena", "Bytes"), rows)


def arenas_table(document: dict[str, Any]) -> str:
    """Returns the smallest and the recommended arena of each variant."""
    rows = [
        (f"micro-cnn {variant}", f"{arena['arena_bytes']:,}", f"{arena['recommended_arena_bytes']:,}")
        for variant, arena in document["arenas"].items()
    ]
    return markdown_table(("Artifact", "Smallest arena on a 64-bit host", "Recommended for a target"), rows)


def agreement_table(document: dict[str, Any]) -> str:
    """Returns how far each runtime agrees with TensorFlow Lite Micro over all test images."""
    by_name = {row["runtime"]: row for row in document["verify"]}
    rows = []
    for name, words in RUNTIMES.items():
        row = by_name[name]
        steps = f"{row['largest_difference']:g} step{'' if row['largest_difference'] == 1 else 's'}"
        accuracy = f"{percent(row['accuracy']['value'])} ({interval(row['accuracy'])})"
        rows.append((words, percent(row["identical"]), steps, percent(row["same_class"]), accuracy))
    return markdown_table(("Runtime", "Identical outputs", "Maximum difference", "Agreement", "Accuracy (95 % interval)"), rows)


def tensors_table(document: dict[str, Any], runtimes: tuple[str, ...] = ("litert_builtin", "litert_reference", "litert")) -> str:
    """Returns, per tensor in the order of the ops, how far each of LiteRT's kernels differ from TensorFlow Lite Micro."""
    by_name = {row["runtime"]: {each["op_index"]: each for each in row["differing_tensors"]} for row in document["verify"]}
    ops = {index: each["op"] for name in runtimes for index, each in by_name[name].items()}
    rows = []
    for index in sorted(ops):
        cells = []
        for name in runtimes:
            found = by_name[name].get(index)
            difference = found and f"{found['largest_difference']:g} step{'' if found['largest_difference'] == 1 else 's'}"
            cells.append(f"{difference}, {found['differing_images']:,} images" if found else "identical")
        rows.append((f"{index} {ops[index]}", *cells))
    return markdown_table(("Tensor of op", *(RUNTIMES[name] for name in runtimes)), rows)
