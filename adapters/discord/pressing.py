"""What people choose and press, taken in: durable first, then acknowledged, then worked."""

import asyncio
import logging
import time
from dataclasses import replace

from adapters.buttons import STALE
from adapters.discord import saying, translate
from adapters.discord.hearing import Hearing
from adapters.discord.interactions import Asked, Style
from adapters.discord.parts import Parts
from adapters.discord.refs import Room, person_in, roles_in
from adapters.discord.rooms import payload_of
from adapters.discord.thread import Thread, below, in_private
from adapters.discord.translate import COMPONENT, Heard
from adapters.discord.words import Interaction
from adapters.payloads import Json, object_in, text_in
from core.errors import BadInputError, DeskError
from core.models import Accepted, UserMessage

log = logging.getLogger(__name__)

OFFERED = 25
TOO_FAST = "That is more than I can take from one person in a minute. Say it again a little later."
NO_MEMBER = "I cannot tell who you are in that server. Ask there again."


class Pressing:
    """Takes interactions in, each after what came before it in its conversation."""

    def __init__(self, parts: Parts, hearing: Hearing, private_words: frozenset[str]) -> None:
        """`private_words` are those whose answer is for the asker alone."""
        self._parts = parts
        self._hearing = hearing
        self._private = private_words

    async def take(self, interaction: Interaction) -> None:
        """Take an interaction in, and acknowledge it. What the desk does not have is not acknowledged."""
        if self._parts.door.desk is None:
            return
        body = payload_of(interaction)
        if form := saying.form_for(object_in(body, "data")):
            asked = _asked(body, "told")
            await asyncio.wait({self._parts.door.run(asked.id, self._parts.interactions.ask(asked, form))})
            return
        room = self._parts.rooms.of_interaction(body)
        try:
            heard = translate.interaction(body, self._parts.us, room)
        except BadInputError as error:
            log.info("a press is not understood: %s", error)
            return await self._tell(body, error.reply)
        if heard is None:
            return await self._tell(body, STALE)
        ref = heard.event.ref
        await asyncio.wait({self._parts.door.run(ref.channel, self._hand_in(heard, body, room))})

    async def tickets(self, interaction: Interaction, typed: str) -> list[str]:
        """Offer the person's tickets that are not over."""
        desk, body = self._parts.door.desk, payload_of(interaction)
        if desk is None:
            return []
        ref = self._parts.rooms.of_interaction(body).ref(text_in(person_in(body), "id"))
        standing = await desk.standing_of(ref)
        return _fitting([f"{ticket.name}: {ticket.subject}" for ticket in standing.tickets], typed)

    async def branches(self, interaction: Interaction, typed: str) -> list[str]:
        """Offer the branches of the conversation."""
        desk, body = self._parts.door.desk, payload_of(interaction)
        if desk is None:
            return []
        ref = self._parts.rooms.of_interaction(body).ref(text_in(person_in(body), "id"))
        return _fitting(await desk.branches_at(ref), typed)

    async def _hand_in(self, heard: Heard, body: Json, room: Room) -> None:
        if heard.server:
            member = await self._as_member(heard)
            if member is None:
                return await self._tell(body, NO_MEMBER)
            heard = member
        refusal = await self._hearing.plan(_thread_of(heard, room)) if heard.begins else ""
        if refusal:
            return await self._tell(body, refusal)
        style = self._style(heard, body)
        asked, interactions = _asked(body, style), self._parts.interactions
        interactions.begin(asked)
        try:
            if room.kind in ("direct", "thread"):
                await self._hearing.know(heard, room, asked.id)
            accepted, _ = await asyncio.gather(self._parts.door.accept(heard.event), interactions.keep(asked.id))
        except DeskError:
            interactions.forget(asked.id)
            raise
        if accepted is Accepted.REFUSED:
            return await self._turn_away(heard, asked)
        self._hearing.meet(heard.event)
        await interactions.acknowledge(asked.id, saying.SILENT[heard.chose] if style == "told" else "")
        if heard.begins:
            await self._parts.threads.ready(heard.event.ref, self._parts.us)

    async def _turn_away(self, heard: Heard, asked: Asked) -> None:
        """Say to who said too much that nothing comes of it: else they would wait for an answer."""
        interactions = self._parts.interactions
        if heard.begins:
            await self._parts.threads.unplan(heard.event.ref.channel)
        await interactions.acknowledge(asked.id, TOO_FAST if asked.style == "told" else "")
        await interactions.settle(asked.id, None, why=TOO_FAST)
        interactions.forget(asked.id)

    async def _as_member(self, heard: Heard) -> Heard | None:
        """Who pressed in a direct conversation, as who they are in a server now; None where they are not in it."""
        ref = heard.event.ref
        put = await self._parts.people.with_member({"guild_id": heard.server, "user_id": ref.user})
        if "member" not in put:
            return None
        member = replace(ref, workspace=heard.server, groups=roles_in(put))
        return replace(heard, event=replace(heard.event, ref=member))

    def _style(self, heard: Heard, body: Json) -> Style:
        if body.get("type") == COMPONENT:
            return "thinking" if heard.chose in self._private else "quiet"
        return "told" if heard.chose in saying.SILENT else "thinking"

    async def _tell(self, body: Json, text: str) -> None:
        """Say something at once to who chose or pressed, and nothing else."""
        asked = _asked(body, "told")
        self._parts.interactions.begin(asked)
        await self._parts.interactions.acknowledge(asked.id, text)
        self._parts.interactions.forget(asked.id)


def _asked(body: Json, style: Style) -> Asked:
    id_, application, token = (text_in(body, name) for name in ("id", "application_id", "token"))
    return Asked(id_, application, token, style, text_in(object_in(body, "channel"), "id"), time.time())


def _thread_of(heard: Heard, room: Room) -> Thread:
    """The thread of a conversation that begins: below a message, or in private."""
    message = heard.event
    assert isinstance(message, UserMessage)  # noqa: S101 - a conversation begins with a message
    made = below if heard.below else in_private
    conversation = message.ref.channel
    return made(conversation, guild=room.guild, parent=room.id, by=message.ref.user, said=message.text)


def _fitting(offered: list[str], typed: str) -> list[str]:
    return [one for one in offered if typed.strip().lower() in one.lower()][:OFFERED]
