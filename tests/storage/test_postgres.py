import asyncio
import logging
from contextlib import asynccontextmanager, suppress
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest

from adapters.storage import open_store
from core.errors import ChangedError, ConfigError, SchemaError, StoreError
from core.queries.lanes import LaneById
from core.queries.people import Customers, SessionById, StandOf
from core.records.guards import SessionAt, TurnEnds
from core.records.people import PutSession, Reserve
from core.records.turns import AddItem
from tests.postgres import cut, database, free_port, url_for
from tests.storage.samples import S, commit, customer, event, one, session, turn

SECRET = "not-to-be-shown"


def with_password(url, user=None):
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=f"{user or parts.username}:{SECRET}@{parts.hostname}:{parts.port}"))


async def run(sql, *values, url=None):
    connection = await asyncpg.connect(url or database().url)
    try:
        return await connection.fetch(sql, *values)
    finally:
        await connection.close()


async def refused(url, kind=StoreError, patience=0.2):
    """What is said of a store that cannot be opened: one line, without the password."""
    with pytest.raises(kind) as caught:
        async with open_store(url, patience=patience):
            pass
    text = str(caught.value)
    assert SECRET not in text
    assert "\n" not in text
    return text


@pytest.fixture
def url(tmp_path):
    return url_for(tmp_path)


# --- what an operator is told -----------------------------------------------------------------------------------------


async def test_a_server_that_is_not_there_is_waited_for_with_one_line_and_then_given_up(url, caplog):
    port = free_port()
    away = urlunsplit(urlsplit(with_password(url))._replace(netloc=f"alice:{SECRET}@127.0.0.1:{port}"))
    with caplog.at_level(logging.WARNING):
        text = await refused(away)
    assert f"127.0.0.1:{port}" in text
    assert "tried for 0.2 s" in text
    assert len(caplog.messages) == 1
    assert SECRET not in caplog.text


async def test_a_database_that_is_not_there_is_named_with_the_command_that_makes_it(url):
    assert "createdb deskmate_absent" in await refused(f"{url.rpartition('/')[0]}/deskmate_absent")


async def test_a_name_that_is_not_let_in_is_not_tried_again(url):
    text = await refused(with_password(url, user="deskmate_nobody"), patience=60)
    assert "deskmate_nobody" in text
    assert "check the name and password" in text


async def test_a_url_that_is_none_does_not_show_its_password():
    await refused(f"postgresql://alice:{SECRET}@127.0.0.1:no-port/desk", kind=ConfigError)


async def test_rights_that_are_missing_are_named_with_what_gives_them(url, role, new_database):
    text = await refused(with_password(new_database, user=role))
    assert f"GRANT CREATE, USAGE ON SCHEMA public TO {role}" in text


async def test_a_connection_limit_that_is_reached_is_named(url, role):
    await run(f"ALTER ROLE {role} CONNECTION LIMIT 0")
    assert "run fewer processes" in await refused(with_password(url, user=role))


async def test_a_store_of_a_newer_version_is_not_opened(new_database):
    async with open_store(new_database):
        pass
    await run("INSERT INTO migration (number, name, checksum) VALUES (9999, 'later', 'x')", url=new_database)
    assert "update deskmate" in await refused(new_database, kind=SchemaError)


async def test_a_store_made_by_another_migration_is_not_opened(new_database):
    async with open_store(new_database):
        pass
    await run("UPDATE migration SET checksum = 'x' WHERE number = 1", url=new_database)
    assert "another version of schema 1" in await refused(new_database, kind=SchemaError)


async def test_tables_of_another_program_are_left_alone(new_database):
    await run("CREATE TABLE customer (name text)", url=new_database)
    assert "another program" in await refused(new_database, kind=SchemaError)
    assert [row[0] for row in await run("SELECT to_regclass('turn')", url=new_database)] == [None]


async def test_processes_that_start_at_once_make_the_tables_once(new_database):
    async def start(name):
        async with open_store(new_database) as store:
            await commit(store, customer(name))

    await asyncio.gather(*(start(f"c{number}") for number in range(4)))
    assert len(await run("SELECT FROM customer", url=new_database)) == 4


async def test_a_full_disk_is_one_clear_line_and_the_store_goes_on(url):
    full = """CREATE FUNCTION pg_temp_full() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = 'disk_full'; END $$"""
    async with open_store(url) as store:
        await run(full)
        await run("CREATE TRIGGER full_disk BEFORE INSERT ON customer EXECUTE FUNCTION pg_temp_full()")
        try:
            with pytest.raises(StoreError, match="disk is full") as caught:
                await commit(store, customer())
        finally:
            await run("DROP FUNCTION pg_temp_full() CASCADE")
        assert "\n" not in str(caught.value)
        await commit(store, customer())


# --- connections that are cut -----------------------------------------------------------------------------------------


async def test_what_is_asked_and_written_after_a_cut_reaches_the_store(url):
    async with open_store(url) as store:
        await commit(store, customer("before"))
        assert len(await store.read(Customers())) == 1
        assert await cut(database()) == 2
        # Whoever writes before the cut is noticed cannot know what became of it; a read is only asked again.
        assert await store.read(Customers())
        with suppress(StoreError):
            await commit(store, customer("unsure"))
        await commit(store, customer("after"))
        assert {row.id for row in await store.read(Customers())} >= {"before", "after"}


async def test_a_commit_whose_connection_is_cut_while_it_waits_is_written_once_or_said_to_be_unknown(url):
    async with open_store(url) as store:
        await commit(store, *session())
        async with holding(url, "SELECT FROM session FOR UPDATE"):
            writing = asyncio.create_task(store.write([(SessionAt(S, 1), PutSession(S, "human", 0))]))
            await blocked()
            await cut(database())
        try:
            assert await writing == [()]
            expected = {2}
        except StoreError as error:
            assert "may be there or not" in str(error)
            expected = {1, 2}
        assert (await one(store, SessionById(S))).version in expected


