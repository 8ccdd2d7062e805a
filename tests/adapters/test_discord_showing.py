"""What is shown while the desk works: it grows no faster than Discord likes, and nothing depends on it."""

import asyncio
from itertools import pairwise

import pytest

from adapters.discord import showing
from adapters.discord.refs import Us
from adapters.discord.showing import Showing
from core.config import Settings
from core.models import ConversationRef, Progress
from tests.adapters.discord_server import QUESTION, PlainHarness, Server, StreamingHarness, hurry

TYPING = "POST /channels/{channel}/typing"
FAST = 0.05
GROWS_FOR = 10 * FAST


class Api:
    def __init__(self):
        self.edited = []

    async def call(self, method, path, **_):
        if method == "PATCH":
            self.edited.append(asyncio.get_running_loop().time())
        return {"id": "1"}


class Threads:
    async def ready(self, ref, us):
        return ref.channel

    def has_thread(self, ref):
        return True


async def test_an_answer_grows_at_most_once_a_second(monkeypatch):
    assert showing.SECONDS_BETWEEN == 1.0
    monkeypatch.setattr("adapters.discord.showing.SECONDS_BETWEEN", FAST)
    now, api = asyncio.get_running_loop().time, Api()
    shown, ref = Showing(api, Threads(), after=0.0), ConversationRef("discord", "@dm", "7", "8", direct=True)
    until, said = now() + GROWS_FOR, 0
    while now() < until:
        said += 1
        shown.show(Progress(ref, "m1", f"{said} words"), Us("1", "2"))
        await asyncio.sleep(0)
    await shown.close()
    gaps = [later - before for before, later in pairwise(api.edited)]
    assert 2 <= len(api.edited) <= GROWS_FOR / FAST
    assert min(gaps) >= 0.9 * FAST


@pytest.mark.parametrize("harness", [PlainHarness, StreamingHarness])
@pytest.mark.parametrize("code", [50013, 500])
async def test_typing_that_fails_keeps_no_answer_back(tmp_path, monkeypatch, harness, code):
    hurry(monkeypatch)
    async with harness(Settings(store=f"sqlite:///{tmp_path}/desk.db", model="offline")) as opened:
        server = Server(opened)
        if code == 500:
            server.discord.faults.fail(TYPING)
        else:
            server.discord.faults.refuse(TYPING, code)
        server.alice.dm(QUESTION)
        await server.quiet()
        assert [text.startswith("I opened TKT-1001") for text in server.texts(server.alice.im)] == [True]
