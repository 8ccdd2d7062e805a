import pytest

from core.counted import Counted, NoMetrics
from core.errors import ChangedError
from core.models import Usage
from core.queries.counts import Backlog
from core.records.guards import SessionAt
from core.writer import GroupWriter
from tests.core.talk import open_talk
from tests.storage.samples import customer, session, turn, usage


class Kept(NoMetrics):
    def __init__(self):
        self.seen = []

    def turn(self, status):
        self.seen.append(status)

    def called(self, model, used, cost_nano):
        self.seen.append((model, used, cost_nano))


async def test_what_was_refused_is_not_counted_and_what_stands_beside_it_is():
    async with open_talk() as talk:
        kept = Kept()
        async with GroupWriter(Counted(talk.store, kept)) as writer:
            await writer.commit((customer(), *session()))
            with pytest.raises(ChangedError):
                await writer.commit((SessionAt(b"session-1", 99), turn("t1")))
            await writer.commit((turn("t2", status="failed"), usage(cost_nano=None)))

    assert kept.seen == ["failed", ("model", Usage(1, 100, 40, 20, 5), None)]


async def test_a_desk_tells_what_waits():
    async with open_talk() as talk:
        await talk.say("alice", "hello")
        assert await talk.desk.backlog() == (await talk.store.read(Backlog()))[0]
