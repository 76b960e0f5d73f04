"""Tables of the five reference models and of reading data, and the sentence about the main job."""

from typing import Any

from common.tables import interval, markdown_table, percent


def accuracy_table(document: dict[str, Any]) -> str:
    """Returns each reference model's size, its accuracy in float and as int8, and the bytes of both files."""
    columns = ("Model", "Parameters", "MACs", "Accuracy, Keras", "Accuracy, int8 file (95 % interval)", "float32 file, bytes")
    return markdown_table(
        (*columns, "int8 file, bytes"),
        [
            (
                row["model"],
                f"{row['parameters']:,}",
                f"{row['macs']:,}",
                percent(row["keras_accuracy"]),
                f"**{percent(row['int8_accuracy']['value'])}** ({interval(row['int8_accuracy'])})",
                f"{row['float32_bytes']:,}",
                f"{row['int8_bytes']:,}",
            )
            for row in document["rows"]
        ],
    )


def main_job_sentence(document: dict[str, Any]) -> str:
    """Returns README's sentence about the main job: minutes by the clock, rounded up to halves of one."""
    minutes = -(-document["total_seconds"] // 30) / 2
    epochs = f" for {document['epochs']} epochs" if document.get("epochs") else ""
    where = document.get("processor", "two cores")
    return (
        f"`make run` trains `{document['model']}`{epochs}. On {where} it takes about {minutes:g} minutes "
        f"({document['total_cpu_seconds']:.0f} s of CPU time). The int8 file reaches "
        f"{document['int8_accuracy'] * 100:.2f} % accuracy on the test images."
    )


def reading_table(document: dict[str, Any]) -> str:
    """Returns the CPU seconds that reading each kind of data takes."""
    return markdown_table(("Data", "CPU seconds"), [(row["data"], f"{row['cpu_seconds']:.1f}") for row in document["rows"]])


def suspects_table(document: dict[str, Any]) -> str:
    """Returns how many of the changed labels each way finds, and how many others it names."""
    rows = [
        (
            f"{row['data']}, {row['how']}",
            row["way"],
            f"{row['found']} of {row['changed']}",
            str(row["others"]),
            percent(row["found"] / row["changed"], 0),
            percent(row["found"] / (row["found"] + row["others"]), 0),
        )
        for row in document["suspects"]
    ]
    return markdown_table(("Labels changed", "Way", "Found", "Others named", "Recall", "Precision"), rows)


def class_weights_table(document: dict[str, Any]) -> str:
    """Returns what class weights bring where one class is rare."""
    shares = ("accuracy", "mean_recall", "rare_recall", "worst_rare_recall")
    rows = [(f"`{row['weights']}`", *(percent(row[name], 1) for name in shares)) for row in document["weights"]]
    heads = ("`--class-weights`", "Accuracy", "Balanced accuracy", "Recall of the rare class", "its worst")
    return markdown_table(heads, rows)
