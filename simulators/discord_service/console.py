"""A guild to try an app in by hand: type what Alice and Bob do, see what they see."""

from simulators.console import TypedConsole
from simulators.discord_service.model import Channel
from simulators.discord_service.people import Person
from simulators.discord_service.service import DiscordService
from simulators.discord_service.shown import Shown

HELP = """\
  alice: TEXT             write to the app
  alice #general: TEXT    write in the channel (@app names the app; #ID writes in a thread)
  alice /WORDS NAME=VALUE say a slash command, in the direct conversation
  alice press LABEL       press a button on the newest message that has it
  alice fill NAME=VALUE   send in the form on the screen
  alice react EMOJI       react to the newest message of the app (unreact takes it off)
Bob can do the same. End with Ctrl-D.
"""


class Console(TypedConsole[Shown]):
    """Reads lines, does what they say, and shows what changed."""

    def __init__(self, service: DiscordService) -> None:
        super().__init__(service)
        self._service = service
        self._people = {name.lower(): service.person(name) for name in ("Alice", "Bob")}
        self._general = service.channel("general")

    def act(self, line: str) -> None:
        """Do what one line says."""
        who, _, rest = line.replace(":", " :", 1).partition(" ")
        person = self._people.get(who.lower())
        if person is None:
            raise LookupError(HELP)
        word, _, text = rest.partition(" ")
        if word == ":":
            person.dm(text)
        elif word.startswith("#"):
            said = text.removeprefix(": ").replace("@app", self._service.mention)
            person.say(self._place(word[1:]), said)
        elif word.startswith("/"):
            words, options = split_options(rest[1:])
            person.slash(*words, options=options)
        else:
            self._gesture(person, word, text)

    def _gesture(self, person: Person, word: str, text: str) -> None:
        if word == "press":
            person.press(self._newest(person, text), text)
        elif word == "fill":
            person.submit_modal(**{name: str(value) for name, value in split_options(text)[1].items()})
        elif word == "react":
            person.react(self._newest_of_app(person), text)
        elif word == "unreact":
            person.unreact(self._newest_of_app(person), text)
        else:
            raise LookupError(HELP)

    def _place(self, name: str) -> Channel:
        if name == self._general.name:
            return self._general
        if name in self._service.world.channels:
            return self._service.world.channels[name]
        raise LookupError(f"there is no channel {name!r}")

    def _newest(self, person: Person, label: str) -> Shown:
        for shown in reversed(self._seen(person)):
            if any(label in (button.label, button.custom_id) for button in shown.buttons):
                return shown
        raise LookupError(f"nothing to press is called {label!r}")

    def _newest_of_app(self, person: Person) -> Shown:
        own = [shown for shown in self._seen(person) if shown.user == self._service.app.id and not shown.ephemeral]
        if not own:
            raise LookupError("the app has said nothing yet")
        return own[-1]

    def _seen(self, person: Person) -> list[Shown]:
        places = [self._general, *self._service.threads(self._general), person.im]
        found = [shown for place in places for shown in self._service.seen_by(person, place)]
        return sorted(found, key=lambda shown: int(shown.id))

    def now(self) -> dict[str, Shown]:
        """Give what Alice and Bob see."""
        return {f"{shown.channel}/{shown.id}": shown for each in self._people.values() for shown in self._seen(each)}

    def line(self, shown: Shown) -> str:
        """Write one message as a line or a few."""
        return line_of(shown)


def split_options(text: str) -> tuple[list[str], dict[str, object]]:
    """Split `undo steps=2` into words and options; what looks like a number is one."""
    words: list[str] = []
    options: dict[str, object] = {}
    for part in text.split():
        name, sign, value = part.partition("=")
        if sign:
            options[name] = int(value) if value.isdecimal() else value
        else:
            words.append(part)
    return words, options


def line_of(shown: Shown) -> str:
    """Write one message as a line or a few."""
    notes = [name for name in ("ephemeral", "loading", "edited", "pinned") if getattr(shown, name)]
    notes += [f"thread #{shown.thread}"] if shown.thread else []
    note = f" ({', '.join(notes)})" if notes else ""
    marks = "".join(f" {emoji}" for emoji in shown.reactions)
    buttons = "".join(f" [{button.label or button.custom_id}]" for button in shown.buttons)
    words = "\n".join(part for part in (shown.text, *shown.embeds) if part)
    return f"  {shown.author}{note}: {words}{buttons}{marks}".replace("\n", "\n    ")
