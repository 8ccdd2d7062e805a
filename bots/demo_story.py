"""The story of the demo: what Alice and Bob say, and what must hold of what the desk answers."""

import re
from dataclasses import dataclass

from bots.demo_drawing import Drawing
from bots.demo_figures import show_figures
from bots.demo_stage import DemoError, DeskProcess, Line, Person, Stage

ALICE = Person("alice", "Alice", "premium", "cyan")
BOB = Person("bob", "Bob", "standard", "magenta")
INVOICE = "INV-2041"
NO_SUCH_TICKET = "TKT-9999"
"""A ticket nobody ever opened."""

_TICKET = re.compile(r"TKT-\d+")


async def tell(stage: Stage, drawing: Drawing) -> None:
    """Play all days and the figures. Raises DemoError where the desk does something else."""
    drawing.title(
        "Deskmate, two days of a support desk",
        "Offline: a stand-in that follows rules answers, not a language model. Each day is a process of its own, on "
        "one sealed file. What people say is written down beforehand; what the desk answers is not.",
    )
    ticket = await _first_day(stage, drawing)
    unplugged = await _second_day(stage, drawing, ticket)
    await _a_minute_later(stage, drawing, ticket, unplugged)
    await show_figures(stage, drawing, secret=INVOICE, owner=ALICE.name)


# --- day 1 ------------------------------------------------------------------------------------------------------------


async def _first_day(stage: Stage, drawing: Drawing) -> str:
    async with stage.day() as desk:
        drawing.title("Day 1: Alice has a problem", f"Process {desk.pid} starts on an empty folder.")
        asked = f"Hello! My invoice number is {INVOICE}. Please open a ticket: the printer prints blank pages"
        answer = await _say(desk, drawing, ALICE, asked)
        ticket = _ticket_in(answer)
        drawing.proves(
            f"{ticket} is hers",
            "ticket, history, bill and reply were one commit, so none is there without the others.",
            holds=answer["text"].startswith("Hello, Alice."),
        )
    return ticket


# --- day 2 ------------------------------------------------------------------------------------------------------------


async def _second_day(stage: Stage, drawing: Drawing, ticket: str) -> "_Unplugged":
    async with stage.day() as desk:
        drawing.title(
            "Day 2: she returns, and Bob comes in",
            f"Process {desk.pid}. Yesterday's is gone, with all it had in memory.",
        )
        await _alice_returns(desk, drawing, ticket)
        await _bob_comes_in(desk, drawing, ticket)
        await _alice_mistypes(desk, drawing)
        await _what_if(desk, drawing)
        return await _pull_the_plug(desk, drawing)


async def _alice_returns(desk: DeskProcess, drawing: Drawing, ticket: str) -> None:
    answer = await _say(desk, drawing, ALICE, "Hello, it is me again. How is my ticket?")
    drawing.proves(
        "She is known by name, and her ticket too",
        "what was said once is not asked for again.",
        holds="Welcome back, Alice." in answer["text"] and ticket in answer["text"],
    )
    answer = await _say(desk, drawing, ALICE, "What was my invoice number?", thread="invoices")
    drawing.proves(
        "A new thread starts empty and still finds it",
        "the desk looked it up in what she herself said earlier.",
        holds=INVOICE in answer["text"],
    )


async def _bob_comes_in(desk: DeskProcess, drawing: Drawing, ticket: str) -> None:
    tickets = await _say(desk, drawing, BOB, "Hi! Please list my tickets.")
    invoice = await _say(desk, drawing, BOB, "What was my invoice number?")
    hers = await _command(desk, drawing, BOB, "ticket", ticket)
    nobodys = await _command(desk, drawing, BOB, "ticket", NO_SUCH_TICKET)
    told = " ".join(line["text"] for line in (tickets, invoice, hers))
    drawing.proves(
        "Bob sees nothing of hers",
        "customers share a desk, never a memory.",
        holds="no tickets" in tickets["text"] and INVOICE not in told and ticket not in told,
    )
    drawing.proves(
        f"{ticket} (hers) and {NO_SUCH_TICKET} (nobody's) get the same answer",
        "a refusal never tells what exists.",
        holds=hers["text"] == nobodys["text"],
    )


async def _alice_mistypes(desk: DeskProcess, drawing: Drawing) -> None:
    answer = await _say(desk, drawing, ALICE, "Open a ticket: teh scaner is jamed")
    slip = _ticket_in(answer)
    await _command(desk, drawing, ALICE, "undo", answer="retract")
    back = await _command(desk, drawing, ALICE, "redo", answer="restore")
    gone = await _command(desk, drawing, ALICE, "undo", answer="retract")
    drawing.proves(
        "Undo takes back the turn and what it did, redo brings both back",
        "a slip costs one word, and the number is never given again.",
        holds=f"{slip} is withdrawn" in gone["text"] and back["text"] == answer["text"],
    )


async def _what_if(desk: DeskProcess, drawing: Drawing) -> None:
    await _command(desk, drawing, ALICE, "branch", "new-printer")
    tried = await _say(desk, drawing, ALICE, "What if I buy a new printer instead?")
    await _command(desk, drawing, ALICE, "switch", "main")
    history = await _command(desk, drawing, ALICE, "history")
    drawing.proves(
        "The what-if stayed on its branch",
        "trying something out leaves no trace in the conversation it left from.",
        holds="branch new-printer" in tried["text"] and "new printer" not in history["text"],
    )


