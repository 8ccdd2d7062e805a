"""What a keyring promises, whatever keeps it."""

import asyncio
import os
import signal
import subprocess
import sys

import pytest

from adapters.sealing import MasterKey, datakeys, keyring_exists, open_sealer
from adapters.sealing.wrapping import Wrapping
from core.errors import ErasedError, KeyringError, UnreadableError
from core.models import Place
from tests.adapters.keyring_kinds import KINDS
from tests.adapters.keyrings import MASTER, OWNER, PLACE, seal_something

OTHER_MASTER = MasterKey(bytes(32))


@pytest.fixture(params=KINDS)
def ring(request, tmp_path):
    with KINDS[request.param](tmp_path) as ring:
        yield ring


@pytest.fixture
async def sealed(ring):
    return await seal_something(ring.place)


# --- from one start to the next ---------------------------------------------------------------------------------------


async def test_what_was_sealed_opens_after_a_restart(ring, sealed):
    async with open_sealer(ring.place, MASTER, fresh=False) as sealer:
        assert sealer.open(PLACE, sealed) == b"hello"


async def test_an_owner_keeps_the_same_key_after_a_restart(ring, sealed):
    async with open_sealer(ring.place, MASTER, fresh=False) as sealer:
        await sealer.prepare([OWNER])
        assert sealer.open(PLACE, sealed) == b"hello"


async def test_lookups_are_the_same_after_a_restart(ring):
    async with open_sealer(ring.place, MASTER, fresh=True) as sealer:
        before = sealer.lookup("message", "1700000000.000100")
    async with open_sealer(ring.place, MASTER, fresh=False) as sealer:
        assert sealer.lookup("message", "1700000000.000100") == before


async def test_it_is_there_once_it_was_opened(ring):
    assert not keyring_exists(ring.place)
    async with open_sealer(ring.place, MASTER, fresh=True):
        assert keyring_exists(ring.place)


# --- what stops the start ---------------------------------------------------------------------------------------------


async def refused(ring, master=MASTER, *, fresh=False):
    with pytest.raises(KeyringError) as raised:
        async with open_sealer(ring.place, master, fresh=fresh):
            pass
    return str(raised.value)


@pytest.mark.parametrize("fresh", [False, True])
async def test_a_wrong_master_key_stops_the_start(ring, sealed, fresh):
    said = await refused(ring, OTHER_MASTER, fresh=fresh)
    assert said.startswith(f"the master key does not fit the keyring at {ring.name}: set DESK_MASTER_KEY to the key")


async def test_a_wrong_master_key_changes_nothing(ring, sealed):
    before = ring.rows()
    await refused(ring, OTHER_MASTER)
    assert ring.rows() == before


async def test_a_missing_keyring_of_a_store_with_customers_stops_the_start_and_is_not_made(ring):
    said = await refused(ring)
    assert f"the keyring at {ring.name} is missing or empty" in said
    assert ring.said_to_restore in said
    assert not keyring_exists(ring.place)


async def test_a_keyring_without_a_row_stops_the_start_of_a_store_with_customers(ring, sealed):
    ring.lose_keys()
    assert "is missing or empty" in await refused(ring)


async def test_a_keyring_of_a_newer_version_is_left_alone(ring, sealed):
    ring.make_newer()
    before = ring.rows()
    assert f"the keyring at {ring.name} comes from a newer Deskmate" in await refused(ring)
    assert ring.rows() == before


# --- what it holds ----------------------------------------------------------------------------------------------------


async def test_it_names_no_owner_and_holds_no_key_in_the_clear(ring):
    async with open_sealer(ring.place, MASTER, fresh=True) as sealer:
        await sealer.prepare([OWNER])
    rows = ring.rows()
    held = repr(rows).encode()
    keys = [Wrapping(MASTER).unwrap(owner, version, wrapped) for owner, version, _, wrapped, _ in rows]
    assert len(keys) == 2
    assert all(key and repr(key)[2:-1].encode() not in held for key in keys)
    assert b"planted" not in held