# --- beside other processes -------------------------------------------------------------------------------------------


@asynccontextmanager
async def holding(url, sql):
    """A transaction of somebody else that holds locks."""
    connection = await asyncpg.connect(url)
    await connection.execute("BEGIN")
    await connection.execute(sql)
    try:
        yield connection
    finally:
        await connection.execute("COMMIT")
        await connection.close()


async def blocked():
    """Wait until a store waits for a lock."""
    waiting = "SELECT FROM pg_stat_activity WHERE datname = $1 AND wait_event_type = 'Lock'"
    while not await run(waiting, database().name):
        pass


async def test_a_guard_waits_for_who_is_changing_what_it_looks_at(url):
    async with open_store(url) as store:
        await commit(store, *session())
        async with holding(url, "UPDATE session SET version = 2"):
            writing = asyncio.create_task(store.write([(SessionAt(S, 1), customer())]))
            await blocked()
        assert isinstance((await writing)[0], ChangedError)


async def test_two_processes_that_write_the_same_sessions_in_opposite_order_never_wait_in_a_circle(url):
    names = [b"session %02d" % number for number in range(20)]
    async with open_store(url) as one_store, open_store(url) as other:
        await one_store.write([session(name) for name in names])
        before = await deadlocks()
        for round_ in range(10):
            await asyncio.gather(
                one_store.write(
                    [(PutSession(name, "bot", 0), event(f"a{round_}{name}", session=name)) for name in names]
                ),
                other.write(
                    [(event(f"b{round_}{name}", session=name), PutSession(name, "bot", 0)) for name in reversed(names)]
                ),
            )
        assert await deadlocks() == before
        assert {(await one(other, SessionById(name))).version for name in names} == {21}
        assert {(await one(other, LaneById(name))).pending for name in names} == {20}


async def test_with_two_writers_a_batch_does_not_wait_for_one_that_waits_for_somebody_else(url):
    async with open_store(url, writers=2) as store:
        await store.write([session(b"a"), session(b"b")])
        async with holding(url, "SELECT FROM session WHERE id = 'a' FOR UPDATE"):
            waits = asyncio.create_task(store.write([(PutSession(b"a", "human", 0),)]))
            await blocked()
            async with asyncio.timeout(10):
                await store.write([(PutSession(b"b", "human", 0),)])
            assert not waits.done()
        assert await waits == [()]


async def deadlocks():
    rows = await run(
        "SELECT pg_stat_clear_snapshot(), deadlocks FROM pg_stat_database WHERE datname = $1", database().name
    )
    return rows[0][1]


async def test_a_batch_that_somebody_else_has_closed_a_circle_with_is_written_again(url):
    async with open_store(url) as store:
        await store.write([session(b"a"), session(b"b")])
        # Who looks first for the circle gives way: the store, however slowly this goes on here.
        await store._writers[0].execute("SET deadlock_timeout = '4s'")
        async with holding(url, "SELECT FROM session WHERE id = 'b' FOR UPDATE") as other:
            await other.execute("SET deadlock_timeout = '60s'")
            writing = asyncio.create_task(store.write([(PutSession(name, "human", 0),) for name in (b"a", b"b")]))
            await blocked()
            await other.execute("SELECT FROM session WHERE id = 'a' FOR UPDATE")
        assert await writing == [(), ()]


async def test_counters_that_two_processes_draw_from_never_give_a_number_twice(url):
    async with open_store(url) as one_store, open_store(url) as other:
        drawn = await asyncio.gather(
            *(store.write([(Reserve("n", 1), Reserve("m", 1))] * 5) for store in (one_store, other) for _ in range(4))
        )
    numbers = [rows[0][0] for outcomes in drawn for (rows, _) in outcomes]
    assert sorted(numbers) == list(range(1, 41))


async def test_an_item_that_somebody_else_has_added_is_noticed(url):
    async with open_store(url) as store, open_store(url) as other:
        await commit(store, *session(), turn())
        await commit(store, TurnEnds("t1", 0), AddItem("t1", 0, b"ours"))
        await commit(other, AddItem("t1", 1, b"theirs"))
        with pytest.raises(ChangedError):
            await commit(store, TurnEnds("t1", 1), customer())


async def test_where_many_sessions_stand_is_one_question(url):
    async with open_store(url) as store:
        await store.write([session(name) for name in (b"a", b"b")])
        answers = await store.read_all([StandOf(name) for name in (b"b", b"absent", b"a")])
        assert [len(rows) for rows in answers] == [1, 0, 1]


async def test_a_store_holds_a_few_connections_whatever_is_asked_at_once(url):
    async with open_store(url) as store:
        await asyncio.gather(*(store.read(Customers()) for _ in range(100)))
        rows = await run(
            "SELECT FROM pg_stat_activity WHERE datname = $1 AND application_name = 'deskmate'", database().name
        )
        assert len(rows) == 5


# --- fixtures ---------------------------------------------------------------------------------------------------------


@pytest.fixture
async def role(url):
    name = f"deskmate_role_{database().name.rpartition('_')[2]}"
    await run(f"CREATE ROLE {name} LOGIN")
    yield name
    await run(f"DROP ROLE {name}")


@pytest.fixture
async def new_database():
    found = database()
    name = f"{found.name}_new"
    await run(f'CREATE DATABASE "{name}"')
    yield f"{found.url}_new"
    await run(f'DROP DATABASE "{name}" (FORCE)')
