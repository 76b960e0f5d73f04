"""Kinds of Thumb instructions, told apart as the tables of timings do."""

from glyphlite.emulation.instruction_mix import mix_of, thumb_decoder

# ldr r0,[r1]; ldr r2,[r3]; str r0,[r3]; str r2,[r3]; muls r0,r2,r0; push {r4,r5,lr}; pop {r4,r5,pc}
BLOCK = bytes.fromhex("0868 1a68 1860 1a60 5043 30b5 30bd".replace(" ", ""))


def test_loads_stores_words_and_the_return_are_counted() -> None:
    mix = mix_of(thumb_decoder(), BLOCK, 0x100)
    expected = {"loads": 1, "pipelined": 2, "stores": 1, "multiplications": 1, "multiples": 2, "words": 6, "ends_in_pop": 1}
    assert dict(mix) == expected


def test_a_call_and_a_branch_end_a_block_differently() -> None:
    decoder = thumb_decoder()
    assert dict(mix_of(decoder, bytes.fromhex("00f002f8"), 0x100)) == {"ends_in_call": 1}  # bl
    assert dict(mix_of(decoder, bytes.fromhex("00dd"), 0x100)) == {}  # ble
    assert dict(mix_of(decoder, bytes.fromhex("81fb0203"), 0x100)) == {"long_multiplications": 1}  # smull
