import os
import stat

import pytest

from adapters.sealing import MasterKey, datakeys, open_sealer
from adapters.sealing.wrapping import Wrapping
from core.errors import ErasedError, KeyringError, UnreadableError
from core.models import Place
from tests.adapters.keyrings import MASTER, OWNER, PLACE, all_bytes, query, seal_something

OTHER_MASTER = MasterKey(bytes(32))


@pytest.fixture
def path(tmp_path):
    return tmp_path / "desk.db.keys"


@pytest.fixture
async def sealed(path):
    return await seal_something(path)


# --- from one start to the next ---------------------------------------------------------------------------------------


async def test_what_was_sealed_opens_after_a_restart(path, sealed):
    async with open_sealer(path, MASTER, fresh=False) as sealer:
        assert sealer.open(PLACE, sealed) == b"hello"


async def test_an_owner_keeps_the_same_key_after_a_restart(path, sealed):
    async with open_sealer(path, MASTER, fresh=False) as sealer:
        await sealer.prepare([OWNER])
        assert sealer.open(PLACE, sealed) == b"hello"


async def test_lookups_are_the_same_after_a_restart(path):
    async with open_sealer(path, MASTER, fresh=True) as sealer:
        before = sealer.lookup("message", "1700000000.000100")
    async with open_sealer(path, MASTER, fresh=False) as sealer:
        assert sealer.lookup("message", "1700000000.000100") == before


async def test_a_path_may_be_given_as_the_store_gives_its_own(path, sealed):
    async with open_sealer(f"sqlite:///{path}", MASTER, fresh=False) as sealer:
        assert sealer.open(PLACE, sealed) == b"hello"


async def test_a_path_may_hold_characters_that_addresses_may_not(tmp_path):
    folder = tmp_path / "what? 100% #1"
    folder.mkdir()
    async with open_sealer(folder / "desk.keys", MASTER, fresh=True):
        pass
    assert (folder / "desk.keys").stat().st_size > 0


async def test_a_relative_path_stays_the_same_file_when_the_process_changes_its_folder(tmp_path, monkeypatch):
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path)
    async with open_sealer("desk.keys", MASTER, fresh=True) as sealer:
        monkeypatch.chdir(tmp_path / "elsewhere")
        await sealer.prepare([OWNER])
    assert list((tmp_path / "elsewhere").iterdir()) == []


# --- what stops the start ---------------------------------------------------------------------------------------------


async def refused(path, master=MASTER, *, fresh=False):
    with pytest.raises(KeyringError) as raised:
        async with open_sealer(path, master, fresh=fresh):
            pass
    return str(raised.value)


@pytest.mark.parametrize("fresh", [False, True])
async def test_a_wrong_master_key_stops_the_start(path, sealed, fresh):
    said = await refused(path, OTHER_MASTER, fresh=fresh)
    assert said.startswith(f"the master key does not fit the keyring at {path}: set DESK_MASTER_KEY to the key")


async def test_a_wrong_master_key_changes_nothing(path, sealed):
    await refused(path, OTHER_MASTER)
    async with open_sealer(path, MASTER, fresh=False) as sealer:
        assert sealer.open(PLACE, sealed) == b"hello"


async def test_a_missing_keyring_of_a_store_with_customers_stops_the_start_and_is_not_made(path):
    said = await refused(path)
    assert f"the keyring at {path} is missing or empty" in said
    assert "restore the file, or set DESK_KEYRING" in said
    assert list(path.parent.iterdir()) == []


async def test_an_empty_keyring_of_a_store_with_customers_stops_the_start(path):
    path.touch(mode=0o600)
    assert "is missing or empty" in await refused(path)
    assert path.stat().st_size == 0


async def test_a_keyring_without_a_row_stops_the_start_of_a_store_with_customers(path, sealed):
    query(path, "DELETE FROM key")
    assert "is missing or empty" in await refused(path)


