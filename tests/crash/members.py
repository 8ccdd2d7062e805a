"""What people do on a simulated Discord: they write, edit, react, and say words as text or as app commands."""

import time
from collections import Counter
from dataclasses import dataclass, field

from adapters.discord.render import nonce_of
from core.words import WORDS as TABLE
from simulators.discord_service import Channel, DiscordService, Interaction, Message, Person
from simulators.discord_service.shapes import moment
from simulators.discord_service.shown import elements_of
from tests.crash.discord_sightings import DiscordSightings
from tests.crash.people import WORDS, People
from tests.crash.story import HELPFUL, REDO, UNDO
from tests.crash.truth import Line

EMOJI = {word.reaction: word.emoji for word in TABLE}
BUTTONS = {UNDO: "Undo", HELPFUL: "Helpful"}
MENU = "Undo from here"
"""How a reaction can be said otherwise: by a button below the answer, by the menu of a message."""


@dataclass(slots=True)
class Done:
    """What somebody did: the message or the interaction it is, and how the desk was told of it.

    `offered` are the keys under which a desk wanted to take it in; `frames` what it was sent, under which numbers of
    which sessions in `numbers`.
    """

    line: Line
    message: Message | None = None
    interaction: Interaction | None = None
    at: float = field(default_factory=time.monotonic)
    numbers: tuple[tuple[str, int], ...] = ()
    frames: list[Line] = field(default_factory=list)
    offered: set[str] = field(default_factory=set)
    lost: bool = False


