"""The words of the desk as app commands: what people pick from when they type a slash, or open a message's menu."""

import hashlib
import json
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Literal, Protocol, TypeVar

import discord
from discord import app_commands

from adapters.discord import saying

Interaction = discord.Interaction[Any]
CommandT = TypeVar("CommandT", app_commands.Group, app_commands.ContextMenu)
Take = Callable[[Interaction], Awaitable[None]]
Suggest = Callable[[Interaction, str], Awaitable[list[str]]]
"""Offers what begins like what was typed so far."""

STAFF_WORDS = (
    "undo",
    "redo",
    "rewind",
    "clear",
    "stop",
    "mute",
    "unmute",
    "history",
    "summary",
    "ticket-summary",
    saying.REVIEW,
    saying.SEARCH,
    saying.USAGE_BY,
    "audit",
    "retention",
    "keys",
    saying.HOLD,
    "forget",
    "export",
    "unlink",
)
"""Words that staff says about other people and their conversations, in a group of their own."""

_ABOUT = 100
_TICKETS = {"ticket", "ticket-summary", "open"}
_BRANCHES = {"switch"}
_HINTS = {
    "undo": "how many turns",
    "history": "how many turns",
    "rewind": "the number of the last turn to keep",
    "branch": "a name for the branch",
    "switch": "the branch to go on with",
    "clear": "`confirm` to delete without being asked again",
    "audit": "how many lines, `verify` whether the log is whole, or `export` for a file",
    "retention": "`run` to delete it; you are asked first",
    "keys": "`check` to try every key, `rotate` to make new ones; you are asked first",
}
_OPTIONS = {
    "undo": "n",
    "history": "n",
    "rewind": "n",
    "branch": "name",
    "switch": "name",
    "clear": "sure",
    "audit": "what",
    "retention": "do",
    "keys": "do",
}
_CHOICES = {"retention": ("run",), "keys": ("check", "rotate")}
_REQUIRED = {"rewind", "switch", "open", "ticket"}


class Word(Protocol):
    """A word of the desk's table, as far as it is shown."""

    @property
    def name(self) -> str:
        """How it is said."""
        ...

    @property
    def emoji(self) -> str:
        """The reaction that says it; empty where none does."""
        ...

    @property
    def about(self) -> str:
        """What it does."""
        ...

    @property
    def answer(self) -> str:
        """Who sees the answer: 'place', 'private' or 'none'."""
        ...

    @property
    def needs(self) -> str:
        """What the asker's role has to allow; 'own' is for everybody."""
        ...

    @property
    def of_others(self) -> bool:
        """Whether it is said of somebody else, by a name that people say of themselves."""
        ...


