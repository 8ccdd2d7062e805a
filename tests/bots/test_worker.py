import asyncio
from contextlib import asynccontextmanager

import pytest

import bots.assemble
import bots.worker
from adapters.storage import open_store
from bots.absent import absent_platforms
from bots.assemble import open_desk
from bots.worker import run_worker
from core.config import check_settings
from core.errors import ConfigError
from core.models import Profile, UserMessage
from tests.core.many import Far, Way
from tests.core.talk import place


@pytest.mark.parametrize(
    ("store", "said"),
    [
        (
            "sqlite:///desk.db",
            "one process holds a SQLite file: set DESK_STORE=postgresql://... to work it with several",
        ),
        ("memory:", "one process holds what is in its memory: set DESK_STORE=postgresql://... for several"),
    ],
)
def test_a_store_that_one_process_holds_has_no_further_workers(store, said):
    with pytest.raises(ConfigError) as refused:
        run_worker(check_settings({"store": store}))
    assert str(refused.value) == said


def test_every_platform_that_is_not_spoken_is_known_by_how_it_splits():
    assert [absent.name for absent in absent_platforms([Far(name="slack")])] == ["discord", "terminal"]
    assert len(absent_platforms([])[1].split("word " * 1_000)) > 1


@pytest.fixture
async def shared(monkeypatch):
    """Every store that is opened is one, which several desks share."""
    async with open_store("memory:") as store:
        ways: list[Way] = []

        @asynccontextmanager
        async def open_shared(url, *, desk=False):
            yield Way(store, ways)

        monkeypatch.setattr(bots.assemble, "open_store", open_shared)
        yield


async def test_a_worker_answers_what_is_said_elsewhere(shared, monkeypatch, capsys):
    street = Far()
    common = {"store": "memory:", "model": "offline", "master_key": "A" * 43 + "="}
    front = check_settings({**common, "work": {"turns_at_once": 0}})
    async with open_sealed_once(monkeypatch), open_desk(front, [street], serving=True) as desk:
        working = asyncio.create_task(bots.worker._work(check_settings(common)))
        await desk.accept(UserMessage("m1", place("alice"), "hello", Profile("Alice")))
        await desk.drain()
        working.cancel()
        await asyncio.wait({working})
    assert len(street.posted) == 1
    assert capsys.readouterr().out == "Working, up to 64 turns at once.\n"


@asynccontextmanager
async def open_sealed_once(monkeypatch):
    """One keyring for both, as both would find one beside the store."""
    from adapters.sealing import MasterKey, open_sealer

    async with open_sealer(":memory:", MasterKey(bytes(32)), fresh=True) as sealer:

        @asynccontextmanager
        async def same(*_, **__):
            yield sealer

        monkeypatch.setattr(bots.assemble, "open_sealer", same)
        yield
