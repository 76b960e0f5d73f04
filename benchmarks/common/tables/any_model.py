"""Tables of models that classify no picture, and of what ``optimize`` brings."""

from dataclasses import dataclass
from typing import Any

from common.tables import core_name, markdown_table


@dataclass(frozen=True)
class KnownFile:
    """A file to measure: its name where it is published, and what it is."""

    file: str
    what: str
    is_ours: bool = False


FILES = {
    "hello_world": KnownFile("hello_world_int8.tflite", "TensorFlow Lite Micro's sine"),
    "micro_speech": KnownFile("micro_speech_quantized.tflite", "TensorFlow Lite Micro's keywords"),
    "lstm": KnownFile("trained_lstm_int8.tflite", "TensorFlow Lite Micro's LSTM on MNIST"),
    "wake_word": KnownFile("wake_word_vad.tflite", "ESPHome's voice detection, a stream"),
    "micro_cnn": KnownFile("model_int8.tflite", "micro-cnn, int8", is_ours=True),
    "micro_cnn_int16": KnownFile("model_int16x8.tflite", "micro-cnn, int16x8", is_ours=True),
}


def any_model_table(document: dict[str, Any]) -> str:
    """Returns what generated C takes per model and core, and TensorFlow Lite Micro's arena beside the total RAM."""
    columns = ("Model", "Core", "MACs", "Instructions", "Flash", "State", "Total RAM", "TensorFlow Lite Micro's arena, this host")
    keys = ("macs", "instructions", "flash_bytes", "state_bytes", "ram_bytes", "tflm_arena_bytes")
    rows = [(FILES[row["model"]].what, core_name(row["core"]), *(f"{row[key]:,}" for key in keys)) for row in document["rows"]]
    return markdown_table(columns, rows, words=2)


def int16_sentence(document: dict[str, Any]) -> str:
    """Returns what int16 activations cost beside int8 on the same network."""
    words = []
    for core in dict.fromkeys(row["core"] for row in document["rows"]):
        found = {row["model"]: row["instructions"] for row in document["rows"] if row["core"] == core}
        words.append(f"{found['micro_cnn_int16'] / found['micro_cnn']:.2f} times the instructions on a {core_name(core)}")
    return f"`micro-cnn` as int16x8 takes {' and '.join(words)}, compared with int8."


def optimize_file_table(document: dict[str, Any]) -> str:
    """Returns each file's bytes, TensorFlow Lite Micro's arena and both kinds of instructions, before and after."""
    columns = (
        "File",
        "Bytes before",
        "after",
        "TensorFlow Lite Micro's arena before",
        "after",
        "Instructions, CMSIS-NN's kernels, before",
        "after",
        "Instructions, generated C, before",
        "after",
    )
    keys = ("bytes", "tflm_arena_bytes", "cmsis_nn_instructions", "instructions")
    rows = []
    for row in document["rows"]:
        values = [row[name] for key in keys for name in (f"{key}_before", key)]
        rows.append((f"`{row['file']}`", *("" if value is None else f"{value:,}" for value in values)))
    return markdown_table(columns, rows)