class Tree(app_commands.CommandTree[Any]):
    """All commands hand the interaction to `take`; what the words mean the desk knows."""

    def __init__(self, client: discord.Client, words: Sequence[Word], take: Take, offers: dict[str, Suggest]) -> None:
        """`offers` are under 'ticket' and 'branch'."""
        super().__init__(
            client,
            allowed_contexts=app_commands.AppCommandContext(guild=True, dm_channel=True, private_channel=False),
            allowed_installs=app_commands.AppInstallationType(guild=True, user=False),
        )
        self._take = take
        self._offers = offers
        by_name = {word.name: word for word in words if not word.of_others}
        of_others = {word.name: word for word in words if word.of_others}
        own = [word for word in words if word.needs == "own" and word.name not in saying.ALONE]
        self.add_command(self._group(saying.DESK, "Talk to the desk", own))
        said_by_staff = [of_others.get(name) or by_name[name] for name in STAFF_WORDS]
        staff = self._group(saying.STAFF, "Work on other people's conversations", said_by_staff)
        self.add_command(_for_staff(staff))
        for name in saying.ALONE:
            self.add_command(self._word(by_name[name]))
        self.add_command(self._ask())
        for name in (*saying.MENUS, saying.CREATE_TICKET):
            self.add_command(app_commands.ContextMenu(name=name, callback=self._menu()))
        self.add_command(_for_staff(app_commands.ContextMenu(name=saying.REVIEW_MENU, callback=self._menu())))

    async def on_error(self, interaction: Interaction, error: app_commands.AppCommandError, /) -> None:
        """Take a command that this version does not know: the desk says so."""
        if not isinstance(error, app_commands.CommandNotFound | app_commands.CommandSignatureMismatch):
            return await super().on_error(interaction, error)
        if interaction.type is discord.InteractionType.application_command:
            await self._take(interaction)

    def fingerprint(self) -> str:
        """What changes when the commands do."""
        commands = [command.to_dict(self) for command in self.get_commands()]
        return hashlib.sha256(json.dumps(commands, sort_keys=True, default=str).encode()).hexdigest()

    def _group(self, name: str, about: str, words: Sequence[Word]) -> app_commands.Group:
        group = app_commands.Group(name=name, description=about)
        for word in words:
            group.add_command(self._word(word))
        return group

    def _word(self, word: Word) -> "app_commands.Command[Any, ..., Any]":
        name, about = word.name.replace(" ", "-"), word.about[:_ABOUT]
        command: app_commands.Command[Any, ..., Any]
        command = app_commands.Command(name=name, description=about, callback=self._callback_of(word))
        offer = "ticket" if word.name in _TICKETS else "branch" if word.name in _BRANCHES else ""
        if offer:
            command.autocomplete("said")(self._offering(offer))
        return command

    def _callback_of(self, word: Word) -> "Callable[..., Any]":
        return self._of_person() if word.of_others else self._callback(word.name)

    def _callback(self, word: str) -> "Callable[..., Any]":
        own = {
            saying.HOLD: self._hold,
            saying.LINK: self._link,
            saying.REVIEW: self._review,
            saying.SEARCH: self._search,
            saying.USAGE_BY: self._usage_by,
        }
        if word in own:
            return own[word]()
        option = _option(word)
        if not option:
            return self._bare()
        made = self._needed() if word in _REQUIRED else self._optional()
        made = app_commands.describe(said=_HINTS.get(word, "the ticket, such as TKT-1001"))(made)
        made = app_commands.rename(said=option)(made)
        chosen = [app_commands.Choice(name=name, value=name) for name in _CHOICES.get(word, ())]
        return app_commands.choices(said=chosen)(made) if chosen else made

    def _bare(self) -> "Callable[..., Any]":
        async def say(interaction: Interaction) -> None:
            await self._take(interaction)

        return say

    def _optional(self) -> "Callable[..., Any]":
        async def say(interaction: Interaction, said: str | None = None) -> None:
            await self._take(interaction)

        return say

    def _needed(self) -> "Callable[..., Any]":
        async def say(interaction: Interaction, said: str) -> None:
            await self._take(interaction)

        return say

    def _review(self) -> "Callable[..., Any]":
        @app_commands.describe(person="whose conversation", reason="why you need to read it; the audit log keeps it")
        async def say(interaction: Interaction, person: discord.User, reason: str | None = None) -> None:
            await self._take(interaction)

        return say

    def _of_person(self) -> "Callable[..., Any]":
        @app_commands.describe(person="who is meant", reason="why; the audit log keeps it")
        async def say(interaction: Interaction, person: discord.User, reason: str) -> None:
            await self._take(interaction)

        return say

    def _hold(self) -> "Callable[..., Any]":
        @app_commands.describe(
            person="who is meant; without one you see who is on hold",
            reason="why; the audit log keeps it",
            what="`end` ends the hold",
        )
        async def say(
            interaction: Interaction,
            person: discord.User | None = None,
            reason: str | None = None,
            what: Literal["end"] | None = None,
        ) -> None:
            await self._take(interaction)

        return say

    def _search(self) -> "Callable[..., Any]":
        @app_commands.describe(
            words="each has to begin a word that was said or answered",
            customer="whose messages",
            ticket="the ticket, such as TKT-1001",
            since="a day or a time of UTC, such as 2026-01-31T10:30",
            before="the same, or what a search says to go on with",
            reason="why you search; the audit log keeps it",
        )
        async def say(  # noqa: PLR0913  the options are its parameters
            interaction: Interaction,
            words: str | None = None,
            customer: discord.User | None = None,
            ticket: str | None = None,
            since: str | None = None,
            before: str | None = None,
            reason: str | None = None,
        ) -> None:
            await self._take(interaction)

        return say

    def _link(self) -> "Callable[..., Any]":
        @app_commands.describe(
            code="the code you got on your other platform; without one you get one here",
            how="what becomes of what was said on both sides; you are asked where you leave it out",
        )
        async def say(
            interaction: Interaction, code: str | None = None, how: Literal["join", "apart"] | None = None
        ) -> None:
            await self._take(interaction)

        return say

    def _usage_by(self) -> "Callable[..., Any]":
        @app_commands.describe(
            what="by what it is added up",
            month="of one month only, in UTC, such as 2026-01; all there is without it",
            file="as a file, in a direct message",
        )
        async def say(
            interaction: Interaction,
            what: Literal["customer", "session", "ticket", "model"],
            month: str | None = None,
            file: Literal["csv"] | None = None,
        ) -> None:
            await self._take(interaction)

        return say

    def _menu(self) -> "Callable[..., Any]":
        async def choose(interaction: Interaction, message: discord.Message) -> None:
            await self._take(interaction)

        return choose

    def _ask(self) -> "app_commands.Command[Any, ..., Any]":
        @app_commands.describe(question="what you want to know")
        async def ask(interaction: Interaction, question: str) -> None:
            await self._take(interaction)

        about = "Ask the desk: in a server, in a thread that only you and the staff read"
        return app_commands.Command(name=saying.ASK, description=about, callback=ask)

    def _offering(self, what: str) -> "Callable[..., Any]":
        async def offer(interaction: Interaction, typed: str) -> list[app_commands.Choice[str]]:
            found = await self._offers[what](interaction, typed)
            return [app_commands.Choice(name=label[:100], value=label.partition(":")[0][:100]) for label in found[:25]]

        return offer


def _for_staff(command: CommandT) -> CommandT:
    """Show a command to those who may manage threads, in servers. What it may do the desk decides."""
    command.default_permissions = discord.Permissions(manage_threads=True)
    command.allowed_contexts = app_commands.AppCommandContext(guild=True, dm_channel=False, private_channel=False)
    return command


def _option(word: str) -> str:
    return "ticket" if word in _TICKETS else _OPTIONS.get(word, "")
