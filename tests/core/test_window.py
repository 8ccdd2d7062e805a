"""The newest items of histories in memory: what they cover, what is copied, what goes when there are too many."""

import json
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis.strategies import integers, lists, none, sampled_from, tuples

from core.window import LARGEST, PIECE, Window, Windows, without_cut_off_outputs


def items(count, first=0):
    return [json.dumps({"role": "user", "content": str(number)}).encode() for number in range(first, first + count)]


def texts(found):
    return [int(item["content"]) for item in found]


def read(window, limit=None):
    return [item for excerpt in window.excerpts(limit) for item in excerpt.read()]


def holder(*, wanted=64):
    return Holder(window=None, wanted=wanted)


class Holder(SimpleNamespace):
    __hash__ = object.__hash__


def output(call):
    return {"type": "function_call_output", "call_id": call, "output": "found"}


def call(number):
    return {"type": "function_call", "call_id": number, "name": "look_up", "arguments": "{}"}


@pytest.mark.parametrize(("limit", "found"), [(None, [0, 1, 2]), (0, []), (1, [2]), (3, [0, 1, 2]), (9, [0, 1, 2])])
def test_a_limit_means_the_newest_items_oldest_first(limit, found):
    assert texts(read(Window(items(3)), limit)) == found


def test_a_window_covers_what_it_holds_and_anything_where_nothing_is_older():
    cut = Window(items(3), complete=False)
    assert [cut.covers(limit) for limit in (0, 3, 4, None)] == [True, True, False, False]
    assert [Window(items(3)).covers(limit) for limit in (4, None)] == [True, True]


def test_what_is_read_is_a_copy_each_time():
    window = Window([b'{"content": [{"text": "as it was"}]}'])
    read(window)[0]["content"][0]["text"] = "changed"
    assert read(window) == [{"content": [{"text": "as it was"}]}]


def test_items_that_only_json_can_write_are_read_beside_the_others():
    window = Window([*items(1), b'\n{"content": "\\ud800", "big": 123456789012345678901234567890}'])
    assert read(window)[1] == {"content": "\ud800", "big": 123456789012345678901234567890}


def test_a_window_of_its_newest_items_no_longer_covers_everything():
    cut = Window(items(5)).cut(2)
    assert (texts(read(cut)), cut.complete) == ([3, 4], False)
    whole = Window(items(2))
    assert whole.cut(2) is whole


def test_a_window_holds_no_more_bytes_than_it_may():
    cut = Window([b"x" * (LARGEST // 2 - 1)] * 4).cut(4)
    assert (len(cut), cut.size, cut.complete) == (2, LARGEST, False)


@given(
    steps=lists(tuples(sampled_from(("add", "cut")), integers(0, 4), integers(1, 400))),
    limit=none() | integers(0, 6),
)
def test_a_window_reads_as_a_list_of_the_same_items_would(steps, limit):
    window, kept, number = Window(), [], 0
    for step, count, size in steps:
        if step == "add":
            added = items(count, number)
            window.add(added)
            kept, number = kept + added, number + count
        else:
            window = window.cut(count + 1, size)
            kept = kept[-count - 1 :]
            while sum(len(item) + 1 for item in kept) > size:
                kept = kept[1:]
    assert read(window, limit) == [
        json.loads(item) for item in (kept if limit is None else kept[len(kept) - min(limit, len(kept)) :])
    ]
    assert (len(window), window.size) == (len(kept), sum(len(item) + 1 for item in kept))


def test_what_is_added_is_not_in_an_excerpt_of_before():
    window = Window(items(1))
    (excerpt,) = window.excerpts()
    window.add(items(1, 1))
    assert (texts(excerpt.read()), texts(read(window))) == ([0], [0, 1])


@pytest.mark.parametrize(
    ("sizes", "limit", "pieces"),
    [
        ([PIECE - 1], None, [1]),
        ([PIECE], None, [1]),
        ([PIECE // 2 - 1] * 5, None, [2, 2, 1]),
        ([PIECE // 2 - 1] * 5, 3, [2, 1]),
        ([1, 3 * PIECE, 1, 1], None, [1, 1, 2]),
        ([], None, []),
    ],
)
def test_what_is_long_is_read_in_pieces_and_an_item_is_never_cut(sizes, limit, pieces):
    said = [b'"%b"' % (b"x" * (size - 2)) if size > 1 else b"1" for size in sizes]
    found = [excerpt.read() for excerpt in Window(said).excerpts(limit)]
    assert [len(piece) for piece in found] == pieces
    assert [item for piece in found for item in piece] == [json.loads(item) for item in said][-sum(pieces) :]


def test_additions_are_read_and_old_items_go_where_nobody_wants_that_many():
    windows, held = Windows(10**6), holder(wanted=3)
    windows.keep(held, Window(items(1)))
    for number in range(1, 6):
        windows.add(held, items(1, number))
    assert texts(read(held.window)) == [0, 1, 2, 3, 4, 5]
    windows.add(held, items(1, 6))
    assert (texts(read(held.window)), held.window.complete) == ([4, 5, 6], False)


def test_a_holder_without_a_window_gets_none_by_an_addition():
    windows, held = Windows(10**6), holder()
    windows.add(held, items(1))
    assert (held.window, windows.held) == (None, 0)


def test_windows_that_nobody_read_go_first_when_there_are_too_many_bytes():
    windows = Windows(5000)
    holders = [holder() for _ in range(4)]
    for held in holders:
        windows.keep(held, Window(items(20)))
    for held in holders:
        held.window.used = False
    read(holders[0].window)
    windows.keep(holder(), Window(items(20)))
    assert [held.window is not None for held in holders] == [True, False, True, True]
    assert windows.held <= 5000


def test_the_bytes_of_what_was_taken_away_are_free_again():
    windows = Windows(10**6)
    holders = [holder() for _ in range(3)]
    for held in holders * 2:
        windows.keep(held, Window(items(5)))
    for held in holders:
        windows.add(held, items(5, 5))
        windows.keep(held, None)
    assert (windows.held, [held.window for held in holders]) == (0, [None] * 3)


def test_windows_of_no_items_count_too_so_that_their_number_is_bounded():
    windows = Windows(5120)
    holders = [holder() for _ in range(100)]
    for held in holders:
        windows.keep(held, Window())
    assert sum(held.window is not None for held in holders) <= 10


@pytest.mark.parametrize(
    ("cut", "left"),
    [
        ([output(1), {"role": "assistant"}], [{"role": "assistant"}]),
        ([output(1), output(2), call(3), output(3)], [call(3), output(3)]),
        ([output(1)], []),
        ([call(1), output(1)], [call(1), output(1)]),
        ([{"role": "user"}, output(1)], [{"role": "user"}, output(1)]),
        ([], []),
    ],
)
def test_leading_outputs_go_whose_calls_are_cut_off(cut, left):
    assert without_cut_off_outputs(cut) == left
