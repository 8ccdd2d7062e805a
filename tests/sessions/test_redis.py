import asyncio
import logging
import sys

import pytest
import redis

from adapters.storage import open_store, redis_fitness
from adapters.storage.sessions import open_session
from core.errors import ConfigError, KeyringError, RefusedError, SchemaError, StoreError
from tests.backends import REDIS, redis_url
from tests.sessions.redis_servers import Server, free_port
from tests.sessions.samples import answer, say, turns, user

MASTER = "ab" * 32
PARTS = {"session", "turns", "ids", "items", "branches"}


@pytest.fixture
def url():
    with redis_url() as url:
        yield url


@pytest.fixture
def client():
    with redis.Redis.from_url(REDIS) as client:
        yield client


def keys(client, url, part="*"):
    prefix = url.split("prefix=")[1].split("&")[0]
    return sorted(client.scan_iter(f"{prefix}:{{*}}:{part}", count=1000))


def alice(url, **options):
    return open_session(url, "alice", **{"master_key": MASTER} | options)


# --- how long it is kept ----------------------------------------------------------------------------------------------


async def test_all_keys_of_a_session_live_as_long_and_each_use_lets_them_live_on(client):
    with redis_url(ttl=100) as url:
        async with alice(url) as session:
            for use in (say(session, 1), session.get_items(), session.undo(), session.add_items([user("more")])):
                for key in keys(client, url):
                    client.expire(key, 5)
                await use
                left = [client.ttl(key) for key in keys(client, url)]
                assert len(left) >= len(PARTS)
                assert {98 < seconds <= 100 for seconds in left} == {True}


async def test_a_session_that_expired_is_a_new_one_also_where_it_is_still_in_use(client):
    with redis_url(ttl=100) as url:
        async with alice(url) as session, open_session(url, "bob", master_key=MASTER) as bob:
            await say(session, 1)
            await say(bob, 1)
            assert await session.get_items(limit=50) == turns(1)
            expire(client, url, session)
            assert await session.get_items(limit=50) == []
            await say(session, 2)
            expire(client, url, session)
            await session.add_items([user("anew")])
            assert await session.get_items() == [user("anew")]
            assert await bob.get_items() == turns(1)


def expire(client, url, session):
    for key in keys(client, url):
        if session._line.key.hex().encode() in key:
            client.pexpire(key, 0)


async def test_without_a_ttl_a_session_is_kept_also_one_that_had_one(client):
    with redis_url(ttl=100) as url:
        async with alice(url) as session:
            await say(session, 1)
        async with alice(url.replace("&ttl=100", "")) as session:
            assert await session.get_items() == turns(1)
        assert {client.ttl(key) for key in keys(client, url)} == {-1}


# --- what does not belong there ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("part", ["items", "session", "moves"])
async def test_a_key_of_something_else_is_named_and_left_alone(client, url, part):
    async with alice(url) as session:
        await say(session, 1)
        (key,) = keys(client, url, "items")
        key = key.replace(b":items", f":{part}".encode())
        client.delete(key)
        client.set(key, "a shopping list")
        for use in (session.get_items(), session.add_items([user("more")]), session.undo()):
            with pytest.raises((SchemaError, RefusedError), match=f"{part} string in Redis at .* set another prefix"):
                await use
        assert client.get(key) == b"a shopping list"


async def test_a_session_of_a_newer_layout_is_left_alone(client, url):
    async with alice(url) as session:
        await say(session, 1)
    (key,) = keys(client, url, "session")
    client.hset(key, "layout", 2)
    before = client.hgetall(key)
    async with alice(url) as session:
        for use in (session.get_items(), session.add_items([user("more")])):
            with pytest.raises(SchemaError, match="comes from a newer Deskmate"):
                await use
    assert client.hgetall(key) == before


@pytest.mark.parametrize("part", sorted(PARTS))
async def test_a_session_of_which_redis_dropped_a_part_is_an_error_and_never_an_empty_history(client, url, part):
    async with alice(url) as session:
        await say(session, 1, 2)
        client.delete(*keys(client, url, part))
        with pytest.raises(StoreError, match="has lost a part of .*: set maxmemory-policy noeviction"):
            await session.get_items()


