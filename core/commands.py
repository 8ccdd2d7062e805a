"""What each word of the table does, and what the gestures come to: one function each, found here."""

from collections.abc import Awaitable, Callable
from dataclasses import replace

from core.access import may
from core.auditing import audit
from core.branching import branch, branches, clear, mute, new, open_ticket, switch, unmute
from core.call import Call, Result
from core.candidates import conversations_at, without_pick
from core.errors import BadInputError, NotAllowedError, UnknownCommandError
from core.escalating import staff
from core.forget_me import forget
from core.gestures import deleted, edited
from core.holding import hold
from core.linking import link
from core.models import Button, Command, MessageDeleted, MessageEdited, Reaction
from core.of_others import export_person, forget_person, unlink_person
from core.operating import keys, retention
from core.queries.lanes import StoppedBy
from core.queries.said import MessageRow
from core.queries.turns import TurnById, TurnsSpokenIn
from core.reckoning import usage_by
from core.reviewing import review
from core.searching import search
from core.showing import (
    export,
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
from core.unlinking import unlink
from core.wording import of_yourself, too_fast
from core.words import WORDS, Word, meant, word_of_reaction, word_said

PICKED_FROM = 5
"""Conversations a person picks from at most; a platform shows five buttons in a row."""

Handler = Callable[[Call], Awaitable[Result]]


async def stop(call: Call) -> Result:
    """Stop the turn that runs: done already when the word was accepted. Only where nothing ran is there more to say."""
    marked = await call.kit.store.read(StoppedBy(call.scene.session.id, call.event.seq))
    if not call.gesture and not marked:
        call.say(f"There is nothing {'' if call.ref.direct else 'of yours '}to stop.", private=True)
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
    "staff": staff,
    "branches": branches,
    "usage": usage,
    "usage by": usage_by,
    "export": export,
    "review": review,
    "search": search,
    "audit": audit,
    "retention": retention,
    "keys": keys,
    "link": link,
    "unlink": unlink,
    "forget": forget,
    "hold": hold,
}
HANDLERS_OF_OTHERS: dict[str, Handler] = {
    "export": export_person,
    "unlink": unlink_person,
    "forget": forget_person,
}


async def run_command(call: Call, command: Command) -> Result:
    """Do what a word says. Raises UnknownCommandError for a word that is not in the table."""
    if command.more_than:
        raise BadInputError(reply=too_fast(command.more_than, "command"))
    word, args = word_said(command)
    if word is None:
        raise UnknownCommandError(reply=f"I do not know `{command.name[:40]}`. Say `help` to see what I understand.")
    word = meant(word, args)
    if not may(call.role, word.needs):
        raise NotAllowedError(reply=of_yourself(word.name) if word.of_others else None)
    if command.loose and not word.about_person and await _let_pick(call, word, command):
        return []
    if word.for_speakers:
        await _check_speaks(call)
    handlers = HANDLERS_OF_OTHERS if word.of_others else HANDLERS
    return await handlers[word.name](replace(call, word=word, args=args))


async def run_reaction(call: Call, reaction: Reaction) -> Result:
    """Do what a reaction says; what means nothing, or is not the reacting person's to do, is passed over in silence."""
    word = word_of_reaction(reaction.name)
    if word is None or call.turn is None or not may(call.role, word.needs) or await _is_others(call):
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


async def _let_pick(call: Call, word: Word, command: Command) -> bool:
    """Let the person pick a conversation where a word, said beside them, could mean more than one of theirs."""
    store, sealer, customer = call.kit.store, call.kit.sealer, call.scene.customer.id
    here = conversations_at(store, sealer, call.ref, customer=customer, at=call.event.at)
    found = [candidate async for candidate in here]
    args = without_pick(command.args)
    if args != command.args:
        raise BadInputError(reply=f"That conversation is not among yours here any more. Say `{word.name}` again.")
    if len(found) < 2 or not word.changes_history:
        return False
    picks = tuple(Button(candidate.title, word.name, (*args, candidate.pick)) for candidate in found[:PICKED_FROM])
    call.say(f"Which conversation do you mean with `{word.name}`?", private=True, buttons=picks)
    return True


async def _check_speaks(call: Call) -> None:
    """Refuse who never spoke in a conversation that others share; to begin one is open to all."""
    session, customer = call.scene.session, call.scene.customer
    if call.ref.direct or session.head is None or may(call.role, "undo_others"):
        return
    if not await call.kit.store.read(TurnsSpokenIn(session.id, customer.id)):
        raise NotAllowedError(reply="Only people who talk in this conversation, or staff, can do that.")


async def _is_others(call: Call) -> bool:
    """Whether a turn is somebody else's, whose message only they and staff react to."""
    turns = await call.kit.store.read(TurnById(call.turn)) if call.turn else []
    own = all(turn.speaker == call.scene.customer.id for turn in turns)
    return not own and not may(call.role, "undo_others")


def _word(name: str) -> Word:
    return next(word for word in WORDS if word.name == name)
