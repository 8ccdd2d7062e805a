"""What people say: a seeded stream of events, and what each conversation must look like when all are dealt with.

Events of one conversation are dealt with in the order they were said. So whoever makes them up knows, while making them
up, what each will find: only what has one right outcome is said.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.crash.truth import Effect, Line, Said, Truth

TALKS_AT_ONCE = 8
LAST_OF_TALK = 40
ABOUT = ("edit", "reaction")
"""What is about a message, wherever it is said."""
LOOKS = ("history", "tickets", "whoami", "usage")
"""Words people look something up with."""
UNDO, REDO, HELPFUL = "leftwards_arrow_with_hook", "arrow_right_hook", "+1"


@dataclass(slots=True)
class Turn:
    """A message and its answer: `event` is what made it (the message, or the edit of it that was answered again)."""

    event: str
    message: str
    speaker: str
    text: str
    subject: str | None
    settled: bool = False
    """It was taken back and brought back: that is enough for one turn, or two effects would read the same."""
    asked: bool = False
    """It was asked with an app command: there is no message to edit."""


@dataclass(slots=True)
class Talk:
    """One conversation: `turns` is its line as it must be, `taken` what `redo` would bring back."""

    name: str
    users: tuple[str, ...]
    where: tuple[Line, ...]
    turns: list[Turn] = field(default_factory=list)
    taken: Turn | None = None
    asked: bool = False
    off_line: list[Turn] = field(default_factory=list)
    said: int = 0


@dataclass(frozen=True, slots=True)
class Manners:
    """How people talk on a platform.

    `own_threads`: in a direct conversation each message begins a thread, and what is about a message is answered there.
    `in_pieces`: an answer may be too long for one message.
    `looks_before_others`: where others read, too, people ask for what only they are shown.
    `looks_there`: the words they do so with. `asks`: some conversations begin with an app command.
    `apart`: who writes directly is another customer than the same person in a server.
    """

    own_threads: bool = False
    in_pieces: bool = False
    looks_before_others: bool = True
    asks: bool = False
    apart: bool = False
    looks_there: tuple[str, ...] = LOOKS


class Story:
    """Makes up who says what next. The same seed tells the same story, however fast the desk is."""

    def __init__(self, seed: int, truth: Truth, manners: Manners | None = None) -> None:
        self.manners = manners or Manners()
        self._random = random.Random(f"story {seed}")
        self._truth = truth
        self._number = 0
        self._people = 0
        self.talks: list[Talk] = []
        self._live: list[Talk] = []

    def next(self) -> Said:
        """Say the next thing somewhere."""
        if len(self._live) < TALKS_AT_ONCE:
            self._live.append(self._new_talk())
        talk = self._random.choice(self._live)
        talk.said += 1
        if talk.said >= LAST_OF_TALK:
            self._live.remove(talk)
        acts, weights = zip(*self._acts(talk), strict=True)
        act: Callable[[Talk], Said] = self._random.choices(acts, weights)[0]
        return act(talk)

    def nudge(self, name: str) -> Said:
        """Say something plain in a talk, so that what was said before it shows to be dealt with."""
        return self._message(next(talk for talk in self.talks if talk.name == name), "are you there {n}?")

    def _acts(self, talk: Talk) -> list[tuple[Callable[[Talk], Said], int]]:
        acts: list[tuple[Callable[[Talk], Said], int]] = [
            (self._ticket, 30),
            (self._note, 30),
            (self._fact, 4),
        ]
        if len(talk.users) == 1 or (self.manners.looks_before_others and (talk.turns or not self.manners.asks)):
            acts.append((self._look, 4))
        newest = talk.turns[-1] if talk.turns else None
        if newest is not None and not newest.settled:
            acts += [(self._undo, 18), *([] if newest.asked else [(self._edit, 8)]), (self._thank, 3)]
        if talk.taken is not None:
            acts += [(self._redo, 60), *([] if talk.taken.asked else [(self._edit_taken, 10)])]
        return acts

    def _new_talk(self) -> Talk:
        number = len(self.talks)
        if number % 2 and self._people > 1:
            users = tuple(f"user{self._random.randrange(self._people)}" for _ in range(2))
            talk = Talk(f"thread {number}", users, ({"channel": "help", "thread": f"t{number}"},))
            talk.asked = self.manners.asks and number // 2 % 2 == 1
        else:
            user = f"user{self._people}"
            self._people += 1
            talk = Talk(f"direct {number}", (user,), ({}, {"thread": "aside"}))
        self.talks.append(talk)
        return talk

    def _ticket(self, talk: Talk) -> Said:
        return self._message(talk, "open a ticket: {s}")

    def _note(self, talk: Talk) -> Said:
        return self._message(talk, self._random.choice(("note {n}", "where were we {n}?", "list my tickets")))

    def _fact(self, talk: Talk) -> Said:
        return self._message(talk, "remember that my colour is c{n}")

    def _look(self, talk: Talk) -> Said:
        line = self._line(talk, "command", self._random.choice(talk.users))
        word = self._random.choice(LOOKS if len(talk.users) == 1 else self.manners.looks_there)
        return self._truth.say(line | {"command": word}, talk=talk.name, effect="reply")

    def _message(self, talk: Talk, text: str) -> Said:
        subject, text = self._filled(text)
        speaker = self._random.choice(talk.users)
        line = self._line(talk, "message", speaker) | {"name": speaker.title(), "text": text}
        asked = talk.asked and not (talk.turns or talk.off_line)
        talk.turns.append(Turn(line["id"], line["id"], speaker, text, subject, asked=asked))
        talk.taken = None
        return self._truth.say(line | ({"asked": True} if asked else {}), talk=talk.name, effect="reply")

    def _undo(self, talk: Talk) -> Said:
        turn = talk.taken = talk.turns.pop()
        talk.off_line.append(turn)
        return self._change(talk, turn, "retract", {"command": "undo"}, {"name": UNDO})

    def _redo(self, talk: Talk) -> Said:
        turn = talk.off_line.pop()
        turn.settled, talk.taken = True, None
        talk.turns.append(turn)
        removed = self._random.random() < 0.5
        gesture = {"name": UNDO, "removed": True} if removed else {"name": REDO}
        return self._change(talk, turn, "restore", {"command": "redo"}, gesture)

    def _edit(self, talk: Talk) -> Said:
        turn = talk.turns.pop()
        talk.off_line.append(turn)
        return self._answer_again(talk, turn)

    def _edit_taken(self, talk: Talk) -> Said:
        return self._answer_again(talk, talk.off_line[-1])

    def _answer_again(self, talk: Talk, turn: Turn) -> Said:
        subject, text = self._filled("open a ticket: {s}" if turn.subject else "better said {n}")
        line = self._line(talk, "edit", turn.speaker) | {"message": turn.message, "text": text}
        talk.turns.append(Turn(line["id"], turn.message, turn.speaker, text, subject))
        talk.taken = None
        return self._truth.say(line, talk=talk.name, effect="reply")

    def _thank(self, talk: Talk) -> Said:
        turn = talk.turns[-1]
        line = self._line(talk, "reaction", turn.speaker) | {"message": turn.message, "name": HELPFUL}
        return self._truth.say(line, talk=talk.name, effect="none")

    def _change(self, talk: Talk, turn: Turn, effect: Effect, word: Line, gesture: Line) -> Said:
        """Say it as a word or as a reaction; a reaction needs something posted to stand on."""
        by_gesture = self._random.random() < 0.5
        reply = self._truth.reply_to.get(turn.event)
        if reply is not None and by_gesture:
            line = self._line(talk, "reaction", turn.speaker) | {
                "key": reply["key"],
                "question": turn.message,
                **gesture,
            }
        else:
            line = self._line(talk, "command", turn.speaker) | word
        return self._truth.say(line, talk=talk.name, effect=effect, about=turn.event)

    def _line(self, talk: Talk, kind: str, user: str) -> Line:
        self._number += 1
        line = {"type": kind, "id": f"e{self._number}", "user": user, **self._random.choice(talk.where)}
        if self.manners.own_threads and "channel" not in line and (kind in ABOUT or "thread" not in line):
            line["thread"] = line["id"]
        return line

    def _filled(self, text: str) -> tuple[str | None, str]:
        subject = f"broken thing number {self._number + 1}" if "{s}" in text else None
        return subject, text.format(n=self._number + 1, s=subject)
