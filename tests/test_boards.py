"""Boards: each with plausible figures, a source, and a core that is emulated or none."""

import pytest

from glyphlite.boards import BOARD_NAMES, BOARDS, board_named
from glyphlite.cores import SIMULATED_CORES
from glyphlite.errors import ToolError


def test_every_board_has_a_name_of_its_own_and_figures_with_a_source() -> None:
    assert len(set(BOARD_NAMES)) == len(BOARDS) >= 30
    for board in BOARDS:
        assert board.name == board.name.lower()
        assert 10 <= board.mhz <= 1000, board.name
        assert 2048 <= board.ram_bytes <= board.flash_bytes, board.name
        assert board.source, board.name


def test_arm_and_riscv_cores_are_emulated_where_the_instruction_set_is_the_same() -> None:
    assert {board.cpu for board in BOARDS} == {None, *(core.name for core in SIMULATED_CORES)}
    for board in BOARDS:
        expected = {"Cortex-M0+": "cortex-m0", "Cortex-M4F": "cortex-m4", "RV32IMAC": "rv32imc", "RV32EC": "rv32ec", "AVR": "avr"}
        if board.core in expected:
            assert board.cpu == expected[board.core], board.name
        if board.core.startswith("Xtensa"):
            assert board.cpu is None, board.name


def test_an_unknown_board_and_one_that_nothing_builds_for_get_one_line() -> None:
    assert board_named("PICO").core == "Cortex-M0+"
    with pytest.raises(ToolError, match=r"no board 'picoo' \(did you mean pico\?\); glyphlite boards"):
        board_named("picoo")
    with pytest.raises(ToolError, match="nothing here runs the Xtensa LX6 of esp32: glyphlite fits MODEL --board esp32 says"):
        _ = board_named("esp32").emulated_cpu
