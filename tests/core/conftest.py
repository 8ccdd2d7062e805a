import pytest

import core.chores
from tests.core.talk import open_talk
from tests.core.town import STORES, open_town


@pytest.fixture
async def talk():
    async with open_talk() as talk:
        yield talk


@pytest.fixture(params=STORES)
async def town(request, tmp_path, monkeypatch):
    # One process alone: there is none that has to notice who is forgotten.
    monkeypatch.setattr(core.chores, "NOTICED_SECONDS", 0)
    async for opened in open_town(STORES[request.param](tmp_path)):
        yield opened
