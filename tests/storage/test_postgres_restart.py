"""A server of our own that goes down and comes back while a store writes to it and reads from it."""

import asyncio
from contextlib import suppress

import pytest

from adapters.storage import open_store
from core.errors import StoreError
from core.queries.people import Customers
from tests.cluster import cluster
from tests.storage.conftest import listening
from tests.storage.samples import commit, customer


@pytest.fixture
def server():
    with cluster() as made:
        yield made


@pytest.mark.parametrize("how", ["fast", "immediate"])
async def test_a_restart_in_mid_run_loses_nothing_that_was_written(server, how):
    async with open_store(server.url, patience=30) as store:
        heard, busy = await listening(store), Busy(store)
        await asyncio.gather(*(busy.write(number) for number in range(3)), busy.read(), busy.restart(server, how))
        there = {row.id for row in await store.read(Customers())} - {"after"}
        await hear_again(store, heard)
    assert busy.written <= there <= busy.written | busy.unknown
    # Each writer waits for the server and goes on: only what was on its way when it went down is in doubt.
    assert len(busy.unknown) <= 6


class Busy:
    """Writers and a reader that go on while their server is restarted."""

    def __init__(self, store):
        self.store, self.restarted = store, asyncio.Event()
        self.written, self.unknown = set(), set()

    async def write(self, writer):
        number = 0
        while not (self.restarted.is_set() and number > 20):
            name = f"{writer}-{number}"
            number += 1
            try:
                await commit(self.store, customer(name))
                self.written.add(name)
            except StoreError:
                self.unknown.add(name)

    async def read(self):
        while not self.restarted.is_set():
            await self.store.read(Customers())

    async def restart(self, server, how):
        await asyncio.to_thread(server.stop, how)
        await asyncio.to_thread(server.start)
        with suppress(StoreError):
            await commit(self.store, customer("after"))
        self.restarted.set()


async def hear_again(store, heard):
    word = asyncio.create_task(heard.get())
    while not word.done():
        await store.notify(["again"])
        await asyncio.wait({word}, timeout=0.1)


async def test_a_store_that_is_opened_while_its_server_starts_waits_for_it(server):
    server.stop()
    opening = asyncio.create_task(commit_one(server.url))
    await asyncio.to_thread(server.start)
    await opening


async def commit_one(url):
    async with open_store(url, patience=30) as store:
        await commit(store, customer())