async def test_a_key_moved_to_another_owner_does_not_open(ring, sealed):
    async with open_sealer(ring.place, MASTER, fresh=False) as sealer:
        await sealer.prepare(["thief"])
        victim, thief = sealer.lookup("owner", OWNER), sealer.lookup("owner", "thief")
    ring.put(thief, 1, next(wrapped for owner, _, _, wrapped, _ in ring.rows() if owner == victim))
    async with open_sealer(ring.place, MASTER, fresh=False) as sealer:
        with pytest.raises(UnreadableError):
            await sealer.prepare(["thief"])
        assert sealer.open(PLACE, sealed) == b"hello"


@pytest.mark.parametrize("damaged", [b"", b"short", bytes(60)])
async def test_a_damaged_key_is_an_error_and_never_replaced(ring, sealed, damaged):
    ring.put(ring.rows()[-1][0], 1, damaged)
    async with open_sealer(ring.place, MASTER, fresh=False) as sealer:
        with pytest.raises(UnreadableError, match="was changed in the keyring"):
            sealer.open(PLACE, sealed)
        with pytest.raises(UnreadableError, match="was changed in the keyring"):
            await sealer.prepare([OWNER])


async def test_the_newest_version_seals_and_older_ones_still_open(ring, sealed):
    owner = ring.rows()[-1][0]
    ring.put(owner, 2, Wrapping(MASTER).wrap(owner, 2, os.urandom(32)))
    async with open_sealer(ring.place, MASTER, fresh=False) as sealer:
        assert sealer.seal(PLACE, b"")[:5] == bytes([1]) + (2).to_bytes(4, "big")
        assert sealer.open(PLACE, sealed) == b"hello"


async def test_the_key_version_is_bound_even_where_two_versions_hold_the_same_key(ring, sealed):
    owner, version, _, wrapped, _ = ring.rows()[-1]
    ring.put(owner, 2, Wrapping(MASTER).wrap(owner, 2, Wrapping(MASTER).unwrap(owner, version, wrapped)))
    async with open_sealer(ring.place, MASTER, fresh=False) as sealer:
        with pytest.raises(UnreadableError):
            sealer.open(PLACE, sealed[:1] + (2).to_bytes(4, "big") + sealed[5:])


# --- erasure ----------------------------------------------------------------------------------------------------------


async def test_an_erased_owner_neither_opens_nor_seals_nor_gets_a_new_key(ring, sealed):
    async with open_sealer(ring.place, MASTER, fresh=False) as sealer:
        await sealer.prepare([OWNER])
        await sealer.erase(OWNER)
        with pytest.raises(ErasedError):
            sealer.open(PLACE, sealed)
        with pytest.raises(ErasedError):
            sealer.seal(PLACE, b"")
        with pytest.raises(ErasedError):
            await sealer.prepare([OWNER])


async def test_erased_stays_erased_after_a_restart_and_holds_zeros(ring, sealed):
    async with open_sealer(ring.place, MASTER, fresh=False) as sealer:
        await sealer.erase(OWNER)
    assert [set(wrapped) for _, _, state, wrapped, _ in ring.rows() if state == "erased"] == [{0}]
    async with open_sealer(ring.place, MASTER, fresh=False) as sealer:
        with pytest.raises(ErasedError):
            sealer.open(PLACE, sealed)
        with pytest.raises(ErasedError):
            await sealer.prepare([OWNER])


async def test_erasing_one_owner_leaves_all_others(ring):
    other = Place("item", "neighbour", "row")
    async with open_sealer(ring.place, MASTER, fresh=True) as sealer:
        await sealer.prepare([OWNER, other.owner])
        kept = sealer.seal(other, b"hello")
        await sealer.erase(OWNER)
        assert sealer.open(other, kept) == b"hello"


async def test_erasing_may_be_repeated_and_an_unknown_owner_is_no_error(ring, sealed):
    async with open_sealer(ring.place, MASTER, fresh=False) as sealer:
        for owner in (OWNER, OWNER, "never-seen", ""):
            await sealer.erase(owner)
        assert ring.erasures() == 1
    async with open_sealer(ring.place, MASTER, fresh=False):
        pass


