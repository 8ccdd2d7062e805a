"""One desk on three platforms, and people who are on several of them."""

import re

from adapters.storage import open_store
from core.audit import audit_lines
from core.customers import Identity
from core.models import Accepted, Command, ConversationRef, Profile, UserMessage
from core.people import find_person
from tests.core.talk import Street, open_talk
from tests.postgres import url_for

SLACK, DISCORD, TERMINAL = (
    Identity("slack", "T1", "alice"),
    Identity("discord", "G1", "77"),
    Identity("terminal", "x", "a"),
)
MALLORY = Identity("discord", "G1", "66")
STORES = {"memory": lambda _: "memory:", "postgresql": url_for}


class Town:
    """One desk on three platforms; each call gives what was said to the person meanwhile."""

    def __init__(self, talk, streets):
        self.talk, self.streets = talk, streets
        self.store, self.sealer = talk.store, talk.sealer

    async def say(self, who, text):
        return await self._take(who, UserMessage(self.talk.next_id(), ref(who), text, Profile(who.user)))

    async def word(self, who, name, *args):
        return await self._take(who, Command(self.talk.next_id(), ref(who), name, args, profile=Profile(who.user)))

    async def _take(self, who, event):
        street = self.streets[who.platform]
        before = len(street.posted)
        assert await self.talk.desk.accept(event) is Accepted.NEW
        await self.talk.desk.drain()
        return "\n".join(piece.text for piece in street.posted[before:] if piece.ref.user == who.user)

    async def code(self, who):
        return re.search(r"`link (\S+)`", await self.word(who, "link"))[1]

    async def linked(self, one, other, how="join"):
        return await self.word(other, "link", await self.code(one), how)

    async def person(self, who):
        return await find_person(self.store, self.sealer, str(who))

    async def said(self):
        return [(line.action, line.subject, line.detail) for line in await audit_lines(self.store, self.sealer, 99)]


def ref(who):
    return ConversationRef(who.platform, who.workspace, f"dm-{who.user}", who.user)


async def open_town(url, **settings):
    streets = {name: Street(name) for name in ("terminal", "slack", "discord")}
    first, *more = streets.values()
    async with open_store(url) as store, open_talk(platform=first, more=more, store=store, **settings) as talk:
        yield Town(talk, streets)
