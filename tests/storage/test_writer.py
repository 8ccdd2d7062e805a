import asyncio
import logging
import time
from contextlib import asynccontextmanager

import pytest

from core.errors import ConflictError, StoreError
from core.queries.people import CustomerById, Customers
from core.records.people import Reserve
from core.writer import SHORT_ROUND, GroupWriter
from tests.storage.samples import customer

LONG = 60.0
"""An idle time no test waits for."""


class Watched:
    """A store that notes the size of each batch, and can be held back or made to fail."""

    def __init__(self, store):
        self.store = store
        self.batches = []
        self.errors = []
        self.open = asyncio.Event()
        self.open.set()
        self.entered = asyncio.Event()

    async def write(self, batch):
        self.entered.set()
        await self.open.wait()
        if self.errors:
            raise self.errors.pop(0)
        self.batches.append(len(batch))
        return await self.store.write(batch)

    async def read(self, query):
        return await self.store.read(query)

    def hold(self):
        self.open.clear()
        self.entered.clear()


@pytest.fixture
def watched(store):
    return Watched(store)


async def held_write(watched, writer):
    """Begin a write and leave it under way."""
    watched.hold()
    task = asyncio.create_task(writer.commit((customer("held"),)))
    await watched.entered.wait()
    return task


async def in_line(*commits):
    """Begin to wait for commits, in this order."""
    tasks = [asyncio.create_task(commit) for commit in commits]
    await asyncio.sleep(0)
    return tasks


@asynccontextmanager
async def busy():
    """Have something to do in each round of the loop."""

    async def work():
        while True:
            until = time.perf_counter() + 5 * SHORT_ROUND
            while time.perf_counter() < until:
                pass
            await asyncio.sleep(0)

    at_work = asyncio.create_task(work())
    yield
    at_work.cancel()


async def ids(store):
    return {row.id for row in await store.read(Customers())}


async def test_a_commit_is_durable_and_its_rows_come_back(watched):
    async with GroupWriter(watched) as writer:
        assert await writer.commit((Reserve("n", 7), customer())) == ([(7,)],)
        assert await ids(watched) == {"c"}


async def test_commits_that_wait_together_are_one_transaction(watched):
    async with GroupWriter(watched) as writer:
        first = await held_write(watched, writer)
        others = await in_line(*(writer.commit((customer(f"c{n}"), Reserve("n", 0))) for n in range(9)))
        watched.open.set()
        await first
        rows = await asyncio.gather(*others)
    assert watched.batches == [1, 9]
    assert sorted(row[0][0][0] for row in rows) == list(range(9))
    assert (writer.transactions, writer.commits) == (2, 10)


async def test_a_refusal_goes_to_its_own_caller(watched):
    async with GroupWriter(watched) as writer:
        outcomes = await asyncio.gather(
            *(writer.commit((customer(id_),)) for id_ in ("a", "a", "b")), return_exceptions=True
        )
    assert [type(outcome) for outcome in outcomes] == [tuple, ConflictError, tuple]
    assert await ids(watched) == {"a", "b"}


@pytest.mark.parametrize("error", [StoreError("disk full"), RuntimeError("a bug")])
async def test_a_failed_batch_fails_for_all_and_the_writer_goes_on(watched, error):
    watched.errors.append(error)
    async with GroupWriter(watched) as writer:
        outcomes = await asyncio.gather(
            *(writer.commit((customer(id_),)) for id_ in ("a", "b")), return_exceptions=True
        )
        assert [type(outcome) for outcome in outcomes] == [StoreError, StoreError]
        assert outcomes[0] is not outcomes[1]
        await writer.commit((customer("c"),))
    assert await ids(watched) == {"c"}
    assert (writer.transactions, writer.commits) == (1, 1)


async def test_a_waiter_that_is_cancelled_does_not_cancel_the_write(watched):
    async with GroupWriter(watched) as writer:
        under_way = await held_write(watched, writer)
        waiting, other = await in_line(writer.commit((customer("a"),)), writer.commit((customer("b"),)))
        under_way.cancel()
        waiting.cancel()
        watched.open.set()
        await other
    assert await ids(watched) == {"held", "a", "b"}


async def test_commits_of_a_busy_process_wait_for_company(watched):
    async with GroupWriter(watched, gather=LONG) as writer:
        async with busy():
            commits = []
            for number in range(10):
                commits += await in_line(writer.commit((customer(f"c{number}"),)))
            assert watched.batches == []
        await asyncio.gather(*commits)
    assert watched.batches == [10]


async def test_a_commit_waits_for_no_company_where_nothing_else_is_done(watched):
    async with asyncio.timeout(LONG / 2), GroupWriter(watched, gather=LONG) as writer:
        await writer.commit((customer("a"),))
        await writer.commit((customer("b"),))
    assert watched.batches == [1, 1]


async def test_a_busy_process_waits_no_longer_than_it_was_told_to(watched):
    async with GroupWriter(watched, gather=0.02) as writer, busy():
        await writer.commit((customer("a"),))
    assert watched.batches == [1]


async def test_a_full_transaction_waits_for_no_company(watched):
    async with asyncio.timeout(LONG / 2), GroupWriter(watched, gather=LONG, most=2) as writer, busy():
        await asyncio.gather(*(writer.commit((customer(f"c{number}"),)) for number in range(4)))
    assert watched.batches == [2, 2]


