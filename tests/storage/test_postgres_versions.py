"""Stores in PostgreSQL that an older version made, and desks of two versions on one."""

from dataclasses import replace
from urllib.parse import urlsplit

import asyncpg
import pytest

from adapters.storage import open_store, postgres, postgres_schema
from adapters.storage.migrations import load_migrations
from adapters.storage.postgres_schema import _apply
from adapters.storage.postgres_sql import load_engine
from core.errors import StoreError
from core.queries.counts import HeldOf, SchemaNumber
from core.queries.people import CustomerById, SessionById
from core.records.people import PutSession
from tests.backends import in_postgres, postgres_url
from tests.cluster import cluster
from tests.storage.samples import S, commit, customer, one, session

NEWEST = len(load_migrations("postgres"))


@pytest.fixture
def empty():
    """The URL of a new database."""
    with postgres_url() as url:
        yield url


async def made_by(url, number):
    """Have the tables as a version of so many migrations made them, with somebody in them."""
    connection = await asyncpg.connect(url)
    for migration in load_migrations("postgres")[:number]:
        await _apply(connection, migration)
    await connection.execute(
        "INSERT INTO customer (id, workspace, version, at, body) VALUES ('alice', 'local', 1, 0, 'x')"
    )
    await connection.close()


@pytest.mark.parametrize("number", range(1, NEWEST))
async def test_a_store_of_an_older_version_is_brought_up_and_keeps_what_it_has(empty, number):
    await made_by(empty, number)
    async with open_store(empty) as store:
        assert (await one(store, SchemaNumber())).number == NEWEST
        assert (await one(store, CustomerById("alice"))).version == 1
        await commit(store, customer("bob"))


def of_another_version():
    """The statements as another version has them: under other names, since what they do is another text."""
    engine = load_engine()

    def renamed(function):
        name = f"{function.name}_other"
        return replace(function, name=name, create=function.create.replace(function.name, name))

    return replace(engine, functions={cls: renamed(function) for cls, function in engine.functions.items()})


async def test_desks_of_two_versions_of_one_schema_work_one_database(empty, monkeypatch):
    async with open_store(empty) as ours:
        await commit(ours, *session())
        for module in (postgres, postgres_schema):
            monkeypatch.setattr(module, "load_engine", of_another_version)
        async with open_store(empty) as theirs:
            for store in (theirs, ours, theirs):
                await commit(store, PutSession(S, "human", 0))
            assert (await one(ours, SessionById(S))).version == 4
    functions = {row[0] for row in in_postgres("SELECT proname FROM pg_proc", url=empty)}
    both = [*load_engine().functions.values(), *of_another_version().functions.values()]
    assert {function.name for function in both} <= functions


async def test_a_server_that_likes_to_share_out_questions_gives_the_rows_in_their_order(empty):
    name = urlsplit(empty).path.strip("/")
    for setting in ("parallel_setup_cost", "parallel_tuple_cost", "min_parallel_table_scan_size"):
        in_postgres(f'ALTER DATABASE "{name}" SET {setting} = 0', url=empty)
    async with open_store(empty) as store:
        found = [tuple(row.table for row in await store.read(HeldOf("alice"))) for _ in range(30)]
    assert {tables[:5] for tables in found} == {("customer", "identity", "session", "turn", "item")}


async def test_a_wrong_password_is_told_at_once_and_shown_by_nothing():
    with cluster() as server:
        in_postgres("CREATE ROLE desk LOGIN PASSWORD 'the-right-one'", url=server.url)
        (server.folder / "pg_hba.conf").write_text("host all all 127.0.0.1/32 scram-sha-256\n")
        server.stop()
        server.start()
        place = f"127.0.0.1:{server.port}/postgres"
        with pytest.raises(StoreError, match="user desk was not let in: check the name and password") as caught:
            async with open_store(f"postgresql://desk:the-wrong-one@{place}", patience=60):
                pass
    assert "the-wrong-one" not in str(caught.value)
