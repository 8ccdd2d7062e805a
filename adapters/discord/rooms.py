"""Where something happens: what the client knows of a channel or a thread, asked for where it does not."""

import logging
from collections import OrderedDict
from dataclasses import replace
from typing import Any

import discord

from adapters.discord.api import DiscordApi, RefusedCallError
from adapters.discord.refs import Room, kind_of, room_in
from adapters.discord.thread import PRIVATE
from adapters.discord.threads import Threads
from adapters.payloads import Json, number_in, object_in, text_in

log = logging.getLogger(__name__)

ASKED_FOR = 1_000


class Rooms:
    """Knows channels and threads, and which of them are for support."""

    def __init__(self, api: DiscordApi, threads: Threads, support: frozenset[str]) -> None:
        """`support` are names or ids of channels and forums."""
        self._api = api
        self._threads = threads
        self._support = frozenset(name.strip().removeprefix("#").lower() for name in support)
        self._client: discord.Client | None = None
        self._asked_for: OrderedDict[str, Room] = OrderedDict()

    def use(self, client: discord.Client | None) -> None:
        """Ask this client from now on."""
        self._client = client

    def at(self, channel: str, guild: str) -> Room | None:
        """A channel or thread as it is known without asking."""
        if not guild:
            return Room(channel, "direct")
        found = self._client.get_channel(int(channel)) if self._client and channel.isdecimal() else None
        if found is None:
            return self._asked_for.get(channel)
        return self._room(_json(found), guild)

    async def find(self, channel: str, guild: str) -> Room | None:
        """A channel or thread, asked for where it is not known; None where Discord does not tell us.

        Raises PlatformError where it cannot be asked now.
        """
        known = self.at(channel, guild)
        if known is not None:
            return known
        try:
            room = self._room(await self._api.call("GET", "/channels/{channel_id}", channel_id=channel), guild)
        except RefusedCallError as error:
            log.info("nothing is known of channel %s: %s", channel, error)
            return None
        self._asked_for[channel] = room
        if len(self._asked_for) > ASKED_FOR:
            self._asked_for.popitem(last=False)
        return room

    async def is_private(self, room: Room) -> bool:
        """Whether only those let in read a thread. Raises PlatformError."""
        channel = await self._api.call("GET", "/channels/{channel_id}", channel_id=room.id)
        return number_in(channel, "type") == PRIVATE

    def of_interaction(self, body: Json) -> Room:
        """Where an interaction happened: it says so itself."""
        return self._room(object_in(body, "channel"), text_in(body, "guild_id"))

    def supported(self, channels: list[Json], guild: str) -> list[Room]:
        """The channels and forums among these that are for support."""
        rooms = [self._room(channel, guild) for channel in channels]
        return [room for room in rooms if room.support and room.kind in ("channel", "forum")]

    def _room(self, channel: Json, guild: str) -> Room:
        room = room_in(channel, guild)
        conversation = self._threads.conversation(room.id)
        room = replace(room, conversation="" if conversation == room.id else conversation)
        return replace(room, support=self._is_forum_post(room) if room.kind == "thread" else self._is_for_support(room))

    def _is_forum_post(self, room: Room) -> bool:
        """Whether a thread is a post in a forum that is for support."""
        found = self._client.get_channel(int(room.parent)) if self._client and room.parent.isdecimal() else None
        if found is None:
            return False
        parent = room_in(_json(found), room.guild)
        return parent.kind == "forum" and self._is_for_support(parent)

    def _is_for_support(self, room: Room) -> bool:
        return room.id in self._support or room.name.lower() in self._support


def _json(channel: Any) -> Json:  # noqa: ANN401 - a channel of any of the library's classes
    """A channel the client knows, as Discord would write it."""
    parent = getattr(channel, "parent_id", None)
    return {
        "id": str(channel.id),
        "type": channel.type.value,
        "parent_id": str(parent) if parent and kind_of(channel.type.value) == "thread" else "",
        "name": getattr(channel, "name", "") or "",
    }


def payload_of(interaction: "discord.Interaction[Any]") -> Json:
    """An interaction as Discord wrote it, as far as it is read."""
    user, channel = interaction.user, interaction.channel
    nick = getattr(user, "nick", None)
    return {
        "id": str(interaction.id),
        "type": interaction.type.value,
        "application_id": str(interaction.application_id),
        "token": interaction.token,
        "guild_id": str(interaction.guild_id or ""),
        "channel": _json(channel) if channel is not None else {"id": str(interaction.channel_id or "")},
        "locale": interaction.locale.value,
        "user": {"id": str(user.id), "username": user.name, "global_name": user.global_name},
        "member": {"nick": nick, "roles": [str(role) for role in getattr(user, "_roles", ())]},
        "data": interaction.data or {},
        "message": {"id": str(interaction.message.id)} if interaction.message else {},
    }