async def test_a_session_that_is_broken_fails_nobody_who_is_read_at_the_same_moment(client, url):
    async with alice(url) as session:
        await say(session, 1)
        (lost,) = keys(client, url, "items")
        async with open_session(url, "bob", master_key=MASTER) as bob:
            await say(bob, 2)
            client.delete(lost)
            for _ in range(2):
                of_alice, of_bob = await asyncio.gather(
                    session.get_items(limit=2), bob.get_items(limit=2), return_exceptions=True
                )
                assert isinstance(of_alice, StoreError)
                assert of_bob == turns(2)[-2:]


async def test_keys_that_are_gone_from_redis_are_an_error_and_never_an_empty_history(client, url):
    async with alice(url) as session:
        await say(session, 1)
    prefix = url.split("prefix=")[1]
    client.delete(*client.scan_iter(f"{prefix}:key:*", count=1000))
    async with alice(url) as session:
        with pytest.raises(KeyringError, match="is missing or empty"):
            await session.get_items()


async def test_nothing_that_was_said_stands_in_redis_as_it_is(client, url):
    async with open_session(url, "alice@example.com", master_key=MASTER) as session:
        await session.add_items([user("the planted phrase")])
        await session.create_branch_from_turn(1, "planted branch")
    prefix = url.split("prefix=")[1]
    held = b"".join(key + client.dump(key) for key in client.scan_iter(f"{prefix}:*", count=1000))
    assert prefix.encode() in held
    for planted in (b"planted", b"alice", b"example.com"):
        assert planted not in held


async def test_the_keyring_may_be_a_file(client, url, tmp_path):
    for _ in range(2):
        async with alice(url, keyring=f"{tmp_path}/sessions.keys") as session:
            await session.add_items([answer("hello")])
    async with alice(url, keyring=f"{tmp_path}/sessions.keys") as session:
        assert await session.get_items() == [answer("hello")] * 2
    assert (tmp_path / "sessions.keys").stat().st_size > 0
    async with alice(url, keyring=f"{tmp_path}/other.keys") as session:
        with pytest.raises(KeyringError, match="is missing or empty"):
            await session.get_items()


# --- what stops the start ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("address", "error", "said"),
    [
        ("redis://127.0.0.1:1/0", StoreError, "Redis at 127.0.0.1:1/0 cannot be reached: is it running there?"),
        ("redis://127.0.0.1:x/0", ConfigError, "the port or the number is none"),
        ("redis://127.0.0.1/first", ConfigError, "the port or the number is none"),
        ("redis://127.0.0.1/0?ttl=soon", ConfigError, "ttl in the address of Redis is the seconds .* found 'soon'"),
        ("redis://127.0.0.1/0?ttl=0", ConfigError, "ttl in the address of Redis is the seconds"),
        ("redis://127.0.0.1/0?prefix=*", ConfigError, "prefix in the address of Redis must be a word"),
        ("redis://127.0.0.1/0?colour=red", ConfigError, "the address of Redis has a setting that is none"),
    ],
)
async def test_an_address_that_cannot_be_is_named_and_can_be_mended(address, error, said):
    async with alice(address) as session:
        for _ in range(2):
            with pytest.raises(error, match=said):
                await session.get_items()


async def test_a_wrong_password_is_told_without_showing_it(url):
    address = url.replace("redis://", "redis://nobody:hunter2@")
    async with alice(address) as session:
        with pytest.raises(StoreError, match="refuses the user or its password") as raised:
            await session.get_items()
    assert "hunter2" not in str(raised.value)


@pytest.mark.parametrize("missing", ["redis.asyncio", "hiredis"])
async def test_a_missing_driver_names_what_brings_it(url, monkeypatch, missing):
    monkeypatch.setitem(sys.modules, missing, None)
    async with alice(url) as session:
        with pytest.raises(ConfigError, match=r"pip install 'deskmate\[redis\]'"):
            await session.get_items()


