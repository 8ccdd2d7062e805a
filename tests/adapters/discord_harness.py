"""Discord's harness: people in a simulated server, the real discord.py between them and a real desk."""

import asyncio
import json
from contextlib import AsyncExitStack

from adapters.discord.app import DiscordApp
from adapters.discord.options import Aim, Options
from bots.assemble import open_desk
from core.words import WORDS, word_named
from simulators.discord_service import DiscordService
from simulators.discord_service.limits import CONTENT
from simulators.discord_service.model import Message

ARGUMENTS = {"undo": "n", "history": "n", "rewind": "n", "branch": "name", "switch": "name", "clear": "sure"}
NEEDED = {"rewind": "1", "switch": "main", "open": "TKT-1001", "ticket": "TKT-1001"}


class DiscordHarness:
    """Direct messages, and threads below messages in the channel `help`; words are said with `/desk`."""

    options = Options(stream_after=60.0, open_threads=0)
    timing = None

    def __init__(self, settings):
        self._settings = settings
        self._service = AsyncExitStack()
        self._bot = AsyncExitStack()
        self._people = {}
        self._roots = {}
        self._handed_in = {}
        self._first_texts = {}

    async def __aenter__(self):
        self.discord = await self._service.enter_async_context(DiscordService(timing=self.timing))
        self._aim = Aim(self.discord.api_base, self.discord.gateway_url)
        self.channel = self.discord.channel("help")
        await self._start()
        return self

    async def __aexit__(self, *_):
        await self._bot.aclose()
        await self._service.aclose()

    async def _start(self):
        self.app = app = await self._bot.enter_async_context(
            DiscordApp(self.discord.token, WORDS, options=self.options, aim=self._aim)
        )
        self.desk = await self._bot.enter_async_context(open_desk(self._settings, [app], serving=False))
        await self._bot.enter_async_context(app.serving(self.desk))
        await self.connect()

    async def connect(self):
        self.running = running = asyncio.create_task(self.app.run())
        self._bot.push_async_callback(_ended, running)
        ready = asyncio.create_task(self.app.until_ready())
        await asyncio.wait({running, ready}, return_when=asyncio.FIRST_COMPLETED)
        if running.done():
            ready.cancel()
            await running
        await self.discord.settled()

    async def restart(self):
        await self._bot.aclose()
        self._bot = AsyncExitStack()
        await self._start()

    async def say(self, text, *, user="alice", where=None):
        return await self._done(self._write(text, user, where).id)

    async def command(self, word, *args, user="alice", where=None):
        if (known := word_named(word)) and known.needs != "own":
            # Its command is shown to nobody but staff.
            return await self.say(f"!{word} {' '.join(args)}", user=user, where=where)
        return await self._done(self._slash(word, args, self.person(user), where).id)

    async def react(self, message, name, *, user="alice", where=None, removed=False):
        person = self.person(user)
        (person.unreact if removed else person.react)(self.found(message), word_emoji(name))
        return await self._done(message)

    async def edit(self, message, text, *, user="alice", where=None):
        return await self._change(message, user, lambda person, found: person.edit(found, text))

    async def delete(self, message, *, user="alice", where=None):
        return await self._change(message, user, lambda person, found: person.delete(found))

    async def redeliver(self, id_):
        name, body = self._handed_in[id_]
        for session in self.discord.gateway.listening(body.get("guild_id", "")):
            session.dispatch(name, body)
        await self.quiet()

    def sees(self, user="alice", where=None):
        from tests.adapters.conftest import Seen

        person = self.person(user)
        direct = where is None
        place = person.im if direct else self.thread(where)
        shown = self.discord.seen_by(person, place) if place else []
        ours = [one for one in shown if one.user == self.discord.app.id and not one.loading and one.text]
        return [Seen(one.id, one.text, direct or one.ephemeral, self._is_changed(one)) for one in ours]

    def person(self, name):
        if name not in self._people:
            self._people[name] = self.discord.person(name)
        return self._people[name]

    def thread(self, where):
        """The thread of a conversation, where it is open already."""
        return self.discord.world.channels.get(self._roots.get(where, ""))

    def found(self, id_):
        channels = self.discord.world.channels.values()
        return next(channel.messages[id_] for channel in channels if id_ in channel.messages)

    async def quiet(self):
        """Wait until all that was done is dealt with."""
        for _ in range(3):
            await self.discord.settled()
            await self.app.settled()
            await self.desk.drain()
        await self.discord.settled()
        for channel in self.discord.world.channels.values():
            for message in (*channel.messages.values(), *channel.ephemerals.values()):
                self._first_texts.setdefault(message.id, message.content)

    def _is_changed(self, shown):
        return shown.edited and shown.text != self._first_texts.get(shown.id)

    def _write(self, text, user, where):
        person = self.person(user)
        if where is None:
            return self._put(person, person.im, text)
        message = self._put(person, self.thread(where) or self.channel, f"{self.discord.mention} {text}")
        self._roots.setdefault(where, message.id)
        return message

    def _put(self, person, channel, text):
        # Discord keeps what UTF-8 can say.
        text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        if len(text) <= CONTENT:
            return person.say(channel, text)
        # Longer than Discord lets people write: what other platforms' desks are asked they are asked here too.
        world = self.discord.world
        message = Message(world.ids.new(), channel.id, person.id, text, sent=world.clock())
        return self.discord._parts.happenings.post(message)

    def _slash(self, word, args, person, where):
        channel = None if where is None else self.thread(where) or self._opened(where, person)
        known = word_named(word)
        name = word.replace(" ", "-")
        if known is None:
            return self._outdated(name, person, channel or person.im)
        said = " ".join(args) or NEEDED.get(word, "")
        option = {ARGUMENTS.get(word, "ticket"): said} if said else {}
        if name in ("ticket-summary", "unlink"):  # commands of their own
            return person.slash(name, channel=channel, options=option)
        if name == "link":
            return person.slash(name, channel=channel, options=dict(zip(("code", "how"), args, strict=False)))
        return person.slash("desk", name, channel=channel, options=option)

    def _opened(self, where, person):
        """A thread that a person opens: what is said beside all threads may mean any of them."""
        thread = person.open_thread(self.channel, where)
        self._roots[where] = thread.id
        return thread

    def _outdated(self, name, person, channel):
        """A word that another version of the app had: people's clients show it for a while."""
        command = self.discord.commands.find(1, "desk", channel.guild)
        options = [{"name": name, "type": 1, "options": []}]
        data = {"id": command["id"], "name": "desk", "type": 1, "options": options}
        return self.discord._parts.interactivity.start(2, person.user, channel, data)

    async def _change(self, message, user, change):
        person, found = self.person(user), self.found(message)
        # Discord lets nobody change what somebody else wrote.
        if found.author not in (person.id, self.discord.app.id):
            return ""
        change(person, found)
        return await self._done(message)

    async def _done(self, id_):
        await self.quiet()
        for session in self.discord.gateway.listening(""):
            frames = [json.loads(frame) for _, frame in session.sent]
            said = [frame for frame in frames if frame["t"] in ("MESSAGE_CREATE", "INTERACTION_CREATE")]
            self._handed_in |= {frame["d"]["id"]: (frame["t"], frame["d"]) for frame in said}
        return id_


def word_emoji(name):
    word = next((word for word in WORDS if name in (word.reaction, word.emoji)), None)
    return word.emoji if word else "🎉"


async def _ended(running):
    running.cancel()
    await asyncio.wait({running})
