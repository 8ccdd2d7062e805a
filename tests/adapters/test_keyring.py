import os
import stat

import pytest

from adapters.sealing import MasterKey, open_sealer
from adapters.sealing.wrapping import Wrapping
from core.errors import KeyringError
from tests.adapters.keyrings import MASTER, OWNER, PLACE, all_bytes, query, seal_something

OTHER_MASTER = MasterKey(bytes(32))


@pytest.fixture
def path(tmp_path):
    return tmp_path / "desk.db.keys"


@pytest.fixture
async def sealed(path):
    return await seal_something(path)


# --- from one start to the next ---------------------------------------------------------------------------------------


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


async def test_a_missing_keyring_of_a_store_with_customers_stops_the_start_and_is_not_made(path):
    said = await refused(path)
    assert f"the keyring at {path} is missing or empty" in said
    assert "restore the file, or set DESK_KEYRING" in said
    assert list(path.parent.iterdir()) == []


async def test_an_empty_keyring_of_a_store_with_customers_stops_the_start(path):
    path.touch(mode=0o600)
    assert "is missing or empty" in await refused(path)
    assert path.stat().st_size == 0


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


async def test_a_folder_that_is_not_there_is_named(tmp_path):
    said = await refused(tmp_path / "absent" / "desk.keys", fresh=True)
    assert f"the keyring at {tmp_path}/absent/desk.keys cannot be opened" in said


async def test_an_address_of_another_kind_of_database_is_refused_without_its_password():
    said = await refused("mysql://desk:hunter2@db/keys", fresh=True)
    assert said == "DESK_KEYRING is mysql://...: give the path of a file, or postgresql://HOST/DATABASE"


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


# --- erasure ----------------------------------------------------------------------------------------------------------


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
