import asyncio

import pytest

import bots.assemble
import bots.worker
from bots.absent import absent_platforms
from bots.assemble import open_desk
from bots.worker import run_worker
from core.config import check_settings
from core.errors import ConfigError
from core.models import Profile, UserMessage
from tests.core.many import Far
from tests.core.talk import place
from tests.postgres import url_for


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


async def test_a_worker_answers_what_is_said_elsewhere(tmp_path, capsys):
    street = Far()
    common = {"store": url_for(tmp_path), "model": "offline", "master_key": "A" * 43 + "="}
    front = check_settings({**common, "work": {"turns_at_once": 0}})
    async with open_desk(front, [street], serving=True) as desk:
        working = asyncio.create_task(bots.worker._work(check_settings(common)))
        await desk.accept(UserMessage("m1", place("alice"), "hello", Profile("Alice")))
        await desk.drain()
        working.cancel()
        await asyncio.wait({working})
    assert len(street.posted) == 1
    assert capsys.readouterr().out == "Working, up to 64 turns at once.\n"