class Members(People[Done]):
    """The people of a server: in two channels, one for support, in threads below both, in a forum, and directly."""

    sightings: DiscordSightings
    discord: DiscordService

    def __init__(self, seed: int, *, hasty: bool = False) -> None:
        super().__init__(seed, hasty=hasty)
        self._people: dict[str, Person] = {}
        self._roots: dict[str, str] = {}
        self._asked: dict[str, list[str]] = {}
        self._heard_in: set[str] = set()
        self._tally: Counter[str] = Counter()

    def _settle(self) -> None:
        """Let there be channels, and somebody who brings others into private threads."""
        self._help, self._support = self.discord.channel("help"), self.discord.channel("support")
        self._posts = self.discord.channel("posts", forum=True)
        self._host = self.discord.person("host")

    # --- what they do -------------------------------------------------------------------------------------------------

    def _message(self, line: Line) -> Done:
        return self._ask(line) if line.get("asked") else self._write(line, line["text"])

    def _ask(self, line: Line) -> Done:
        """Begin a conversation with an app command."""
        self._roots.setdefault(line["thread"], "")
        asked = self._person(line["user"]).slash("ask", channel=self._help, question=line["text"])
        self._asked.setdefault(line["thread"], []).append(asked.id)
        self.sightings.expect_line(f"asked/{asked.id}")
        return Done(line, interaction=asked)

    def _command(self, line: Line) -> Done:
        return self._say(line, line["command"])

    def _edit(self, line: Line) -> Done:
        message = self._done[line["message"]].message
        assert message
        mention = message.content.startswith(self.discord.mention)
        text = f"{self.discord.mention} {line['text']}" if mention else line["text"]
        return Done(line, self._person(line["user"]).edit(message, text))

    def _reaction(self, line: Line) -> Done:
        person, message, name = self._person(line["user"]), self._reacted_on(line), line["name"]
        if message is None:
            return self._say(line, WORDS.get(name, "helpful") if not line.get("removed") else WORDS[REDO])
        otherwise = self._said_otherwise(line, person, message)
        if otherwise is not None:
            return otherwise
        if line.get("removed"):
            if person.id in message.reactions.get(EMOJI[name], []):
                person.unreact(message, EMOJI[name])
                return Done(line, message)
            # It was taken back by a word: there is no reaction to take off.
            name = REDO
        if person.id not in message.reactions.get(EMOJI[name], []):
            person.react(message, EMOJI[name])
        elif name in WORDS:
            # The same one cannot be put on twice.
            return self._say(line, WORDS[name])
        return Done(line, message)

    def _said_otherwise(self, line: Line, person: Person, message: Message) -> Done | None:
        """Press the button that says it, or choose it from the menu, in its turn and where there is one."""
        button, way = BUTTONS.get(line["name"]), int(line["id"][1:]) % 3
        if line.get("removed") or button is None or way == 0:
            return None
        # Also below an answer the desk may not know of: then a word means the newest turn, and so do these people.
        shown = self.sightings.message(line["key"]) if "key" in line and line["name"] == UNDO else message
        if way == 1 and shown and any(one.get("label") == button for one in elements_of(shown.components)):
            self._tally["buttons pressed"] += 1
            return Done(line, interaction=person.press(shown, button))
        if line["name"] != UNDO:
            return None
        self._tally["menus chosen"] += 1
        return Done(line, interaction=person.menu(MENU, message))

    def _reacted_on(self, line: Line) -> Message | None:
        """The answer; or its question, which means the same, where the desk may not know yet that it is answered.

        What was asked with a command is no message.
        """
        if "key" in line and (self._hasty or not self.sightings.is_new(line["key"])):
            return self.sightings.message(line["key"])
        return self._done[line.get("question") or line["message"]].message

    def _say(self, line: Line, word: str) -> Done:
        """Say a word, in its turn as text or as an app command."""
        if self._is_said(line):
            return self._write(line, f"!{word}")
        person, place = self._person(line["user"]), self._place(line)
        return Done(line, interaction=person.slash("desk", word.replace(" ", "-"), channel=place))

    def _write(self, line: Line, text: str) -> Done:
        place, person = self._place(line), self._person(line["user"])
        if place is self._posts:
            post = person.post(place, line["id"], text)
            self._tally["posts in a forum"] += 1
            self._roots[line["thread"]] = post.id
            return Done(line, post.messages[post.id])
        # Who writes in a post of which the desk may not know calls it.
        called = "channel" in line and place is not self._support
        message = person.say(place, f"{self.discord.mention} {text}" if called else text)
        if "channel" in line and not place.is_thread:
            self._roots[line["thread"]] = message.id
        return Done(line, message)

    # --- where they do it ---------------------------------------------------------------------------------------------

    def _is_said(self, line: Line) -> bool:
        """Whether a line is a message: what was written before can be read by whoever comes later."""
        if line["type"] == "message":
            return not line.get("asked")
        return line["type"] == "command" and int(line["id"][1:]) % 3 == 0

    def _place(self, line: Line) -> Channel:
        """Where a line is said: in a direct conversation, in a thread, or where a thread begins."""
        person = self._person(line["user"])
        if "channel" not in line:
            return person.im
        thread = self._thread(line["thread"])
        if thread is None:
            return (self._help, self._support, self._posts)[int(line["thread"][1:]) // 4 % 3]
        if person.id not in thread.thread_members:
            self._host.invite(thread, person.user)
        return thread

    def _thread(self, talk: str) -> Channel | None:
        """The thread of a talk, where it is open: below a message, or the one in which stands what was asked."""
        channels = self.discord.world.channels
        for asked in self._asked.get(talk, []):
            found = self.discord.world.nonces.get((self.discord.app.id, nonce_of(f"asked/{asked}")))
            if found:
                return channels.get(found[1])
        return channels.get(self._roots.get(talk, ""))

    def _places_of(self, talk: str, line: Line) -> set[str]:
        """The channels an answer may stand in; what is for one person alone may come directly."""
        person = self._person(line["user"])
        if "channel" not in line:
            return {person.im.id}
        thread = self._thread(talk)
        private = line["type"] == "command" and line["command"] not in WORDS.values()
        return ({thread.id} if thread else set()) | ({person.im.id} if private else set())

    def _person(self, name: str) -> Person:
        if name not in self._people:
            self._people[name] = self.discord.person(name)
        return self._people[name]


def is_written(done: Done) -> bool:
    """Whether something stands where it can be read later: a message, and not what was done about one."""
    return done.message is not None and done.line["type"] in ("message", "command")


def name_of(done: Done) -> str:
    """What the desk calls an event that has a name of its own."""
    if done.interaction:
        return done.interaction.id
    assert done.message
    edited = f"+{moment(done.message.edited)}" if done.line["type"] == "edit" else ""
    return done.message.id + edited