@pytest.mark.parametrize("address", ["redis://127.0.0.1:6379/0", "rediss://user:hunter2@127.0.0.1"])
async def test_a_desk_is_not_kept_in_redis(address):
    with pytest.raises(ConfigError, match="DESK_STORE cannot be Redis") as raised:
        async with open_store(address):
            pass
    assert "hunter2" not in str(raised.value)
    assert "\n" not in str(raised.value)


# --- with a server of one's own ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (("--save", ""), ["keeps nothing on disk"]),
        (("--appendonly", "yes", "--maxmemory-policy", "allkeys-lru"), ["maxmemory-policy allkeys-lru"]),
        (("--save", "", "--maxmemory-policy", "volatile-ttl"), ["keeps nothing on disk", "volatile-ttl"]),
        (("--appendonly", "yes"), []),
        (("--save", "60 1"), []),
    ],
)
async def test_a_server_that_may_lose_sessions_is_warned_of_in_one_line_once(tmp_path, caplog, settings, said):
    with Server(tmp_path, *settings) as server:
        for _ in range(2):
            async with alice(server.url) as session:
                await say(session, 1)
                assert await session.get_items(limit=4) == turns(1)
                await session.clear_session()
    warned = [record.getMessage() for record in caplog.records if record.name == redis_fitness.__name__]
    assert len(warned) == bool(said)
    assert [part for part in said if part not in warned[0]] == []
    assert {record.levelno for record in caplog.records} <= {logging.WARNING}


async def test_a_cluster_is_refused(tmp_path):
    with Server(tmp_path, "--save", "", "--cluster-enabled", "yes", "--cluster-port", str(free_port())) as server:
        async with alice(server.url) as session:
            with pytest.raises(ConfigError, match="is a cluster, which sessions cannot use"):
                await session.get_items()


async def test_a_server_that_was_started_anew_is_used_on(tmp_path):
    with Server(tmp_path, "--appendonly", "yes", "--appendfsync", "always", "--save", "") as server:
        async with alice(server.url) as session:
            await say(session, 1)
            server.stop()
            for use in (session.get_items(), session.add_items([user("lost")])):
                with pytest.raises(StoreError, match="cannot be reached"):
                    await use
            server.start()
            assert await session.get_items() == turns(1)
            await say(session, 2)
            assert await session.get_items() == turns(1, 2)


async def test_connections_that_were_cut_are_made_again(tmp_path):
    with Server(tmp_path, "--save", "") as server:
        async with alice(server.url) as session:
            await say(session, 1)
            server.client.client_kill_filter(_type="normal", skipme=True)
            assert await session.get_items() == turns(1)
            await say(session, 2)
            assert await session.get_items() == turns(1, 2)


async def test_500_live_sessions_need_no_more_connections_than_one(tmp_path):
    # Ours are three: one that writes, one that reads, and the keyring's. The fourth is the test's own.
    with Server(tmp_path, "--save", "", "--maxclients", "4") as server:
        sessions = [open_session(server.url, str(number), master_key=MASTER) for number in range(500)]
        await asyncio.gather(*(say(session, number) for number, session in enumerate(sessions)))
        found = await asyncio.gather(*(session.get_items(limit=50) for session in sessions))
        assert found == [turns(number) for number in range(500)]
        for session in sessions:
            session.close()


async def test_a_turn_of_a_session_in_use_asks_once_and_writes_what_it_adds(tmp_path):
    with Server(tmp_path, "--save", "") as server:
        async with alice(server.url) as session:
            await say(session, 1)
            await session.get_items(limit=50)
            server.client.config_resetstat()
            await session.get_items(limit=50)
            await say(session, 2)
            stats = server.client.info("commandstats")
    assert stats["cmdstat_evalsha"]["calls"] == 4
    # Nothing of the history was read: what is known was only confirmed.
    assert "cmdstat_zrange" not in stats


async def test_a_full_server_refuses_and_keeps_what_it_has(tmp_path):
    with Server(tmp_path, "--save", "", "--maxmemory-policy", "noeviction") as server:
        async with alice(server.url) as session:
            await say(session, 1)
            server.client.config_set("maxmemory", 1)
            with pytest.raises(StoreError, match="maxmemory"):
                await session.add_items([user("too much")])
            server.client.config_set("maxmemory", 0)
            assert await session.get_items() == turns(1)
