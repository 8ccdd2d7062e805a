import asyncio

import pytest

from adapters.storage import open_store
from tests.postgres import url_for
from tests.storage.samples import commit, items, said, session, turn

BACKENDS = {
    "memory": lambda folder: "memory:",
    "sqlite": lambda folder: f"sqlite:///{folder}/desk.db",
    "postgresql": url_for,
}


@pytest.fixture(params=BACKENDS)
async def store(request, tmp_path):
    async with open_store(BACKENDS[request.param](tmp_path)) as opened:
        yield opened


@pytest.fixture
async def talk(store):
    """A session of five turns, t1 to t5."""
    await commit(store, *session(), *said(5))
    return store


@pytest.fixture
async def tree(talk):
    """`talk`, and a branch of two turns, x3 and x4, that leaves it after t2."""
    await commit(talk, turn("x3", parent="t2", depth=3), *items("x3"), turn("x4", parent="x3", depth=4), *items("x4"))
    return talk


@pytest.fixture
def path(tmp_path):
    return tmp_path / "desk.db"


@pytest.fixture
def url(path):
    return f"sqlite:///{path}"


async def listening(store):
    """What a store hears from now on."""
    heard = asyncio.Queue()
    await store.listen(heard.put_nowait)
    return heard
