import asyncio
import sys
from urllib.parse import urlsplit, urlunsplit

import pytest

from adapters.sealing import datakeys, default_keyring, open_sealer
from bots.assemble import open_desk
from core.config import Settings
from core.errors import ConfigError, KeyringError
from tests.adapters.keyring_kinds import one_database
from tests.adapters.keyrings import MASTER, OWNER, PLACE, seal_something
from tests.backends import drop_database, in_postgres
from tests.cluster import cluster


@pytest.fixture
def url():
    """A database of this process, without a keyring at first; the next test finds none either."""
    url = one_database()
    try:
        yield url
    finally:
        in_postgres("DROP SCHEMA IF EXISTS deskmate_keyring CASCADE", url=url)


def beside(url):
    """A database that is not there, and its name."""
    name = f"{urlsplit(url).path.strip('/')}_keys"
    return urlunsplit(urlsplit(url)._replace(path=f"/{name}")), name


@pytest.mark.parametrize(
    ("store", "keyring"),
    [
        ("postgresql://desk:pw@db:5433/desk?sslmode=require", "postgresql://desk:pw@db:5433/desk_keys?sslmode=require"),
        ("redis://db/0?ttl=60", "redis://db/0?ttl=60"),
        ("sqlite:///data/desk.db", "data/desk.db.keys"),
        ("memory:", ":memory:"),
    ],
)
def test_each_store_has_a_keyring_of_its_own_by_default(store, keyring):
    assert default_keyring(store) == keyring


async def test_its_database_is_made_where_the_role_may(url):
    place, name = beside(url)
    try:
        sealed = await seal_something(place)
        async with open_sealer(place, MASTER, fresh=False) as sealer:
            assert sealer.open(PLACE, sealed) == b"hello"
    finally:
        drop_database(name)


async def test_a_role_that_may_not_make_it_is_told_the_command(url):
    place, name = beside(url)
    role = f"{name}_poor"
    in_postgres(f'CREATE ROLE "{role}" LOGIN')
    try:
        parts = urlsplit(place)
        poor = urlunsplit(parts._replace(netloc=f"{role}@{parts.hostname}:{parts.port}"))
        with pytest.raises(KeyringError, match=rf"run  createdb --host \S+ --port \d+ --owner {role} {name}$"):
            await seal_something(poor)
    finally:
        in_postgres(f'DROP ROLE "{role}"')


async def test_a_server_that_is_not_there_is_told_without_the_password():
    with pytest.raises(KeyringError, match=r"the keyring at postgresql://127.0.0.1:1/keys cannot be used") as raised:
        await seal_something("postgresql://desk:hunter2@127.0.0.1:1/keys")
    assert "hunter2" not in str(raised.value)


async def test_a_server_that_does_not_come_is_waited_for_as_long_as_was_said(caplog):
    with pytest.raises(KeyringError, match=r"cannot be used: .* \(tried for 0.2 s\)$"):
        async with open_sealer("postgresql://127.0.0.1:1/keys", MASTER, fresh=True, patience=0.2):
            pass
    (said,) = [record.getMessage() for record in caplog.records if record.name == "adapters.sealing.waiting"]
    assert said.endswith("trying for 0.2 s")


async def test_a_keyring_that_is_no_keyring_is_not_waited_for(url):
    async with asyncio.timeout(10):
        with pytest.raises(KeyringError, match="restore the database"):
            async with open_sealer(url, MASTER, fresh=False, patience=60):
                pass


async def test_a_desk_waits_for_the_server_of_its_keyring_and_for_whether_a_master_key_may_be_made(tmp_path, caplog):
    with cluster() as server:
        server.stop()
        keys = f"{server.url}_keys"
        settings = Settings(store=f"sqlite:///{tmp_path}/desk.db", keyring=keys, store_seconds=30)
        opening = asyncio.create_task(open_and_close(settings))
        while "; trying for 30 s" not in caplog.text and not opening.done():
            await asyncio.sleep(0)
        await asyncio.to_thread(server.start)
        await opening
    assert (tmp_path / "desk.db.key").exists()


async def open_and_close(settings):
    async with open_desk(settings, [], serving=False):
        pass


async def test_a_missing_driver_names_what_brings_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "asyncpg", None)
    with pytest.raises(ConfigError, match=r"pip install 'deskmate\[postgres\]'"):
        await seal_something("postgresql://127.0.0.1/keys")


async def test_connections_that_were_cut_are_made_again(url):
    sealed = await seal_something(url)
    async with open_sealer(url, MASTER, fresh=False) as sealer:
        cut(url)
        await sealer.prepare(["after the cut"])
        assert sealer.open(PLACE, sealed) == b"hello"


def cut(url):
    name = urlsplit(url).path.strip("/")
    in_postgres("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1", name)


async def test_keys_in_memory_are_used_without_asking_and_while_the_server_is_away(url, monkeypatch, caplog):
    monkeypatch.setattr(datakeys, "ERASURES_SEEN_WITHIN", 0)
    place, name = beside(url)
    sealed = await seal_something(place)
    async with open_sealer(place, MASTER, fresh=False) as sealer:
        await sealer.prepare([OWNER])
        drop_database(name)
        async with asyncio.timeout(20):
            while "whether keys were erased cannot be told" not in caplog.text:
                await asyncio.sleep(0)
        assert sealer.open(PLACE, sealed) == b"hello"
    said = [record for record in caplog.records if record.name == "adapters.sealing.erasures"]
    assert len(said) == 1


async def test_erasures_by_many_at_once_are_all_noticed(url, monkeypatch):
    owners = [f"customer-{number}" for number in range(20)]
    async with open_sealer(url, MASTER, fresh=True) as first, open_sealer(url, MASTER, fresh=False) as second:
        await first.prepare(owners)
        both = (first, second)
        await asyncio.gather(*(both[number % 2].erase(owner) for number, owner in enumerate(owners)))
        assert first._keyring.erasures() == second._keyring.erasures() == len(owners)