async def test_a_file_that_is_no_database_is_named_and_left_alone(path):
    path.write_text("my shopping list\n" * 1000)
    path.chmod(0o600)
    assert f"the keyring at {path} cannot be opened: file is not a database" in await refused(path, fresh=True)
    assert path.read_text() == "my shopping list\n" * 1000


async def test_another_database_is_named_and_left_alone(path):
    query(path, "CREATE TABLE song (name TEXT)")
    path.chmod(0o600)
    before = path.read_bytes()
    assert "is a database, but not a keyring: set DESK_KEYRING" in await refused(path, fresh=True)
    assert path.read_bytes() == before


async def test_a_keyring_of_a_newer_version_is_left_alone(path, sealed):
    query(path, "PRAGMA user_version = 2")
    assert f"the keyring at {path} comes from a newer Deskmate" in await refused(path)


async def test_a_folder_that_is_not_there_is_named(tmp_path):
    said = await refused(tmp_path / "absent" / "desk.keys", fresh=True)
    assert f"the keyring at {tmp_path}/absent/desk.keys cannot be opened" in said


async def test_an_address_of_another_kind_of_database_is_refused_without_its_password():
    said = await refused("postgresql://desk:hunter2@db/keys", fresh=True)
    assert said == "DESK_KEYRING is postgresql://...: give the path of a file"


async def test_a_keyring_open_to_others_is_refused_with_the_command_to_run(path, sealed):
    path.chmod(0o640)
    assert f"chmod 600 {path}" in await refused(path)


# --- what the files hold ----------------------------------------------------------------------------------------------


async def test_all_files_of_a_keyring_are_for_their_owner_alone(path):
    before = os.umask(0)
    try:
        async with open_sealer(path, MASTER, fresh=True) as sealer:
            await sealer.prepare([OWNER])
            modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()}
    finally:
        os.umask(before)
    assert len(modes) == 4
    assert set(modes.values()) == {0o600}


async def test_the_files_name_no_owner_and_hold_no_key_in_the_clear(path):
    async with open_sealer(path, MASTER, fresh=True) as sealer:
        await sealer.prepare([OWNER])
        held = all_bytes(path.parent)
        rows = query(path, "SELECT owner, version, wrapped FROM key")
    keys = [Wrapping(MASTER).unwrap(*row) for row in rows]
    assert len(keys) == 2
    assert all(key and key not in held for key in keys)
    assert MASTER.secret not in held
    assert b"planted" not in held


async def test_a_key_moved_to_another_owner_does_not_open(path, sealed):
    async with open_sealer(path, MASTER, fresh=False) as sealer:
        await sealer.prepare(["thief"])
        victim, thief = sealer.lookup("owner", OWNER), sealer.lookup("owner", "thief")
    query(path, "UPDATE key SET wrapped = (SELECT wrapped FROM key WHERE owner = ?) WHERE owner = ?", victim, thief)
    async with open_sealer(path, MASTER, fresh=False) as sealer:
        with pytest.raises(UnreadableError):
            await sealer.prepare(["thief"])
        assert sealer.open(PLACE, sealed) == b"hello"


@pytest.mark.parametrize("damaged", [b"", b"short", bytes(60)])
async def test_a_damaged_key_is_an_error_and_never_replaced(path, sealed, damaged):
    query(path, "UPDATE key SET wrapped = ? WHERE owner <> x''", damaged)
    async with open_sealer(path, MASTER, fresh=False) as sealer:
        with pytest.raises(UnreadableError, match="was changed in the keyring"):
            sealer.open(PLACE, sealed)
        with pytest.raises(UnreadableError, match="was changed in the keyring"):
            await sealer.prepare([OWNER])


async def test_the_newest_version_seals_and_older_ones_still_open(path, sealed):
    await add_version(path, os.urandom(32))
    async with open_sealer(path, MASTER, fresh=False) as sealer:
        assert sealer.seal(PLACE, b"")[:5] == bytes([1]) + (2).to_bytes(4, "big")
        assert sealer.open(PLACE, sealed) == b"hello"


