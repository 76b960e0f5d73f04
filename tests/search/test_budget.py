"""Budgets: a board's, the user's own figures, and what is none."""

import pytest

from glyphlite.boards import board_named
from glyphlite.errors import ToolError
from glyphlite.search.budget import Budget, budget_of, parse_bytes, parse_count


def test_a_board_gives_core_flash_ram_and_a_second() -> None:
    assert budget_of(board_named("arduino-uno")) == Budget("avr", 32_256, 2048, 16_000_000, "arduino-uno")


def test_the_users_figures_stand_in_place_of_the_boards() -> None:
    budget = budget_of(board_named("arduino-uno"), flash_bytes=24_000, instructions=2_000_000)
    assert (budget.flash_bytes, budget.ram_bytes, budget.instructions) == (24_000, 2048, 2_000_000)


def test_without_a_board_nothing_is_limited_but_what_is_given() -> None:
    assert budget_of(core="cortex-m0", ram_bytes=4096) == Budget("cortex-m0", None, 4096, None)


@pytest.mark.parametrize(
    ("text", "value"), [("24K", 24_576), ("32256", 32_256), ("1.5k", 1536), ("2 KB", 2048), ("1M", 1_048_576), (None, None)]
)
def test_bytes_are_read_as_people_write_them(text: str | None, value: int | None) -> None:
    assert parse_bytes(text, "--flash") == value


def test_instructions_are_counted_in_thousands() -> None:
    assert parse_count("2M", "--instructions") == 2_000_000
    assert parse_count("500k", "--instructions") == 500_000


@pytest.mark.parametrize("text", ["", "much", "-1", "0", "2G", "1e99"])
def test_what_is_no_size_is_refused(text: str) -> None:
    with pytest.raises(ToolError, match="--ram takes bytes"):
        parse_bytes(text, "--ram")


def test_a_core_that_is_not_the_boards_is_refused() -> None:
    with pytest.raises(ToolError, match="Arduino Uno R3 has the core AVR"):
        budget_of(board_named("arduino-uno"), core="cortex-m4")
    with pytest.raises(ToolError, match="did you mean cortex-m0"):
        budget_of(core="cortexm0")


def test_excesses_are_shares_of_the_limits() -> None:
    budget = Budget("cortex-m0", flash_bytes=1000, ram_bytes=100)
    assert budget.excesses(1500, 50, 10**9) == {"flash": 0.5, "ram": -0.5}
