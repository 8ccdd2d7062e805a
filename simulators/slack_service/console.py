"""A workspace to try an app in by hand: type what Alice and Bob do, see what they see."""

from simulators.console import TypedConsole
from simulators.slack_service.model import Channel, Message
from simulators.slack_service.people import Person
from simulators.slack_service.service import SlackService
from simulators.slack_service.shown import Shown

HELP = """\
  alice: TEXT             write to the app
  alice #general: TEXT    write in the channel (@app names the app)
  alice /COMMAND TEXT     say a slash command, in the direct conversation
  alice press LABEL       press a button on the newest message that has it
  alice react NAME        react to the newest message of the app (unreact takes it off)
  alice home              open App Home
Bob can do the same. End with Ctrl-D.
"""


class Console(TypedConsole[Shown]):
    """Reads lines, does what they say, and shows what changed."""

    def __init__(self, service: SlackService) -> None:
        super().__init__(service)
        self._service = service
        self._people = {name.lower(): service.person(name) for name in ("Alice", "Bob")}
        self._general = service.channel("general", *self._people.values())

    def act(self, line: str) -> None:
        """Do what one line says."""
        who, _, rest = line.replace(":", " :", 1).partition(" ")
        person = self._people.get(who.lower())
        if person is None:
            raise LookupError(HELP)
        word, _, text = rest.partition(" ")
        if word == ":":
            person.dm(text)
        elif word == "#general":
            person.say(self._general, text.removeprefix(": ").replace("@app", self._service.mention))
        elif word.startswith("/"):
            person.slash(word, text)
        else:
            self._gesture(person, word, text)

    def _gesture(self, person: Person, word: str, text: str) -> None:
        if word == "home":
            person.open_home()
        elif word == "press":
            person.press(self._newest(person, text), text)
        elif word == "react":
            person.react(self._newest_of_app(person), text)
        elif word == "unreact":
            person.unreact(self._newest_of_app(person), text)
        else:
            raise LookupError(HELP)

    def _newest(self, person: Person, label: str) -> Shown:
        for shown in reversed(self._seen(person)):
            if any(label in (button.label, button.action_id) for button in shown.buttons):
                return shown
        raise LookupError(f"nothing to press is called {label!r}")

    def _newest_of_app(self, person: Person) -> Message:
        app = self._service.install.user
        own = [shown for shown in self._seen(person) if shown.user == app and not shown.ephemeral]
        if not own:
            raise LookupError("the app has said nothing yet")
        return self._service.world.channels[own[-1].channel].messages[own[-1].ts]

    def _seen(self, person: Person) -> list[Shown]:
        places: list[Channel] = [self._general, person.im]
        found = [shown for place in places for shown in self._service.seen_by(person, place)]
        return sorted(found, key=lambda shown: float(shown.ts))

    def now(self) -> dict[str, Shown]:
        """Give what Alice and Bob see."""
        return {shown.ts: shown for person in self._people.values() for shown in self._seen(person)}

    def line(self, shown: Shown) -> str:
        """Write one message as a line or a few."""
        return line_of(shown)


def line_of(shown: Shown) -> str:
    """Write one message as a line or a few."""
    notes = [name for name in ("ephemeral", "streaming", "edited", "deleted") if getattr(shown, name)]
    indent = "    " if shown.thread_ts else "  "
    marks = "".join(f" :{name}:" for name in shown.reactions)
    note = f" ({', '.join(notes)})" if notes else ""
    return f"{indent}{shown.author}{note}: {shown.text}{marks}".replace("\n", f"\n{indent}  ")
