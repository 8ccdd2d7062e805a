"""Search through sealed turns: how many a second are opened and looked at, and how long the loop is held up by it.

Turns of a hundred words or so, of many customers, are searched for a word that none of them has, so to the oldest one.
`python -m benchmarks.search [--turns 20000] [--store sqlite:///FILE]`: the store has to be new.
"""

import argparse
import asyncio
import tempfile
import time

from adapters.sealing import MasterKey, open_sealer
from adapters.storage import open_store
from core.audit_chain import AuditChain
from core.search import Bounds, Scope, Search, look_through
from core.writer import GroupWriter
from tests.core.books import Books

CUSTOMERS = 200
SAID, ANSWERED = (
    "the printer in room seven burns and nobody knows why " * 4,
    "please switch it off and wait for us " * 9,
)
TICK = 0.001


async def fill(books: Books, turns: int) -> None:
    """Write turns of many customers, in turn."""
    people = [await books.customer(f"c{number}") for number in range(CUSTOMERS)]
    sessions = [await books.session(f"terminal/local/dm/{one.name}", one) for one in people]
    for number in range(0, turns, CUSTOMERS):
        talks = zip(people, sessions, strict=True)
        await asyncio.gather(*(books.say(there.id, one, f"{SAID}{number}", ANSWERED) for one, there in talks))


async def longest_wait(done: asyncio.Event) -> float:
    """How long the loop was held up at most, in seconds, until it is done."""
    longest = 0.0
    while not done.is_set():
        begun = time.monotonic()
        await asyncio.sleep(TICK)
        longest = max(longest, time.monotonic() - begun - TICK)
    return longest


async def search(url: str, keyring: str) -> None:
    """Search a store that was just opened, and say how it went."""
    async with open_store(url) as store, open_sealer(keyring, MasterKey(bytes(32)), fresh=False) as sealer:
        done = asyncio.Event()
        watch = asyncio.create_task(longest_wait(done))
        begun = time.monotonic()
        found = await look_through(store, sealer, Search(Scope("local"), "zebra", Bounds(10, 3600.0)))
        seconds = time.monotonic() - begun
        done.set()
        held = await watch
    print(f"{found.opened:,} turns in {seconds:.2f} s: {found.opened / seconds:,.0f} turns/s; ", end="")
    print(f"the loop was held up for {held * 1000:.0f} ms at most")


async def main(store_url: str, turns: int) -> None:
    """Fill a store, and search it twice with no key in memory."""
    with tempfile.TemporaryDirectory() as folder:
        url, keyring = store_url or f"sqlite:///{folder}/desk.db", f"{folder}/desk.keys"
        async with (
            open_store(url) as store,
            open_sealer(keyring, MasterKey(bytes(32)), fresh=True) as sealer,
            GroupWriter(AuditChain(store, sealer)) as writer,
        ):
            await fill(Books(store, sealer, writer), turns)
        for _ in range(2):
            await search(url, keyring)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--turns", type=int, default=20_000)
    parser.add_argument("--store", default="")
    options = parser.parse_args()
    asyncio.run(main(options.store, options.turns))
