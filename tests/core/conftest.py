import pytest

from tests.core.talk import open_talk


@pytest.fixture
async def talk():
    async with open_talk() as talk:
        yield talk
