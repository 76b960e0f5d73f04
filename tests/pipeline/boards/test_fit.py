"""The fit of a model on a board, from what it takes there."""

from dataclasses import replace

from glyphlite.boards import BOARDS, board_named
from glyphlite.pipeline.boards.fit import fit_of, fit_words
from glyphlite.records import FirmwareReport
from glyphlite.timings import TIMINGS

BOARD = replace(board_named("blue-pill"), flash_bytes=10_000, ram_bytes=1_000)


def report(flash: int, ram: int) -> FirmwareReport:
    return FirmwareReport(
        cpu="cortex-m3",
        instructions=5,
        instructions_per_mac=1.0,
        code_bytes=flash // 2,
        constant_bytes=flash - flash // 2,
        arena_bytes=ram,
        stack_bytes=0,
        ram_bytes=ram,
    )


def test_it_fits_up_to_all_of_it_and_is_tight_above_nine_tenths() -> None:
    for flash, ram, verdict in (
        (9_000, 900, "FITS"),
        (9_001, 1, "TIGHT"),
        (1, 901, "TIGHT"),
        (10_000, 1_000, "TIGHT"),
        (10_001, 1, "DOES NOT FIT"),
        (1, 1_001, "DOES NOT FIT"),
    ):
        fit = fit_of(BOARD, report(flash, ram))
        assert (fit.verdict, fit.flash_left, fit.ram_left) == (verdict, 10_000 - flash, 1_000 - ram)


def test_words_say_by_how_much() -> None:
    words = fit_words(fit_of(BOARD, report(12_345, 1_010)))
    assert "DOES NOT FIT by 2,345 bytes of flash and 10 bytes of RAM; flash 12,345 of 10,000 bytes" in words
    assert "FITS; flash 1 of 10,000 bytes, RAM 2 of 1,000" in fit_words(fit_of(BOARD, report(1, 2)))


def test_a_core_that_nothing_builds_for_is_unknown_and_says_so() -> None:
    fit = fit_of(board_named("esp32"), None)
    assert fit.time_ms is None
    assert (fit.verdict, fit.flash_bytes, fit.flash_left) == ("UNKNOWN", None, None)
    assert "nothing here builds for the Xtensa LX6" in fit_words(fit)


def test_time_is_an_estimate_of_counted_instructions_by_the_cores_own_timings() -> None:
    mix = {"loads": 100, "stores": 10, "words": 20, "taken": 30, "calls": 4, "pops": 5}
    counted = report(1, 2).model_copy(update={"instructions": 1000, "instruction_mix": mix})
    pico = fit_of(board_named("pico"), counted)  # M0+: load and store 2, a word 1, branch 2, call 3, return 3
    assert pico.cycles == 1000 + 100 + 10 + 20 + 30 + 2 * 4 + 2 * 5
    assert pico.time_ms == pico.cycles / 133_000
    microbit = fit_of(board_named("microbit-v1"), counted)  # M0: branch 3, call 4, return 4
    assert microbit.cycles == 1000 + 100 + 10 + 20 + 2 * 30 + 3 * 4 + 3 * 5
    riscv = fit_of(board_named("esp32-c3"), counted)
    assert riscv.cycles == 1000
    assert "one cycle an instruction, as the maker publishes no timings" in (riscv.time_basis or "")
    words = fit_words(pico)
    assert "about 0.00886 ms at 133 MHz (estimated: Arm DDI0484C, table 3-1; no wait states)" in words
    assert "measured" not in words


def test_every_board_that_is_emulated_has_timings() -> None:
    measured = {"AVR"}  # whose emulator counts cycles
    assert {board.core for board in BOARDS if board.cpu} - measured <= set(TIMINGS)
