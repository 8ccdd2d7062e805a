"""Rotation of keys, whatever keeps them."""

import asyncio
import os
import secrets

import pytest

from adapters.sealing import MasterKey, open_sealer, rotation
from core.clock import now
from core.errors import ErasedError, KeyringError
from core.models import Place
from tests.adapters.keyring_kinds import KINDS
from tests.adapters.keyrings import MASTER, OWNER, PLACE, seal_something

NEXT = MasterKey(secrets.token_bytes(32))


@pytest.fixture(params=KINDS)
def ring(request, tmp_path, monkeypatch):
    monkeypatch.setattr(rotation, "NOTICED_SECONDS", 0)
    with KINDS[request.param](tmp_path) as ring:
        yield ring


@pytest.fixture
async def sealed(ring):
    return await seal_something(ring.place)


def nothing():
    pass


async def test_a_new_data_key_seals_and_the_old_one_still_opens_what_it_sealed(ring, sealed):
    async with (
        open_sealer(ring.place, MASTER, fresh=False) as serving,
        open_sealer(ring.place, MASTER, fresh=False) as cli,
    ):
        before = serving.seal(PLACE, b"hello")
        assert await asyncio.to_thread(cli.rotation.rotate_data, now() + 1) == 1
        serving._keys._forget_erased()
        after = serving.seal(PLACE, b"again")
        assert before[:5] != after[:5]
        assert [serving.open(PLACE, one) for one in (sealed, before, after)] == [b"hello", b"hello", b"again"]
        assert [(line.versions, line.state) for line in cli.rotation.owners()] == [(2, "live")]


async def test_a_desk_that_serves_makes_new_keys_itself_and_seals_with_them(ring, sealed):
    async with open_sealer(ring.place, MASTER, fresh=False) as serving:
        before = serving.seal(PLACE, b"hello")
        assert await serving.keys.counts() == (1, 0, 1)
        assert await serving.keys.rotate(now() + 1) == 1
        assert await serving.keys.counts() == (1, 0, 2)
        serving._keys._forget_erased()
        assert serving.seal(PLACE, b"again")[:5] != before[:5]
        assert [serving.open(PLACE, one) for one in (sealed, before)] == [b"hello", b"hello"]
        assert await serving.keys.closed() == []
        await serving.erase(OWNER)
        assert await serving.keys.counts() == (0, 1, 2)


async def test_a_rotation_that_was_cut_off_goes_on_with_those_that_are_left(ring, sealed):
    async with open_sealer(ring.place, MASTER, fresh=False) as sealer:
        began = now()
        await sealer.prepare(["somebody new"])
        assert await asyncio.to_thread(sealer.rotation.rotate_data, began) == 1
        assert await asyncio.to_thread(sealer.rotation.rotate_data, began) == 0


async def test_who_was_erased_gets_no_new_key(ring, sealed):
    async with open_sealer(ring.place, MASTER, fresh=False) as sealer:
        await sealer.erase(OWNER)
        assert await asyncio.to_thread(sealer.rotation.rotate_data, now() + 1) == 0
        with pytest.raises(ErasedError):
            await sealer.prepare([OWNER])


async def test_after_a_rotation_of_the_master_key_the_new_one_opens_all_and_the_old_one_nothing(ring, sealed):
    async with open_sealer(ring.place, MASTER, fresh=False) as sealer:
        assert await asyncio.to_thread(sealer.rotation.rotate_master, NEXT, nothing) == 2
    async with open_sealer(ring.place, NEXT, fresh=False) as sealer:
        assert sealer.open(PLACE, sealed) == b"hello"
        assert sealer.rotation.closed() == []
    with pytest.raises(KeyringError, match="does not fit"):
        async with open_sealer(ring.place, MASTER, fresh=False):
            pass


async def test_a_desk_that_serves_learns_the_next_master_key_and_goes_on(ring, sealed):
    async with (
        open_sealer(ring.place, MASTER, fresh=False) as serving,
        open_sealer(ring.place, MASTER, fresh=False) as cli,
    ):

        def looks():
            # In the pause in which every desk that serves looks for changes.
            serving._keys._forget_erased()

        wrap_all, cli.rotation._wrap_all = cli.rotation._wrap_all, lambda new: (looks(), wrap_all(new))[1]
        await asyncio.to_thread(cli.rotation.rotate_master, NEXT, nothing)
        serving._keys._forget_erased()
        assert serving.open(PLACE, sealed) == b"hello"
        await serving.prepare(["somebody new"])
        assert cli.rotation.closed() == []
    async with open_sealer(ring.place, NEXT, fresh=False) as after:
        await after.prepare(["somebody new"])


@pytest.mark.parametrize("cut", ["rewrap", "keep", "erase"])
async def test_a_rotation_of_the_master_key_that_was_cut_off_is_finished_by_doing_it_again(ring, sealed, cut):
    def killed(*_):
        raise SystemError

    async with open_sealer(ring.place, MASTER, fresh=False) as sealer:
        if cut != "keep":
            setattr(sealer._keyring, cut, killed)
        with pytest.raises(SystemError):
            await asyncio.to_thread(sealer.rotation.rotate_master, NEXT, killed if cut == "keep" else nothing)
    # Whoever starts meanwhile, still with the old key, is told the next one.
    async with open_sealer(ring.place, MASTER, fresh=False) as sealer:
        assert sealer.open(PLACE, sealed) == b"hello"
        assert "cut off" in sealer.rotation.closed()[0]
        await asyncio.to_thread(sealer.rotation.rotate_master, NEXT, nothing)
    async with open_sealer(ring.place, NEXT, fresh=False) as sealer:
        assert sealer.open(PLACE, sealed) == b"hello"
        assert sealer.rotation.closed() == []


async def test_a_key_that_opens_under_neither_is_named_and_nothing_of_it_is_lost(ring, sealed):
    ring.put(b"x" * 16, 1, os.urandom(60))
    async with open_sealer(ring.place, MASTER, fresh=False) as sealer:
        assert sealer.rotation.closed() == [f"{(b'x' * 16).hex()} version 1"]
        with pytest.raises(KeyringError, match="does not open"):
            await asyncio.to_thread(sealer.rotation.rotate_master, NEXT, nothing)
        assert sealer.open(PLACE, sealed) == b"hello"


async def test_ten_thousand_keys_are_rotated_under_load_without_a_failed_seal(tmp_path):
    owners = [f"owner {number}" for number in range(10_000)]
    async with open_sealer(tmp_path / "k", MASTER, fresh=True) as serving:
        await serving.prepare(owners)
        async with open_sealer(tmp_path / "k", MASTER, fresh=False) as cli:
            rotating = asyncio.create_task(asyncio.to_thread(cli.rotation.rotate_data, now() + 1))
            sealed = 0
            while not rotating.done():
                place = Place("turn", owners[sealed * 37 % len(owners)], str(sealed))
                assert serving.open(place, serving.seal(place, b"words")) == b"words"
                sealed += 1
                await asyncio.sleep(0)
            assert await rotating == 10_000
            assert sealed