# --- the plug ---------------------------------------------------------------------------------------------------------

_SUBJECTS = ("the scanner is jammed", "no ink left", "the tray is stuck")


@dataclass(frozen=True, slots=True)
class _Unplugged:
    """What was sent when the plug was pulled, and what had come back by then."""

    sent: list[Line]
    heard: list[Line]

    @property
    def acknowledged(self) -> set[str]:
        return {line["id"] for line in self.heard if line["type"] == "accepted"}

    @property
    def answers(self) -> list[Line]:
        return [line for line in self.heard if line["type"] == "reply"]


async def _pull_the_plug(desk: DeskProcess, drawing: Drawing) -> _Unplugged:
    sent = [desk.message(ALICE, f"Open a ticket: {subject}") for subject in _SUBJECTS]
    await desk.send(*sent)
    heard = await desk.hear(until=lambda lines: bool(lines))
    heard += await desk.kill()
    unplugged = _Unplugged(sent, heard)
    drawing.said(ALICE, "\n".join(line["text"] for line in sent), "", place="three at once")
    back = f"{len(unplugged.acknowledged)} of 3 are acknowledged, {len(unplugged.answers)} answered"
    drawing.plug(f"Process {desk.pid} is killed in the middle of it (SIGKILL): {back}.")
    return unplugged


# --- after ------------------------------------------------------------------------------------------------------------


async def _a_minute_later(stage: Stage, drawing: Drawing, ticket: str, unplugged: _Unplugged) -> None:
    async with stage.day() as desk:
        drawing.title(
            "A minute later: it goes on where it was",
            f"Process {desk.pid}. All three are sent once more, as platforms do in doubt.",
        )
        lines = await _send_again(desk, drawing, unplugged)
        _prove_nothing_is_lost(drawing, unplugged, lines)
        listed = await _say(desk, drawing, ALICE, "List my tickets.")
        drawing.proves(
            "No ticket was lost, none is there twice",
            "a crash is no reason to count by hand.",
            holds=ticket in listed["text"] and all(listed["text"].count(subject) == 1 for subject in _SUBJECTS),
        )
        again = await _command(desk, drawing, ALICE, "retry")
        drawing.proves(
            "Retry answers the last message again",
            "the history keeps the newer of the two.",
            holds=again["text"] == listed["text"],
        )


async def _send_again(desk: DeskProcess, drawing: Drawing, unplugged: _Unplugged) -> list[Line]:
    ids = {line["id"] for line in unplugged.sent}

    def all_dealt_with(lines: list[Line]) -> bool:
        answered = {line["to"] for line in (*unplugged.answers, *lines) if line["type"] == "reply"}
        acknowledged = {line["id"] for line in lines if line["type"] in ("accepted", "duplicate")}
        return ids <= answered and ids <= acknowledged

    with drawing.waiting("the desk starts again"):
        await desk.send(*unplugged.sent)
        lines = await desk.hear(until=all_dealt_with)
    if not all_dealt_with(lines):
        raise DemoError("the desk ended before it had answered what it was sent")
    for asked in unplugged.sent:
        answer = next(line for line in (*unplugged.answers, *lines) if line.get("to") == asked["id"])
        known = " (the desk has it already)" if {"type": "duplicate", "id": asked["id"]} in lines else ""
        drawing.said(ALICE, asked["text"], answer["text"], place=f"sent again{known}")
    return lines


def _prove_nothing_is_lost(drawing: Drawing, unplugged: _Unplugged, lines: list[Line]) -> None:
    known = {line["id"] for line in lines if line["type"] == "duplicate"}
    drawing.proves(
        "What was acknowledged was not taken for new",
        "nothing acknowledged is lost, even when the power goes.",
        holds=unplugged.acknowledged <= known,
    )
    keys = {(line["to"], line["key"]) for line in (*unplugged.answers, *lines) if line["type"] == "reply"}
    drawing.proves(
        "Each of the three was answered once",
        "the conversation goes on where it was.",
        holds=len(keys) == len(unplugged.sent),
    )


# --- what they say ----------------------------------------------------------------------------------------------------


async def _say(desk: DeskProcess, drawing: Drawing, person: Person, text: str, *, thread: str | None = None) -> Line:
    with drawing.waiting("the desk is at work"):
        answer = await desk.say(person, text, thread=thread)
    drawing.said(person, text, answer["text"], place=f"in a new thread, {thread!r}" if thread else "")
    return answer


async def _command(
    desk: DeskProcess, drawing: Drawing, person: Person, word: str, *args: str, answer: str = "reply"
) -> Line:
    with drawing.waiting("the desk is at work"):
        line = await desk.command(person, word, *args, answer=answer)
    drawing.said(person, " ".join((f"/{word}", *args)), line["text"], how=_how(line, person))
    return line


def _how(line: Line, person: Person) -> str:
    if line["type"] == "retract":
        return "in place of its answer above"
    if line["type"] == "restore":
        return "back in its place"
    return f"only {person.name} sees this" if line["private"] else ""


def _ticket_in(answer: Line) -> str:
    found = _TICKET.search(answer["text"])
    if found is None:
        raise DemoError(f"a ticket should have been opened, but the desk said: {answer['text']}")
    return found[0]