async def test_a_riding_commit_makes_no_transaction_of_its_own_while_others_come(watched):
    async with GroupWriter(watched, idle=LONG) as writer:
        writer.ride((customer("rider"),))
        await writer.commit((customer("a"),))
        assert watched.batches == [2]
        first = await held_write(watched, writer)
        writer.ride((customer("rider 2"),))
        watched.open.set()
        await first
        await writer.commit((customer("b"),))
    assert watched.batches == [2, 1, 2]


async def test_a_riding_commit_is_written_when_nothing_else_comes(watched):
    async with GroupWriter(watched, idle=0.01) as writer:
        writer.ride((customer("rider"),))
        await watched.entered.wait()
    assert watched.batches == [1]
    assert await ids(watched) == {"rider"}


async def test_what_rides_over_the_cap_is_not_forgotten(watched):
    async with GroupWriter(watched, idle=0.01, most=2) as writer:
        for n in range(5):
            writer.ride((customer(f"c{n}"),))
        while len(await ids(watched)) < 5:
            await asyncio.sleep(0)
    assert watched.batches == [2, 2, 1]


async def test_riding_commits_are_written_at_close(watched):
    async with GroupWriter(watched, idle=LONG) as writer:
        writer.ride((customer("rider"),))
    assert await ids(watched) == {"rider"}


async def test_a_flush_waits_for_what_rides(watched):
    async with GroupWriter(watched, idle=LONG) as writer:
        writer.ride((customer("rider"),))
        await writer.flush()
        assert await ids(watched) == {"rider"}
        await writer.flush()
    assert watched.batches == [1]
    assert (writer.transactions, writer.commits) == (1, 1)


async def test_a_flush_waits_for_what_is_under_way(watched):
    async with GroupWriter(watched, idle=LONG) as writer:
        first = await held_write(watched, writer)
        (flushing,) = await in_line(writer.flush())
        assert not flushing.done()
        watched.open.set()
        await flushing
        assert first.done()


async def test_only_the_log_tells_of_a_refused_rider(watched, caplog):
    async with GroupWriter(watched) as writer:
        await writer.commit((customer("a"),))
        writer.ride((customer("a", body=b"a secret"),))
        await writer.commit((customer("b"),))
    (line,) = (record.getMessage() for record in caplog.records if record.levelno == logging.WARNING)
    assert "refused" in line
    assert "secret" not in line


async def test_commits_of_one_caller_are_written_in_the_order_they_were_given(watched):
    async with GroupWriter(watched, idle=LONG) as writer:
        writer.ride((customer("a", body=b"first"),))
        with pytest.raises(ConflictError):
            await writer.commit((customer("a", body=b"second"),))
        (row,) = await watched.read(CustomerById("a"))
    assert row.body == b"first"


async def test_no_transaction_has_more_commits_than_the_cap(watched):
    async with GroupWriter(watched, most=4, idle=LONG) as writer:
        first = await held_write(watched, writer)
        others = await in_line(*(writer.commit((customer(f"c{n}"),)) for n in range(10)))
        watched.open.set()
        await asyncio.gather(first, *others)
    assert watched.batches == [1, 4, 4, 2]


async def test_the_end_waits_for_all_that_was_given(watched):
    async with GroupWriter(watched, most=2) as writer:
        tasks = await in_line(*(writer.commit((customer(f"c{n}"),)) for n in range(5)))
    assert all(task.done() for task in tasks)
    assert len(await ids(watched)) == 5


async def test_a_caller_that_fails_does_not_lose_what_waits(watched):
    with pytest.raises(ZeroDivisionError):
        async with GroupWriter(watched, idle=LONG) as writer:
            writer.ride((customer("rider"),))
            raise ZeroDivisionError
    assert await ids(watched) == {"rider"}


async def test_a_closed_writer_takes_nothing(watched):
    async with GroupWriter(watched) as writer:
        pass
    with pytest.raises(StoreError):
        await writer.commit((customer(),))
    with pytest.raises(StoreError):
        writer.ride((customer(),))
    with pytest.raises(StoreError):
        await GroupWriter(watched).commit((customer(),))


async def test_a_writer_that_ends_takes_nothing_more(watched):
    writer = await GroupWriter(watched).__aenter__()
    first = await held_write(watched, writer)
    (ending,) = await in_line(writer.__aexit__(None, None, None))
    with pytest.raises(StoreError):
        await writer.commit((customer("late"),))
    watched.open.set()
    await asyncio.gather(ending, first)
    assert await ids(watched) == {"held"}


async def test_a_writer_whose_task_was_cancelled_leaves_nobody_waiting(watched):
    watched.errors.append(asyncio.CancelledError())
    with pytest.raises(asyncio.CancelledError):
        async with GroupWriter(watched) as writer:
            for _ in range(2):
                with pytest.raises(StoreError):
                    await writer.commit((customer(),))


async def test_who_is_cancelled_while_the_writer_ends_does_not_cut_its_last_write(watched):
    async def work():
        async with GroupWriter(watched) as writer:
            await held_write(watched, writer)

    working = asyncio.create_task(work())
    await watched.entered.wait()
    for _ in range(3):
        await asyncio.sleep(0)
    working.cancel()
    with pytest.raises(asyncio.CancelledError):
        await working
    watched.open.set()
    while "held" not in await ids(watched):
        await asyncio.sleep(0)
