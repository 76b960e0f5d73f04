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
        memory = f"{row['many_bytes']:,}" if "many_bytes" in row else "-"
        rows.append((row["model"], *times, f"{one['avx2']:.2f}", f"{one['plain']:.2f}", memory))
    mean = document["geometric_mean"]
    rows.append(("geometric mean", f"{mean['one']:.2f}", f"{mean['split']:.2f}", "", "", ""))
    native = ("`-O3 -march=native`, one image", "the test split")
    headings = ("Model", *native, "`-O3 -mavx2`, one image", "`-O2`, one image", "Memory of `NAME_invoke_many`, bytes")
    return markdown_table(headings, rows)


def peak_sentence(document: dict[str, Any]) -> str:
    """Returns what a small loop in registers reaches on that processor, and the most that a model does."""
    peak = document["peak_gmacs"]
    best = max(document["rows"], key=lambda row: row["macs"] / row["split_us"]["native"])
    reached = best["macs"] / best["split_us"]["native"] / 1000
    peaks = f"{peak['native']:.0f} with AVX-512 VNNI, {peak['avx2']:.0f} with AVX2, {peak['plain']:.0f} as `-O2` builds it"
    return (
        f"Its peak, a small loop in registers: {peaks}, in thousand millions of int8 multiply-accumulates a second; "
        f"{best['model']} reaches {reached:.0f}."
    )


def wasm_table(document: dict[str, Any]) -> str:
    """Returns microseconds of an inference in a browser: without SIMD, with it, and on LiteRT.js."""
    rows = []
    for row in document["rows"]:
        plain, simd, litert = (1000 * row["ms"][name] for name in ("plain", "simd", "litert"))
        times = (f"{plain:.1f}", f"{simd:.1f}", f"{plain / simd:.1f}", f"{litert:.1f}", f"{litert / simd:.1f}")
        rows.append((row["model"], *times, f"{row['first_load_bytes']:,}"))
    headings = (
        "Model",
        "C without SIMD, µs",
        "C with SIMD, µs",
        "times as fast",
        "LiteRT.js, µs",
        "times slower",
        "First load, bytes",
    )
    return markdown_table(headings, rows)
