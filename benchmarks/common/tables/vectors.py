"""Tables of kernels for wide vectors: Helium beside the DSP extension, and the host beside LiteRT."""

from typing import Any

from common.tables import markdown_table


def helium_table(document: dict[str, Any]) -> str:
    """Returns instructions of each file on a Cortex-M4 and on a Cortex-M55."""
    rows = []
    for row in document["rows"]:
        dsp, helium = row["cores"]["cortex-m4"], row["cores"]["cortex-m55"]
        ratio = dsp["instructions"] / helium["instructions"]
        flash = f"{helium['flash_bytes']:,}"
        rows.append((row["model"], f"{dsp['instructions']:,}", f"{helium['instructions']:,}", f"{ratio:.2f}", flash))
    headings = ("Model", "Instructions, Cortex-M4", "Instructions, Cortex-M55", "Ratio", "Flash, Cortex-M55")
    return markdown_table(headings, rows)


def host_table(document: dict[str, Any]) -> str:
    """Returns how many times as fast as LiteRT generated C is on the host, one image at a time and a whole test split."""
    rows = []
    for row in document["rows"]:
        one, split = row["one_ratio"], row["split_ratio"]
        times = (f"{each['native']:.2f}" for each in (one, split))
        rows.append((row["model"], *times, f"{one['avx2']:.2f}", f"{one['plain']:.2f}"))
    mean = document["geometric_mean"]
    rows.append(("geometric mean", f"{mean['one']:.2f}", f"{mean['split']:.2f}", "", ""))
    headings = ("Model", "`-O3 -march=native`, one image", "the test split", "`-O3 -mavx2`, one image", "`-O2`, one image")
    return markdown_table(headings, rows)
