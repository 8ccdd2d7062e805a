"""A server of our own that goes down and comes back while a store writes to it and reads from it."""

import asyncio
import os
import shutil
import subprocess
import tempfile
from contextlib import suppress
from pathlib import Path

import pytest

from adapters.storage import open_store
from core.errors import StoreError
from core.queries import Customers
from tests.postgres import free_port
from tests.storage.conftest import listening
from tests.storage.samples import commit, customer


class Server:
    """A throw-away cluster. PostgreSQL does not run as root: then it runs as the user its packages bring."""

    def __init__(self, bin_folder, folder):
        self.bin, self.folder, self.port = bin_folder, Path(folder), free_port()
        self.who = {"user": "postgres", "group": "postgres"} if os.geteuid() == 0 else {}
        self.url = f"postgresql://postgres@127.0.0.1:{self.port}/postgres"
        if self.who:
            shutil.chown(folder, "postgres", "postgres")
        self.run("initdb", "-D", folder, "-A", "trust", "-U", "postgres", "--no-sync")

    def run(self, program, *arguments):
        subprocess.run([self.bin / program, *arguments], check=True, stdout=subprocess.DEVNULL, cwd="/", **self.who)

    def start(self):
        options = f"-p {self.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories='' -c fsync=off"
        self.run("pg_ctl", "start", "-w", "-D", self.folder, "-o", options, "-l", self.folder / "log")

    def stop(self, how="fast"):
        self.run("pg_ctl", "stop", "-w", "-D", self.folder, "-m", how)


@pytest.fixture(scope="module")
def installed():
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    program = found[-1] if found else shutil.which("initdb")
    if not program:
        if os.environ.get("REQUIRE_BACKENDS"):
            pytest.fail("initdb is not here")
        pytest.skip("no initdb here")
    return Path(program).parent


@pytest.fixture
def server(installed):
    with tempfile.TemporaryDirectory() as folder:
        made = Server(installed, folder)
        made.start()
        yield made
        if (made.folder / "postmaster.pid").exists():
            made.stop("immediate")


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
