"""`deskmate chat`: the desk in this terminal, for a person or for a program."""

import asyncio
import getpass
from dataclasses import dataclass

from rich.console import Console

from adapters.terminal.app import Chat, JsonLines
from adapters.terminal.pipes import LineSink, read_lines
from adapters.terminal.render import notice
from adapters.terminal.translate import checked_name, ref_of
from bots.assemble import open_desk
from bots.leaving import until_told
from core.config import Settings
from core.errors import ConfigError
from core.model_name import is_offline
from core.models import ConversationRef, Profile

STDIN, STDOUT = 0, 1
INTERRUPTED = 130


@dataclass(frozen=True, slots=True)
class Speaker:
    """Who chats, and where."""

    user: str | None = None
    name: str | None = None
    tier: str | None = None
    channel: str | None = None
    thread: str | None = None


def run_chat(settings: Settings, speaker: Speaker) -> int:
    _check_strategies(settings)
    ref = _ref(speaker)
    if speaker.tier is not None and speaker.tier not in settings.tiers.names:
        raise ConfigError(f"--tier {speaker.tier!r} is no tier: there are {', '.join(settings.tiers.names)}")
    console = Console(highlight=False)
    chat = Chat(read_lines(STDIN), console, ref=ref, profile=Profile(speaker.name, speaker.tier))
    return asyncio.run(until_told(_chat(settings, chat, console, ref.user), interrupt=chat.interrupt, interrupted=0))


def run_jsonl(settings: Settings) -> int:
    _check_strategies(settings)
    return asyncio.run(until_told(_jsonl(settings), interrupt=lambda: False, interrupted=INTERRUPTED))


def _check_strategies(settings: Settings) -> None:
    if "device" in (settings.strategies.direct, settings.strategies.thread):
        raise ConfigError(
            "strategies: 'device' is chosen, but a terminal names no device; use user, conversation, ticket"
        )


async def _chat(settings: Settings, chat: Chat, console: Console, user: str) -> None:
    async with open_desk(settings, [chat], serving=False) as desk:
        console.print(notice(f"You are {user}. `/help` shows what can be said, /quit or Ctrl-D leaves."))
        if is_offline(settings):
            console.print(notice("A stand-in answers, not a language model: set OPENAI_API_KEY to talk to one."))
        await chat.run(desk)


async def _jsonl(settings: Settings) -> None:
    async with LineSink(STDOUT) as sink:
        lines = JsonLines(read_lines(STDIN), sink)
        async with open_desk(settings, [lines], serving=False) as desk:
            await lines.run(desk)


def _ref(speaker: Speaker) -> ConversationRef:
    user = checked_name("--user", speaker.user if speaker.user is not None else _account())
    channel, thread = (
        None if value is None else checked_name(option, value)
        for option, value in (("--channel", speaker.channel), ("--thread", speaker.thread))
    )
    return ref_of(user, channel=channel, thread=thread)


def _account() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a container may have no name for who runs in it
        return "me"
