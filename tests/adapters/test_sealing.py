import asyncio
import os
import threading

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from adapters.sealing import MasterKey, datakeys, open_sealer
from adapters.sealing.recent import Recent
from core.errors import ErasedError, UnreadableError
from core.models import Place

MASTER = MasterKey(bytes(range(32)))
PLACE = Place("item", "customer-1", "row-1")

contents = st.binary(max_size=300)
places = st.builds(Place, st.text(max_size=8), st.text(max_size=8), st.text(max_size=8))


@pytest.fixture(scope="module")
def runner():
    with asyncio.Runner() as runner:
        yield runner


@pytest.fixture(scope="module")
def sealer(runner):
    opening = open_sealer(":memory:", MASTER, fresh=True)
    sealer = runner.run(opening.__aenter__())
    runner.run(sealer.prepare([PLACE.owner]))
    yield sealer
    runner.run(opening.__aexit__(None, None, None))


@given(place=places, content=contents)
def test_what_was_sealed_opens_at_its_place(runner, sealer, place, content):
    runner.run(sealer.prepare([place.owner]))
    assert sealer.open(place, sealer.seal(place, content)) == content


@given(place=places, other=places, content=contents)
def test_what_was_sealed_opens_nowhere_else(runner, sealer, place, other, content):
    assume(place != other)
    runner.run(sealer.prepare([place.owner, other.owner]))
    with pytest.raises(UnreadableError):
        sealer.open(other, sealer.seal(place, content))


@pytest.mark.parametrize("changed", [{"table": "ticket"}, {"row": "row-2"}, {"owner": "customer-2"}])
@given(content=contents)
def test_table_row_and_owner_are_each_bound(runner, sealer, changed, content):
    runner.run(sealer.prepare(["customer-2"]))
    other = Place(**({"table": PLACE.table, "owner": PLACE.owner, "row": PLACE.row} | changed))
    with pytest.raises(UnreadableError):
        sealer.open(other, sealer.seal(PLACE, content))


@given(content=contents, at=st.integers(min_value=0), bit=st.integers(0, 7))
def test_a_flipped_bit_anywhere_is_noticed(sealer, content, at, bit):
    sealed = bytearray(sealer.seal(PLACE, content))
    sealed[at % len(sealed)] ^= 1 << bit
    with pytest.raises(UnreadableError):
        sealer.open(PLACE, bytes(sealed))


@given(content=contents, cut=st.integers(min_value=1))
def test_what_was_cut_short_is_noticed(sealer, content, cut):
    sealed = sealer.seal(PLACE, content)
    with pytest.raises(UnreadableError):
        sealer.open(PLACE, sealed[: -min(cut, len(sealed))])


@given(junk=contents)
def test_bytes_that_were_never_sealed_do_not_open(sealer, junk):
    with pytest.raises(UnreadableError):
        sealer.open(PLACE, junk)


def test_the_same_content_never_looks_the_same(sealer):
    assert len({sealer.seal(PLACE, b"hello") for _ in range(100)}) == 100


def test_sealed_bytes_begin_with_format_and_key_version_and_cost_33_bytes(sealer):
    sealed = sealer.seal(PLACE, b"hello")
    assert sealed[:5] == bytes([1]) + (1).to_bytes(4, "big")
    assert len(sealed) == len(b"hello") + 33


def test_sealed_bytes_hold_nothing_of_the_content(sealer):
    phrase = b"the heron flies at midnight"
    assert phrase not in sealer.seal(PLACE, phrase)


def test_an_owner_without_a_key_is_unreadable_and_gets_none_by_that(sealer):
    stranger = Place("item", "nobody-prepared-this-one", "row")
    for _ in range(2):
        with pytest.raises(UnreadableError):
            sealer.open(stranger, sealer.seal(PLACE, b""))
        with pytest.raises(UnreadableError):
            sealer.seal(stranger, b"")


