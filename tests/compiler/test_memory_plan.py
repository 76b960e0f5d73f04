from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from glyphlite.compiler.memory_plan import Buffer, Plan, align, are_apart, lower_bound, plan

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


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_what_may_be_shared_is_shared_as_far_as_it_may(data: st.DataObject):
    items, overlays = data.draw(chains())
    layout = plan(items, overlays)
    assert are_apart(items, layout.offsets, overlays)
    for key, one in enumerate(items):
        for place, other in enumerate(items[:key]):
            if not one.overlaps(other) or not one.size or not other.size:
                continue
            start, end = layout.offsets[key], layout.offsets[place]
            is_apart = start >= end + align(other.size) or end >= start + align(one.size)
            may_share = (key, place) in overlays and end - start >= overlays[key, place]
            may_share |= (place, key) in overlays and start - end >= overlays[place, key]
            assert is_apart or may_share
    inner = [item for item in items if not item.outer]
    ends = [offset + align(item.size) for item, offset in zip(items, layout.offsets, strict=True)]
    assert layout.size == max(ends)
    assert layout.inner == max((end for end, item in zip(ends, items, strict=True) if not item.outer), default=0)
    assert layout.size >= lower_bound(items, overlays)
    if not any(key < 1 or items[read].outer or items[key].outer for key, read in overlays):
        assert layout.inner == plan(inner, {(a - 1, b - 1): d for (a, b), d in overlays.items()}).size or not inner


@st.composite
def chains(draw: st.DrawFn) -> tuple[list[Buffer], dict[tuple[int, int], int]]:
    """Maps of a chain of steps, each written while the one before is read, the caller's at both ends, and scratch memory."""
    count = draw(st.integers(2, 5))
    sizes = draw(st.lists(st.integers(1, 300), min_size=count, max_size=count))
    items = [
        Buffer(f"map {step}", size, step - 1, step, step == 0 or (step == count - 1 and draw(st.booleans())))
        for step, size in enumerate(sizes)
    ]
    overlays = {(step, step - 1): draw(st.integers(-sizes[step], sizes[step])) for step in range(1, count) if draw(st.booleans())}
    scratch = st.builds(lambda size, step: Buffer("scratch", size, step, step), st.integers(0, 60), st.integers(0, count - 1))
    return [*items, *draw(st.lists(scratch, max_size=3))], overlays


def test_a_map_lies_over_the_one_that_is_read_and_the_callers_count_last():
    items = [Buffer("input", 1000, -1, 0, True), Buffer("output", 400, 0, 1), Buffer("scratch", 40, 0, 0)]
    assert plan(items).size == 1440
    layout = plan(items, {(1, 0): 100})
    assert (layout.size, layout.inner) == (1140, 440)
    assert plan(items, {(1, 0): -700}).size == 1040
