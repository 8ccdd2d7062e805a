"""New data keys for everybody, made while people talk to the desk."""

import asyncio
from collections import defaultdict

from adapters.sealing import MasterKey, open_sealer
from adapters.storage import open_store
from core.clock import now
from core.config import Settings
from core.desk import Desk
from core.models import Profile, UserMessage
from core.offline import OfflineModel
from core.queries.turns import TurnsOf
from tests.core.talk import Street, place

OWNERS, AT_ONCE, PEOPLE = 10_000, 1_000, 8
AFTER = 3
"""Things each person says when all keys are new."""


class Heard(Street):
    """Where each person hears what they are answered."""

    def __init__(self):
        super().__init__()
        self.answers = defaultdict(asyncio.Queue)

    async def post(self, delivery):
        message = await super().post(delivery)
        self.answers[delivery.ref.user].put_nowait(delivery.text)
        return message


async def talk(desk, street, user, over):
    """Say things, each when the one before it is answered; how many were said before it was over."""
    said = left = 0
    while left < AFTER:
        left += over.is_set()
        await desk.accept(UserMessage(f"{user}-{said}", place(user), f"this is line {said}", Profile(user)))
        await street.answers[user].get()
        said += 1
    return said - AFTER


async def test_ten_thousand_keys_are_made_while_people_talk_and_no_turn_fails(tmp_path):
    street, over = Heard(), asyncio.Event()
    url, ring, master = f"sqlite:///{tmp_path}/desk.db", tmp_path / "keys", MasterKey(bytes(32))
    async with open_store(url, desk=True) as store, open_sealer(ring, master, fresh=True) as sealer:
        for first in range(0, OWNERS, AT_ONCE):
            await sealer.prepare([f"owner {number}" for number in range(first, first + AT_ONCE)])
        parts = {"store": store, "sealer": sealer, "model": OfflineModel(), "platforms": [street]}
        async with Desk(settings=Settings(model="offline"), **parts) as desk, asyncio.TaskGroup() as group:
            talking = [group.create_task(talk(desk, street, f"u{number}", over)) for number in range(PEOPLE)]
            await street.answers["u0"].get()
            street.answers["u0"].put_nowait("")
            made = await sealer.keys.rotate(now())
            # As within a second, when the desk notices by itself: what was sealed before has to open all the same.
            sealer._keys._forget_erased()
            over.set()
        assert made >= OWNERS
        meanwhile = [task.result() for task in talking]
        for number, said in enumerate(meanwhile):
            turns = await store.read(TurnsOf(sealer.lookup("session", f"terminal/local/dm/u{number}")))
            assert [turn.status for turn in turns] == ["done"] * (said + AFTER)
        assert min(meanwhile) > 0
        assert await sealer.keys.closed() == []