async def test_a_desk_that_serves_notices_what_another_erased(ring, sealed, monkeypatch):
    monkeypatch.setattr(datakeys, "ERASURES_SEEN_WITHIN", 0)
    async with (
        open_sealer(ring.place, MASTER, fresh=False) as desk,
        open_sealer(ring.place, MASTER, fresh=False) as other,
    ):
        assert desk.open(PLACE, sealed) == b"hello"
        await other.erase(OWNER)
        async with asyncio.timeout(20):
            with pytest.raises(ErasedError):
                while desk.open(PLACE, sealed):
                    await asyncio.sleep(0)
        with pytest.raises(ErasedError):
            await desk.prepare([OWNER])


# --- many at once -----------------------------------------------------------------------------------------------------


async def test_500_new_owners_at_once_are_a_handful_of_transactions(ring):
    async with open_sealer(ring.place, MASTER, fresh=True) as sealer:
        await asyncio.gather(*(sealer.prepare([f"customer-{number}"]) for number in range(500)))
    # All keys of one transaction bear its time.
    made = [made for owner, _, _, _, made in ring.rows() if owner]
    assert len(made) == 500
    assert len(set(made)) <= 5


async def test_a_prepared_owner_costs_no_further_write(ring, sealed):
    before = ring.rows()
    async with open_sealer(ring.place, MASTER, fresh=False) as sealer:
        await asyncio.gather(*(sealer.prepare([OWNER]) for _ in range(50)))
    assert ring.rows() == before


RACER = """
import asyncio, sys
from adapters.sealing import MasterKey, open_sealer
from core.models import Place

async def main():
    print("ready", flush=True)
    sys.stdin.readline()
    async with open_sealer(sys.argv[1], MasterKey(bytes(range(32))), fresh=True) as sealer:
        for number in range(60):
            await sealer.prepare([f"customer-{number}"])
            print(sealer.seal(Place("item", f"customer-{number}", "row"), b"hello").hex(), flush=True)
        print(sealer.lookup("user", "U7").hex(), flush=True)

asyncio.run(main())
"""


async def test_processes_that_make_the_keyring_and_its_keys_at_once_agree_on_them(ring):
    racers = [
        subprocess.Popen(
            [sys.executable, "-c", RACER, ring.place], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for _ in range(3)
    ]
    assert [racer.stdout.readline() for racer in racers] == ["ready\n"] * 3
    for racer in racers:
        racer.stdin.write("go\n")
        racer.stdin.flush()
    said = [racer.communicate()[0].split() for racer in racers]
    assert [racer.returncode for racer in racers] == [0, 0, 0]
    async with open_sealer(ring.place, MASTER, fresh=False) as sealer:
        for lines in said:
            for number, line in enumerate(lines[:60]):
                assert sealer.open(Place("item", f"customer-{number}", "row"), bytes.fromhex(line)) == b"hello"
            assert bytes.fromhex(lines[60]) == sealer.lookup("user", "U7")


KILLED = """
import asyncio, os, signal, sys
from adapters.sealing import MasterKey, open_sealer
from core.models import Place

async def main():
    async with open_sealer(sys.argv[1], MasterKey(bytes(range(32))), fresh=True) as sealer:
        await sealer.prepare(["killed"])
        print(sealer.seal(Place("item", "killed", "row"), b"hello").hex(), flush=True)
        os.kill(os.getpid(), signal.SIGKILL)

asyncio.run(main())
"""


async def test_a_prepared_key_outlives_a_kill(ring):
    killed = subprocess.run([sys.executable, "-c", KILLED, ring.place], capture_output=True, check=False)
    assert killed.returncode == -signal.SIGKILL
    async with open_sealer(ring.place, MASTER, fresh=False) as sealer:
        assert sealer.open(Place("item", "killed", "row"), bytes.fromhex(killed.stdout.decode())) == b"hello"
