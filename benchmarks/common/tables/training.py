"""The table of how fast each model trains."""

from typing import Any

from common.tables import markdown_table


def training_table(document: dict[str, Any]) -> str:
    """Returns each model's CPU seconds an epoch and GFLOP/s, beside TensorFlow alone and a tutorial's code; the processor's own
    figures below.
    """
    columns = (
        "Model",
        "MACs",
        "CPU s an epoch",
        "with int8 simulated",
        "the same in TensorFlow",
        "Ratio",
        "`model.fit`, CPU s an epoch",
        "Ratio",
        "GFLOP/s",
        "`model.fit`, GFLOP/s",
    )
    table = markdown_table(
        columns,
        [
            (
                row["model"],
                f"{row['macs']:,}",
                f"{row['epoch_cpu_seconds']:.2f}",
                f"{row['int8_epoch_cpu_seconds']:.2f}" if "int8_epoch_cpu_seconds" in row else "",
                f"{row['tensorflow_epoch_cpu_seconds']:.2f}" if "tensorflow_ratio" in row else "",
                f"**{row['tensorflow_ratio']:.1f}**" if "tensorflow_ratio" in row else "",
                f"{row['tutorial_epoch_cpu_seconds']:.2f}",
                f"**{row['ratio']:.1f}**",
                f"{row['gflops']:.0f}",
                f"{row['tutorial_gflops']:.0f}",
            )
            for row in document["rows"]
        ],
    )
    return f"{table}\n\n{document['processor']}; a core multiplies matrices at {document['peak_gflops']:.0f} GFLOP/s."


def avx2_sentence(document: dict[str, Any]) -> str:
    """Returns what some members cost where neither the engine nor TensorFlow may use more than AVX2; nothing where none can."""
    told = [
        f"`{row['model']}` {row['epoch_cpu_seconds']:.2f} s an epoch ({row['gflops']:.0f} GFLOP/s) against "
        f"{row['tutorial_epoch_cpu_seconds']:.2f} s in `model.fit`"
        for row in document.get("avx2_rows", ())
    ]
    return f"With AVX2 alone, for both: {'; '.join(told)}." if told else ""
