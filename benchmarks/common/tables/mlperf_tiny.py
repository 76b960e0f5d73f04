"""Tables of MLPerf Tiny's models: generated C beside CMSIS-NN, and what others have published on boards."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from common.published_tiny import best_published
from common.tables import core_name, markdown_table


@dataclass(frozen=True)
class TinyModel:
    """One of the benchmark's models: what it is called, and its file in mlcommons/tiny."""

    title: str
    file: str


MODELS = {
    "kws": TinyModel("keyword spotting, DS-CNN", "kws_ref_model.tflite"),
    "vww": TinyModel("visual wake words, MobileNet", "vww_96_int8.tflite"),
    "ic": TinyModel("image classification, ResNet-8", "pretrainedResnet_quant.tflite"),
    "ad": TinyModel("anomaly detection, autoencoder", "ad01_int8.tflite"),
    "sww": TinyModel("streaming wake word, 1-D", "str_ww_ref_model.tflite"),
}

CORES = ("cortex-m4", "cortex-m33", "cortex-m3", "cortex-m0", "rv32imc")
"""That both sides are measured on."""

_COMPARED = {"instructions": "instructions", "flash_bytes": "flash", "ram_bytes": "RAM"}


def best(row: dict[str, Any], key: str) -> int:
    """Returns the least of a figure over the versions of CMSIS-NN that were measured."""
    return min(version[key] for version in row["cmsis_nn"].values())


def behind(document: dict[str, Any]) -> list[str]:
    """Returns the rows in which a version of CMSIS-NN takes less of something than generated C, in words."""
    return [
        f"{row['model']} on {core_name(row['core'])}: {row['ours'][key]:,} {what}, CMSIS-NN {best(row, key):,}"
        for row in document["rows"]
        for key, what in _COMPARED.items()
        if best(row, key) < row["ours"][key]
    ]


def mlperf_table(document: dict[str, Any], cores: Sequence[str] = CORES) -> str:
    """Returns instructions, flash and RAM per model and core on both sides, and the best published cycles of such a core."""
    columns = (
        "Model",
        *(["Core"] if len(cores) > 1 else []),
        "Instructions, glyphlite",
        "Instructions, CMSIS-NN",
        "Ratio",
        "Flash, glyphlite",
        "Flash, CMSIS-NN",
        "Total RAM, glyphlite",
        "Total RAM, CMSIS-NN",
        "Cycles, best published",
    )
    rows = []
    for row in _rows(document, cores):
        ours = row["ours"]
        cells = [f"{ours['instructions']:,}", f"{best(row, 'instructions'):,}", f"**{_ratio(row):.1f}**"]
        cells += [f"{value:,}" for key in ("flash_bytes", "ram_bytes") for value in (ours[key], best(row, key))]
        core = [core_name(row["core"])] if len(cores) > 1 else []
        rows.append((MODELS[row["model"]].title, *core, *cells, _published(row["model"], row["core"])))
    return markdown_table(columns, rows, words=2 if len(cores) > 1 else 1)


def plain_table(document: dict[str, Any]) -> str:
    """Returns what each version of CMSIS-NN takes on one core, and how much of it in plain C for want of a kernel."""
    columns = ("Model", "CMSIS-NN", "Instructions", "of these plain C", "Flash", "Total RAM", "of this scratch")
    keys = ("instructions", "plain_instructions", "flash_bytes", "ram_bytes", "scratch_bytes")
    rows = [
        (MODELS[row["model"]].title, name, *(f"{version[key]:,}" for key in keys))
        for row in _rows(document, ("cortex-m4",))
        for name, version in row["cmsis_nn"].items()
    ]
    return markdown_table(columns, rows, words=2)


def published_table() -> str:
    """Returns the best published submission per model and core: round, engine, board, throughput, cycles."""
    rows = []
    for core in ("cortex-m4", "cortex-m33", "cortex-m0"):
        for model, known in MODELS.items():
            if found := best_published(model, core):
                board = f"{found.board}, {found.mhz} MHz"
                cells = (f"{found.throughput[model]:.3f}", f"{found.cycles(model):,}")
                rows.append((known.title, core_name(core), f"{found.engine}, {found.round}", board, *cells))
    return markdown_table(("Model", "Core", "Engine, round", "Board", "Inferences per second", "Cycles"), rows, words=4)


def mlperf_sentence(document: dict[str, Any]) -> str:
    """Returns README's sentence: how many times fewer instructions generated C takes on the two cores, and how much less RAM."""
    m4 = [_ratio(row) for row in _rows(document, ("cortex-m4",))]
    m0 = [_ratio(row) for row in _rows(document, ("cortex-m0",))]
    ram = [best(row, "ram_bytes") / row["ours"]["ram_bytes"] for row in _rows(document, ("cortex-m4",))]
    words = (
        "**MLPerf Tiny**: the benchmark's five int8 files compile unchanged and give TensorFlow Lite Micro's bytes. "
        f"On a Cortex-M4 they take {_span(m4)} times fewer instructions than with CMSIS-NN, "
        f"on a Cortex-M0 {_span(m0)} times fewer"
    )
    words += f", and {_span(ram)} times less RAM" if min(ram) > 1 else ""
    return words + " ([table](#on-a-microcontroller))."


def _span(ratios: list[float]) -> str:
    """Returns the least and the largest of several ratios, rounded down: ``1.5 to 2.3``."""
    low, high = (int(value * 10) / 10 for value in (min(ratios), max(ratios)))
    return f"{low:.1f}" if low == high else f"{low:.1f} to {high:.1f}"


def _ratio(row: dict[str, Any]) -> float:
    return best(row, "instructions") / row["ours"]["instructions"]


def _rows(document: dict[str, Any], cores: Sequence[str]) -> Iterator[dict[str, Any]]:
    """Returns the rows of some cores, a model after the other."""
    place: Callable[[dict[str, Any]], tuple[int, int]] = lambda row: (list(MODELS).index(row["model"]), cores.index(row["core"]))  # noqa: E731
    yield from sorted((row for row in document["rows"] if row["core"] in cores), key=place)


def _published(model: str, core: str) -> str:
    """Returns the fewest cycles published and by which engine."""
    found = best_published(model, core)
    return f"{found.cycles(model):,} ({found.engine})" if found else ""
