"""The truth: what was said to the desk, what it said it had kept, and all that came out of it.

Held by the bench in a process that is never killed. It knows only lines, as the terminal reads and writes them: who
drives the desk through another platform tells it the same lines.
"""

from dataclasses import dataclass, field
from typing import Any, Literal

Line = dict[str, Any]
Effect = Literal["reply", "retract", "restore", "none"]
STRIKES = 2
"""How often the same event may be killed. Three times make it poison, which has a test of its own."""


@dataclass(slots=True)
class Said:
    """One event. `effect` is what it brings about; `about` names the event whose reply that changes."""

    line: Line
    order: int
    talk: str
    effect: Effect
    about: str | None = None
    acknowledged: bool = False
    answered: bool = False
    strikes: int = 0

    @property
    def id(self) -> str:
        return str(self.line["id"])


@dataclass(slots=True)
class Truth:
    """What was said and what was heard, in the order it happened."""

    said: dict[str, Said] = field(default_factory=dict)
    written: list[Line] = field(default_factory=list)
    reply_to: dict[str, Line] = field(default_factory=dict)
    """The first reply to each event."""
    accepted_twice: list[str] = field(default_factory=list)
    refused: list[Line] = field(default_factory=list)
    _unacknowledged: dict[str, Said] = field(default_factory=dict)
    _open: dict[str, Said] = field(default_factory=dict)
    _event_of_key: dict[str, str] = field(default_factory=dict)
    _changes: dict[tuple[str, str], Said] = field(default_factory=dict)

    def say(self, line: Line, *, talk: str, effect: Effect, about: str | None = None) -> Said:
        """Note an event before it is sent."""
        said = Said(line, len(self.said), talk, effect, about)
        self.said[said.id] = self._open[said.id] = self._unacknowledged[said.id] = said
        if about is not None:
            self._changes[effect, about] = said
        return said

    def hear(self, line: Line) -> None:
        """Note a line that came out of the desk."""
        match line["type"]:
            case "accepted" | "duplicate":
                self._acknowledge(line)
            case "error":
                self.refused.append(line)
            case "reply":
                self.written.append(line)
                self._replied(line)
            case _:
                self.written.append(line)
                self._changed(line)

    def open(self) -> list[Said]:
        """What is not answered yet, as far as one can tell, in the order it was said."""
        return list(self._open.values())

    def unacknowledged(self) -> list[Said]:
        """What a platform would send again, in the order it was said."""
        return list(self._unacknowledged.values())

    def strike(self) -> None:
        """The desk was killed: whatever was open may have been running."""
        for said in self._open.values():
            said.strikes += 1

    def tired(self) -> list[Said]:
        """What must be let through before the next kill."""
        return [said for said in self._open.values() if said.strikes >= STRIKES]

    def give_up(self, said: Said) -> None:
        """Wait no longer: if nothing comes of it any more, it is lost."""
        self._open.pop(said.id, None)

    def settled(self) -> bool:
        """Whether all that was said is acknowledged, and answered where it asks for an answer."""
        return not self._unacknowledged and all(said.effect == "none" for said in self._open.values())

    def _acknowledge(self, line: Line) -> None:
        said = self.said[line["id"]]
        if said.acknowledged and line["type"] == "accepted":
            self.accepted_twice.append(f"{said.id} as {line.get('event', 'itself')}")
        said.acknowledged = True
        self._unacknowledged.pop(said.id, None)

    def _replied(self, line: Line) -> None:
        self._event_of_key[line["key"]] = line["to"]
        self.reply_to.setdefault(line["to"], line)
        said = self.said[line["to"]]
        if said.effect == "reply":
            self._answer(said)

    def _changed(self, line: Line) -> None:
        event = self._event_of_key.get(line["key"], "")
        said = self._changes.get((line["type"], event))
        if said is not None:
            self._answer(said)

    def _answer(self, said: Said) -> None:
        said.answered = True
        # A talk is one lane: what was said before is dealt with too, even where that shows nowhere.
        for other in self.open():
            if other.answered or (other.effect == "none" and other.talk == said.talk and other.order < said.order):
                self._open.pop(other.id)
