"""What each word of the table does, and what the gestures come to: one function each, found here."""

from collections.abc import Awaitable, Callable
from dataclasses import replace

from core.access import may
from core.branching import branch, branches, clear, mute, new, open_ticket, switch, unmute
from core.call import Call, Result
from core.errors import BadInputError, NotAllowedError, UnknownCommandError
from core.gestures import deleted, edited
from core.models import Command, MessageDeleted, MessageEdited, Reaction
from core.queries import MessageRow, StoppedBy, TurnById
from core.showing import (
    help_,
    helpful,
    history,
    not_helpful,
    summary,
    ticket,
    ticket_summary,
    tickets,
    usage,
    whoami,
)
from core.undoing import redo, retry, rewind, undo
from core.words import WORDS, Word, word_named, word_of_reaction

Handler = Callable[[Call], Awaitable[Result]]


async def stop(call: Call) -> Result:
    """Stop the turn that runs: done already when the word was accepted. Only where nothing ran is there more to say."""
    marked = await call.kit.store.read(StoppedBy(call.scene.session.id, call.event.seq))
    if not call.gesture and not marked:
        call.say("There is nothing to stop.", private=True)
    return []


HANDLERS: dict[str, Handler] = {
    "undo": undo,
    "redo": redo,
    "retry": retry,
    "branch": branch,
    "summary": summary,
    "ticket-summary": ticket_summary,
    "clear": clear,
    "stop": stop,
    "helpful": helpful,
    "not helpful": not_helpful,
    "rewind": rewind,
    "switch": switch,
    "new": new,
    "open": open_ticket,
    "mute": mute,
    "unmute": unmute,
    "help": help_,
    "whoami": whoami,
    "history": history,
    "tickets": tickets,
    "ticket": ticket,
    "branches": branches,
    "usage": usage,
}


async def run_command(call: Call, command: Command) -> Result:
    """Do what a word says. Raises UnknownCommandError for a word that is not in the table."""
    word = word_named(command.name)
    if word is None:
        raise UnknownCommandError(reply=f"I do not know `{command.name[:40]}`. Say `help` to see what I understand.")
    return await HANDLERS[word.name](replace(call, word=word, args=command.args))


async def run_reaction(call: Call, reaction: Reaction) -> Result:
    """Do what a reaction says; what means nothing, or is not the reacting person's to do, is passed over in silence."""
    word = word_of_reaction(reaction.name)
    if word is None or call.turn is None or await _is_others(call, word):
        return []
    if reaction.removed:
        if word.name != "undo":
            return []
        word = _word("redo")
    try:
        return await HANDLERS[word.name](replace(call, word=word, gesture=True))
    except (NotAllowedError, BadInputError):
        return []


async def run_edit(call: Call, edit: MessageEdited) -> Result:
    """Do what an edited message comes to."""
    return await edited(call, edit.text)


async def run_delete(call: Call, _: MessageDeleted, message: MessageRow | None) -> Result:
    """Do what a deleted message comes to."""
    return await deleted(call, part=message.part) if message else []


async def _is_others(call: Call, word: Word) -> bool:
    """Whether the word would change how a turn of somebody else goes on."""
    if not word.changes_history and word.name != "stop":
        return False
    turns = await call.kit.store.read(TurnById(call.turn)) if call.turn else []
    own = all(turn.speaker == call.scene.customer.id for turn in turns)
    return not own and not may(call.role, "undo_others")


def _word(name: str) -> Word:
    return next(word for word in WORDS if word.name == name)
