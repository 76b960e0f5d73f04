"""The table of toolchains: what was built, what was run, and what was only checked, and by what."""

from typing import Any

from common.tables import core_name, markdown_table

BY_HAND: dict[str, dict[str, Any]] = {
    "STM32, ST's start-up code": {
        "compiler": "arm-none-eabi-gcc 12.2 with newlib",
        "ran_on": "QEMU 7.2.22, netduinoplus2 (STM32F405)",
        "differing_bytes": 0,
    },
    "TensorFlow Lite Micro, `--engine tflm`": {
        "compiler": "g++ 12.2, the sources of esp-tflite-micro 1.4.0",
        "ran_on": "this host",
        "differing_bytes": 0,
    },
    "pico-sdk 2.2.0, Raspberry Pi Pico": {"compiler": "arm-none-eabi-gcc 12.2 with newlib", "flash_bytes": 43052},
}
"""Builds that were made once by hand, with sources that the tests cannot have."""

CHECKED = (
    ("Arduino, other boards", "the sketch, as the IDE compiles it, with g++", "this host, a stand-in for `Serial`"),
    ("PlatformIO", "-", "`library.json` by PlatformIO's own schema"),
    ("ESP-IDF", "-", "`compote component pack` takes the component"),
    ("Zephyr", "-", "`Kconfig` and `prj.conf` by kconfiglib, `module.yml` by its files"),
    ("CMSIS-Pack", "-", "`.pdsc` by `PACK.xsd` 1.7.7"),
)
"""Toolchains that are not at hand: name, what of them was built, and what was checked in its place (tests/export/library)."""


def toolchain_table(document: dict[str, Any]) -> str:
    """Returns a row per toolchain and core: the compilers, where the program ran, and how many bytes differed there."""
    merged: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for row in document["rows"]:
        merged.setdefault((row["toolchain"], row["core"]), []).append(row)
    rows = []
    for (toolchain, core), found in merged.items():
        title = {
            "cmake": "CMake",
            "bare-metal": f"Bare metal, {core_name(core)}",
            "esp8266": "ESP8266",
            "arduino": f"Arduino {core}",
        }
        differing = [row["differing_bytes"] for row in found if "differing_bytes" in row]
        rows.append(
            (
                title[toolchain],
                " and ".join(row["compiler"] for row in found),
                found[0]["ran_on"] or "not run",
                str(max(differing)) if differing else "-",
                " and ".join(f"{row['flash_bytes']:,}" for row in found if "flash_bytes" in row) or "-",
            )
        )
    for name, row in document["by_hand"].items():
        flash = f"{row['flash_bytes']:,}" if "flash_bytes" in row else "-"
        built = f"{row['compiler']}; by hand with `glyph-1k`, November 2026"
        rows.append((name, built, row.get("ran_on", "not run"), str(row.get("differing_bytes", "-")), flash))
    rows += [(name, built, f"not run; {checked}" if built == "-" else checked, "-", "-") for name, built, checked in CHECKED]
    columns = ("Toolchain", "Built with", "Ran on", "Bytes that differ", "Flash, bytes")
    return markdown_table(columns, rows, words=3)


def toolchain_sentence(document: dict[str, Any]) -> str:
    """Returns how many programs were built and run, and what came out."""
    ran = [row for row in document["rows"] if "differing_bytes" in row]
    differing = sum(row["differing_bytes"] for row in ran)
    cores = len({row["core"] for row in ran if row["core"] != "host"})  # both AVR boards count
    return (
        f"The folder of `{document['model']}` was built {len(document['rows'])} times and run {len(ran)} times, on this host "
        f"and on {cores} emulated cores: {differing} bytes differ from TensorFlow Lite Micro's."
    )