def test_errors_name_the_place_and_never_the_owner_nor_the_content(sealer):
    sealed = sealer.seal(PLACE, b"secret words")
    with pytest.raises(UnreadableError, match=r"^item row-2 ") as raised:
        sealer.open(Place("item", PLACE.owner, "row-2"), sealed)
    assert PLACE.owner not in str(raised.value)


# --- look-ups ---------------------------------------------------------------------------------------------------------


@given(one=st.tuples(st.text(), st.text()), other=st.tuples(st.text(), st.text()))
def test_lookups_are_equal_only_for_equal_kind_and_value(sealer, one, other):
    assert (sealer.lookup(*one) == sealer.lookup(*other)) == (one == other)


@given(whole=st.text(min_size=1), cut=st.integers(min_value=0), other_cut=st.integers(min_value=0))
def test_a_kind_never_runs_over_into_its_value(sealer, whole, cut, other_cut):
    cut, other_cut = cut % len(whole), other_cut % len(whole)
    assume(cut != other_cut)
    assert sealer.lookup(whole[:cut], whole[cut:]) != sealer.lookup(whole[:other_cut], whole[other_cut:])


def test_lookups_take_any_text_a_platform_may_send(sealer):
    texts = ["", "\x00", "\ud800", "\udfff", "\ufffd", "é", "e\u0301", "x" * 100_000]
    assert len({sealer.lookup("message", text) for text in texts}) == len(texts)
    assert all(len(sealer.lookup("message", text)) == 16 for text in texts)


async def test_two_keyrings_share_no_lookup(sealer):
    async with open_sealer(":memory:", MASTER, fresh=True) as other:
        assert other.lookup("user", "U7") != sealer.lookup("user", "U7")


# --- many at once -----------------------------------------------------------------------------------------------------


def test_what_was_used_least_lately_is_forgotten_first():
    recent = Recent(2)
    for number in (1, 2):
        recent.put(number, str(number))
    recent.get(1)
    recent.put(3, "3")
    assert [recent.get(number) for number in (1, 2, 3)] == ["1", None, "3"]


async def test_more_owners_than_memory_keeps_are_all_served(monkeypatch):
    monkeypatch.setattr(datakeys, "OWNERS_KEPT", 3)
    places = [Place("item", f"customer-{number}", "row") for number in range(20)]
    async with open_sealer(":memory:", MASTER, fresh=True) as sealer:
        await sealer.prepare([place.owner for place in places])
        sealed = [sealer.seal(place, b"hello") for place in places]
        assert [sealer.open(place, one) for place, one in zip(places, sealed, strict=True)] == [b"hello"] * 20


@pytest.mark.parametrize("keyring", ["memory", "file"])
async def test_threads_with_loops_of_their_own_share_one_sealer(tmp_path, keyring):
    where = ":memory:" if keyring == "memory" else tmp_path / "desk.keys"
    sealed: dict[tuple[int, int], bytes] = {}

    async def work(sealer, worker):
        for number in range(20):
            place = Place("item", f"customer-{number}", "row")
            await sealer.prepare([place.owner])
            sealed[worker, number] = sealer.seal(place, os.urandom(10))

    async with open_sealer(where, MASTER, fresh=True) as sealer:
        threads = [threading.Thread(target=lambda n=n: asyncio.run(work(sealer, n))) for n in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            await asyncio.to_thread(thread.join)
        opened = [sealer.open(Place("item", f"customer-{number}", "row"), one) for (_, number), one in sealed.items()]
    assert len(opened) == 120


async def test_an_erased_owner_among_many_fails_alone():
    async with open_sealer(":memory:", MASTER, fresh=True) as sealer:
        await sealer.prepare(["gone"])
        await sealer.erase("gone")
        outcomes = await asyncio.gather(
            *(sealer.prepare([owner]) for owner in ("one", "gone", "two")), return_exceptions=True
        )
    assert [type(outcome) for outcome in outcomes] == [type(None), ErasedError, type(None)]
