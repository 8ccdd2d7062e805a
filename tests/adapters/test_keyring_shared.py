import asyncio
import fcntl
import signal
import subprocess
import sys

import pytest

from adapters.sealing import files, open_sealer
from core.errors import StoreError
from core.models import Place
from tests.adapters.keyrings import MASTER, OWNER, PLACE, query, seal_something


@pytest.fixture
def path(tmp_path):
    return tmp_path / "desk.db.keys"


@pytest.fixture
async def sealed(path):
    return await seal_something(path)


async def test_500_new_owners_at_once_are_a_handful_of_transactions(path):
    async with open_sealer(path, MASTER, fresh=True) as sealer:
        await asyncio.gather(*(sealer.prepare([f"customer-{number}"]) for number in range(500)))
    # All keys of one transaction bear its time.
    ((keys, transactions),) = query(path, "SELECT count(*), count(DISTINCT made) FROM key WHERE owner <> x''")
    assert keys == 500
    assert transactions <= 5


async def test_a_caller_that_gives_up_takes_nobody_along(path):
    async with open_sealer(path, MASTER, fresh=True) as sealer:
        with path.with_name(f"{path.name}.write").open() as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            asked = [asyncio.ensure_future(sealer.prepare([f"customer-{number}"])) for number in range(10)]
            await asyncio.sleep(0)
            for at in (0, 5):
                asked[at].cancel()
        async with asyncio.timeout(10):
            outcomes = await asyncio.gather(*asked, return_exceptions=True)
    given_up = [at for at, outcome in enumerate(outcomes) if isinstance(outcome, asyncio.CancelledError)]
    assert given_up == [0, 5]
    assert outcomes.count(None) == 8


async def test_a_prepared_owner_costs_no_further_write(path, sealed):
    before = query(path, "SELECT * FROM key")
    async with open_sealer(path, MASTER, fresh=False) as sealer:
        await asyncio.gather(*(sealer.prepare([OWNER]) for _ in range(50)))
    assert query(path, "SELECT * FROM key") == before


RACER = """
import asyncio, sys
from adapters.sealing import MasterKey, open_sealer
from core.models import Place

async def main():
    async with open_sealer(sys.argv[1], MasterKey(bytes(range(32))), fresh=True) as sealer:
        print("ready", flush=True)
        sys.stdin.readline()
        for number in range(60):
            await sealer.prepare([f"customer-{number}"])
            print(sealer.seal(Place("item", f"customer-{number}", "row"), b"hello").hex(), flush=True)
        print(sealer.lookup("user", "U7").hex(), flush=True)

asyncio.run(main())
"""


async def test_processes_that_make_keys_at_once_agree_on_them(path):
    racers = [
        subprocess.Popen([sys.executable, "-c", RACER, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    assert [racer.stdout.readline() for racer in racers] == ["ready\n"] * 2
    for racer in racers:
        racer.stdin.write("go\n")
        racer.stdin.flush()
    said = [racer.communicate()[0].split() for racer in racers]
    assert [racer.returncode for racer in racers] == [0, 0]
    async with open_sealer(path, MASTER, fresh=False) as sealer:
        for lines in said:
            for number, line in enumerate(lines[:60]):
                assert sealer.open(Place("item", f"customer-{number}", "row"), bytes.fromhex(line)) == b"hello"
            assert bytes.fromhex(lines[60]) == sealer.lookup("user", "U7")


async def test_a_keyring_that_another_holds_too_long_is_an_error_and_no_loss(path, sealed, monkeypatch):
    monkeypatch.setattr(files, "PATIENCE", 0)
    async with open_sealer(path, MASTER, fresh=False) as sealer:
        with path.with_name(f"{path.name}.write").open() as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            with pytest.raises(StoreError, match="another process has held"):
                await sealer.prepare(["late"])
            assert sealer.open(PLACE, sealed) == b"hello"
        await sealer.prepare(["late"])
        assert sealer.open(Place("item", "late", "row"), sealer.seal(Place("item", "late", "row"), b"x")) == b"x"


KILLED = """
import asyncio, os, signal, sys
from adapters.sealing import MasterKey, open_sealer
from core.models import Place

async def main():
    async with open_sealer(sys.argv[1], MasterKey(bytes(range(32))), fresh=True) as sealer:
        await sealer.prepare(["killed"])
        print(sealer.seal(Place("item", "killed", "row"), b"hello").hex(), flush=True)
        os.kill(os.getpid(), signal.SIGKILL)

asyncio.run(main())
"""


async def test_a_prepared_key_outlives_a_kill(path):
    killed = subprocess.run([sys.executable, "-c", KILLED, path], capture_output=True, check=False)
    assert killed.returncode == -signal.SIGKILL
    async with open_sealer(path, MASTER, fresh=False) as sealer:
        assert sealer.open(Place("item", "killed", "row"), bytes.fromhex(killed.stdout.decode())) == b"hello"
