"""Sessions on PostgreSQL are dealt to two writers: while the batch of one waits, the other goes on."""

import asyncio

from adapters.storage.sessions import open_session
from tests.postgres import url_for
from tests.storage.test_postgres import blocked, holding

MANY = 24
"""So many that both writers have some, but once in millions of times."""


async def say(session, text):
    await session.add_items([{"role": "user", "content": text}])


async def test_a_session_that_waits_for_somebody_else_holds_up_no_more_than_its_own_writers(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    url = url_for(tmp_path)
    sessions = [open_session(url, f"s{number}") for number in range(MANY)]
    await asyncio.gather(*(say(session, "before") for session in sessions))
    async with holding(url, f"SELECT FROM session WHERE id = '\\x{sessions[0]._line.key.hex()}' FOR UPDATE"):
        waits = asyncio.create_task(say(sessions[0], "waits"))
        await blocked()
        others = [asyncio.create_task(say(session, "meanwhile")) for session in sessions[1:]]
        await asyncio.wait(others, return_when=asyncio.FIRST_COMPLETED, timeout=10)
        assert any(other.done() for other in others)
        assert not waits.done()
    await asyncio.gather(waits, *others)
    for session in sessions:
        assert [item["content"] for item in await session.get_items()][0] == "before"
        session.close()