async def test_the_key_version_is_bound_even_where_two_versions_hold_the_same_key(path, sealed):
    ((owner, version, wrapped),) = query(path, "SELECT owner, version, wrapped FROM key WHERE owner <> x''")
    await add_version(path, Wrapping(MASTER).unwrap(owner, version, wrapped))
    async with open_sealer(path, MASTER, fresh=False) as sealer:
        with pytest.raises(UnreadableError):
            sealer.open(PLACE, sealed[:1] + (2).to_bytes(4, "big") + sealed[5:])


async def add_version(path, key):
    ((owner,),) = query(path, "SELECT owner FROM key WHERE owner <> x''")
    query(path, "INSERT INTO key VALUES (?, 2, 'live', ?, 0)", owner, Wrapping(MASTER).wrap(owner, 2, key))


# --- erasure ----------------------------------------------------------------------------------------------------------


async def test_an_erased_owner_neither_opens_nor_seals_nor_gets_a_new_key(path, sealed):
    async with open_sealer(path, MASTER, fresh=False) as sealer:
        await sealer.prepare([OWNER])
        await sealer.erase(OWNER)
        with pytest.raises(ErasedError):
            sealer.open(PLACE, sealed)
        with pytest.raises(ErasedError):
            sealer.seal(PLACE, b"")
        with pytest.raises(ErasedError):
            await sealer.prepare([OWNER])


async def test_erased_stays_erased_after_a_restart(path, sealed):
    async with open_sealer(path, MASTER, fresh=False) as sealer:
        await sealer.erase(OWNER)
    async with open_sealer(path, MASTER, fresh=False) as sealer:
        with pytest.raises(ErasedError):
            sealer.open(PLACE, sealed)
        with pytest.raises(ErasedError):
            await sealer.prepare([OWNER])


async def test_erasing_leaves_no_byte_of_a_key_in_any_file(path):
    owners = [f"customer-{number}" for number in range(200)]
    async with open_sealer(path, MASTER, fresh=True) as sealer:
        # Few at a time, so that pages fill and split: a split must not leave a copy behind.
        for at in range(0, len(owners), 5):
            await sealer.prepare(owners[at : at + 5])
        kept = dict(query(path, "SELECT owner, wrapped FROM key"))
        wrapped = [kept[sealer.lookup("owner", owner)] for owner in owners[::10]]
        held = all_bytes(path.parent)
        assert all(key in held for key in wrapped)
        for owner in owners[::10]:
            await sealer.erase(owner)
        held = all_bytes(path.parent)
    assert not [key for key in wrapped for at in range(0, len(key) - 8, 8) if key[at : at + 8] in held]


async def test_erasing_one_owner_leaves_all_others(path):
    other = Place("item", "neighbour", "row")
    async with open_sealer(path, MASTER, fresh=True) as sealer:
        await sealer.prepare([OWNER, other.owner])
        kept = sealer.seal(other, b"hello")
        await sealer.erase(OWNER)
        assert sealer.open(other, kept) == b"hello"


async def test_erasing_may_be_repeated_and_an_unknown_owner_is_no_error(path, sealed):
    async with open_sealer(path, MASTER, fresh=False) as sealer:
        for owner in (OWNER, OWNER, "never-seen", ""):
            await sealer.erase(owner)
        assert query(path, "SELECT count(*) FROM erasure") == [(1,)]
    async with open_sealer(path, MASTER, fresh=False):
        pass


async def test_a_desk_that_serves_notices_what_another_erased(path, sealed, monkeypatch):
    monkeypatch.setattr(datakeys, "ERASURES_SEEN_WITHIN", 0)
    async with open_sealer(path, MASTER, fresh=False) as desk, open_sealer(path, MASTER, fresh=False) as other:
        assert desk.open(PLACE, sealed) == b"hello"
        await other.erase(OWNER)
        with pytest.raises(ErasedError):
            desk.open(PLACE, sealed)
        with pytest.raises(ErasedError):
            await desk.prepare([OWNER])
