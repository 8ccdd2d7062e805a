import asyncio
import fcntl

import pytest

from adapters.sealing import files, open_sealer
from core.errors import StoreError
from core.models import Place
from tests.adapters.keyrings import MASTER, PLACE, seal_something


@pytest.fixture
def path(tmp_path):
    return tmp_path / "desk.db.keys"


@pytest.fixture
async def sealed(path):
    return await seal_something(path)


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
