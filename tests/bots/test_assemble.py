import pytest

from bots.assemble import open_desk, open_records
from core.config import Settings
from core.errors import ConfigError, KeyringError
from core.queries.counts import Counts

MEMORY = Settings(store="memory:")


async def test_a_desk_for_real_people_needs_a_model_or_the_stand_in_by_name():
    with pytest.raises(ConfigError, match="DESK_MODEL=offline"):
        async with open_desk(MEMORY, [], serving=True):
            pass
    async with open_desk(MEMORY.model_copy(update={"model": "offline"}), [], serving=True):
        pass


async def test_a_desk_to_try_out_needs_none():
    async with open_desk(MEMORY, [], serving=False):
        pass


async def test_a_store_nobody_was_in_yet_can_be_read_without_a_key(tmp_path):
    settings = Settings(store=f"sqlite:///{tmp_path}/desk.db")
    async with open_desk(settings, [], serving=False):
        pass
    (tmp_path / "desk.db.key").unlink()
    async with open_records(settings) as records:
        assert {row.rows for row in await records.store.read(Counts())} == {0}


async def test_a_key_that_is_gone_is_never_made_anew_beside_its_keyring(tmp_path):
    settings = Settings(store=f"sqlite:///{tmp_path}/desk.db")
    async with open_desk(settings, [], serving=False):
        pass
    (tmp_path / "desk.db.key").unlink()
    with pytest.raises(KeyringError):
        async with open_desk(settings, [], serving=False):
            pass
    assert not (tmp_path / "desk.db.key").exists()
