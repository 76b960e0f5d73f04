from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from glyphlite.compiler.memory_plan import Buffer, Plan, align, lower_bound, plan

buffers = st.lists(
    st.builds(
        lambda size, first, length: Buffer("b", size, first, first + length),
        st.integers(0, 200),
        st.integers(0, 6),
        st.integers(0, 4),
    ),
    max_size=6,
)


def collide(items: list[Buffer], layout: Plan) -> bool:
    return any(
        a.overlaps(b)
        and layout.offsets[i] < layout.offsets[j] + align(b.size)
        and layout.offsets[j] < layout.offsets[i] + align(a.size)
        and a.size
        and b.size
        for i, a in enumerate(items)
        for j, b in enumerate(items[:i])
    )


def smallest(items: list[Buffer]) -> int:
    """First fit in every order reaches the optimum."""
    best = None
    for order in permutations(range(len(items))):
        placed: dict[int, int] = {}
        for index in order:
            offset = 0
            others = sorted((placed[k], placed[k] + align(items[k].size)) for k in placed if items[k].overlaps(items[index]))
            for start, end in others:
                if offset + align(items[index].size) > start:
                    offset = max(offset, end)
            placed[index] = offset
        peak = max((placed[k] + align(items[k].size) for k in placed), default=0)
        best = peak if best is None else min(best, peak)
    return best or 0


@settings(max_examples=150, deadline=None)
@given(buffers)
def test_no_two_live_buffers_share_a_byte_and_the_arena_holds_all(items: list[Buffer]):
    layout = plan(items)
    assert not collide(items, layout)
    assert all(offset % 4 == 0 for offset in layout.offsets)
    ends = [offset + align(item.size) for item, offset in zip(items, layout.offsets, strict=True)]
    assert layout.size == max(ends, default=0)
    assert lower_bound(items) <= layout.size <= sum(align(item.size) for item in items)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.builds(Buffer, st.just("b"), st.integers(1, 60), st.integers(0, 4), st.integers(4, 7)), max_size=5))
def test_small_plans_are_optimal(items: list[Buffer]):
    assert plan(items).size == smallest(items)


@pytest.mark.parametrize(
    ("items", "size"),
    [
        ([], 0),
        ([Buffer("one", 5, 0, 0)], 8),
        ([Buffer("a", 100, 0, 1), Buffer("b", 100, 2, 3)], 100),
        ([Buffer("a", 8, 0, 2), Buffer("b", 8, 1, 3), Buffer("c", 8, 2, 4), Buffer("d", 8, 3, 5)], 24),
    ],
)
def test_known_plans(items: list[Buffer], size: int):
    assert plan(items).size == size
