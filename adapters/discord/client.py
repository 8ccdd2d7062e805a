"""discord.py's client: one life on the gateway. It hands on what comes, and decides nothing."""

import asyncio
import json
import logging
import re
from collections.abc import Sequence
from typing import Any, Protocol

import aiohttp
import discord
from discord.http import Route
from discord.ui import Button, DynamicItem
from yarl import URL

from adapters.discord.api import watching
from adapters.discord.identifying import Identifying, check_left
from adapters.discord.options import Aim
from adapters.discord.saying import BUTTON
from adapters.discord.words import Interaction, Tree, Word
from adapters.payloads import Json

log = logging.getLogger(__name__)

FRAMES_AT_ONCE = 10
"""Frames of the gateway that are taken in one after the other before all else goes on."""


class Ears(Protocol):
    """Who hears what the client hears."""

    def frame(self, frame: Json) -> None:
        """Take an event of the gateway's in."""
        ...

    async def interaction(self, interaction: Interaction) -> None:
        """Take in what somebody chose or pressed."""
        ...

    async def tickets(self, interaction: Interaction, typed: str) -> list[str]:
        """Offer somebody's tickets."""
        ...

    async def branches(self, interaction: Interaction, typed: str) -> list[str]:
        """Offer the branches of a conversation."""
        ...

    async def set_up(self, client: "DeskClient") -> None:
        """Do what is done once, after the login and before the gateway."""
        ...


class DeskClient(discord.AutoShardedClient):
    """One client, from its login to its end. A new one is made for each life."""

    def __init__(self, ears: Ears, words: Sequence[Word], aim: Aim, *, identifying: Identifying, content: bool) -> None:
        """Nothing is connected here."""
        sharding: Any = {"shard_ids": list(aim.shards), "shard_count": aim.shard_count} if aim.shards else {}
        super().__init__(
            intents=intents(content=content),
            **sharding,
            allowed_mentions=discord.AllowedMentions.none(),
            max_messages=None,
            chunk_guilds_at_startup=False,
            # Of people we know what each event says of them.
            member_cache_flags=discord.MemberCacheFlags.none(),
            # Frames as they came: their numbers name what has no id of its own, and nothing of them is lost.
            enable_debug_events=True,
            http_trace=watching(),
        )
        self.ears = ears
        self._identifying = identifying
        self.tree = Tree(self, words, ears.interaction, {"ticket": ears.tickets, "branch": ears.branches})
        if aim.api_base:
            Route.BASE = aim.api_base.rstrip("/")
        self._connect_through(URL(aim.gateway) if aim.gateway else None)

    async def setup_hook(self) -> None:
        """Let our buttons be heard, also those of a client before this one. Raises SessionsUsedUpError."""
        shards, _, limit = await self.http.get_bot_gateway()
        check_left(limit, len(self.shard_ids or ()) or shards)
        self.add_dynamic_items(DeskButton)
        await self.ears.set_up(self)

    async def before_identify_hook(self, shard_id: int | None, *, initial: bool = False) -> None:
        """Wait before a session begins. Raises SessionsEndError where there were too many."""
        await asyncio.sleep(self._identifying.pause(shard_id or 0, initial=initial))

    async def on_socket_raw_receive(self, text: str) -> None:
        """Hand on a frame as it came."""
        try:
            frame = json.loads(text)
        except ValueError:
            log.warning("a frame of the gateway is no JSON")
            return
        if isinstance(frame, dict):
            self.ears.frame(frame)

    async def on_interaction(self, interaction: Interaction) -> None:
        """Hand on a form that was filled in: the library passes on only those it made itself in this process."""
        if interaction.type is discord.InteractionType.modal_submit:
            await self.ears.interaction(interaction)

    async def on_error(self, event_method: str, /, *_: Any, **__: Any) -> None:  # noqa: ANN401 - the library's own shape
        """Log what failed in a listener; what people wrote stays out of it."""
        log.exception("%s failed", event_method)

    def _connect_through(self, gateway: URL | None) -> None:
        """Connect there and nowhere else, whatever Discord names as its gateway and for a resume; None: as it says."""
        connect = self.http.ws_connect

        async def aimed(url: str, *, compress: int = 0) -> Any:  # noqa: ANN401 - the library's own shape
            there = str(gateway.with_query(URL(url).query)) if gateway else url
            return unhurried(await connect(there, compress=compress))

        self.http.ws_connect = aimed  # type: ignore[method-assign]  # the one door all three ways go through


def unhurried(socket: aiohttp.ClientWebSocketResponse) -> aiohttp.ClientWebSocketResponse:
    """Let others have their turn after some frames: the library takes all that are there, and the loop stands still."""
    receive, taken = socket.receive, 0

    async def one(timeout: float | None = None) -> aiohttp.WSMessage:  # noqa: ASYNC109 - the library's own shape
        nonlocal taken
        taken += 1
        if taken % FRAMES_AT_ONCE == 0:
            await asyncio.sleep(0)
        return await receive(timeout)

    socket.receive = one  # type: ignore[method-assign]
    return socket


class DeskButton(DynamicItem[Button[Any]], template=re.escape(BUTTON) + ".*"):
    """A button of ours, whoever sent it: what it says stands in its custom id."""

    @classmethod
    async def from_custom_id(
        cls,
        interaction: Interaction,
        item: Any,  # noqa: ANN401 - the library's own shape
        match: re.Match[str],
        /,
    ) -> "DeskButton":
        """Take up a button that is pressed."""
        return cls(item)

    async def callback(self, interaction: Interaction) -> None:
        """Hand on what it says."""
        ears: Ears = interaction.client.ears
        await ears.interaction(interaction)


def intents(*, content: bool) -> discord.Intents:
    """What the app asks the gateway for; `content` is the privileged one."""
    asked = discord.Intents.none()
    asked.guilds = asked.guild_messages = asked.dm_messages = True
    asked.guild_reactions = asked.dm_reactions = True
    asked.message_content = content
    return asked
