"""Words that only show: help, who you are, history, tickets, usage, summaries; and feedback."""

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from core.access import Subject, may, reader_of, reading_line
from core.call import Call, Result
from core.customers import identities
from core.errors import BadInputError, NoSuchTicketError
from core.exporting import everything_of
from core.instructions import linked_hosts
from core.linked import others_of
from core.links import Links
from core.models import Button, TextFile, Ticket, TicketStatus, TimelineEntry
from core.queries.said import FeedbackOf
from core.records.record import Record
from core.records.turns import PutFeedback
from core.sealed import open_json
from core.session_ids import ticket_of
from core.text import first_words
from core.tickets import load_tickets, ticket_by_name, timeline
from core.tree import newest
from core.usage import ModelCall, money, usage_of_customer, usage_records
from core.wording import count, plain
from core.words import WORDS, Word

NO_TICKETS = "You have no tickets yet."
POST_HERE = "Post here"
MOST_TURNS = 100
HOW_MANY = f"Say it like this: `history` for the newest ten turns, `history 20` for that many, from 1 to {MOST_TURNS}."


async def help_(call: Call) -> Result:
    """Show the table."""
    lines = [
        f"- `{f'{word.name} {word.args}'.strip()}`: {word.about}{_reaction(word.emoji)}" for word in _words_for(call)
    ]
    call.say("\n".join(["Just write to me. These words do more:", *lines]))
    return []


def _words_for(call: Call) -> list[Word]:
    return [word for word in WORDS if may(call.role, word.needs)]


async def whoami(call: Call) -> Result:
    """Show who the asker is here."""
    customer, scene = call.scene.customer, call.scene
    turns = count(scene.session.depth, "turn")
    role = "" if call.role == "customer" else f", role {call.role}"
    # The answer is for their eyes alone, wherever they ask.
    email = f", {customer.email}" if customer.email else ""
    elsewhere = "".join(f", also {place}" for place in await _also(call))
    call.say(
        f"You are {customer.name or call.ref.user}{email}, tier {customer.tier}{role}{elsewhere}. "
        f"This conversation: {scene.name}, branch {scene.branch}, {turns}."
    )
    return []


async def _also(call: Call) -> list[str]:
    store, sealer = call.kit.store, call.kit.sealer
    others = await others_of(store, sealer, call.scene.customer)
    return [
        f"{other.name} on {identity.platform}"
        for other in others
        for identity in await identities(store, sealer, other.id)
    ]


async def history(call: Call) -> Result:
    """Show the newest turns with their numbers."""
    turns = await newest(call.kit.store, call.scene.session.head, _how_many(call))
    if not turns:
        call.say("Nothing was said here yet.")
        return []
    lines = []
    for turn in turns:
        body = open_json(call.kit.sealer, "turn", turn.speaker, turn.id, turn.body) if turn.status == "done" else None
        edited = " (edited)" if turn.edited else ""
        said = "(erased)" if body is None else f"{body['name'] or 'You'}: {first_words(body['said'], 80)}{edited}"
        answer = "" if body is None else f"\n   {first_words(body['answered'], 100)}"
        lines.append(f"{turn.depth}. {said}{answer}")
    call.say("\n".join(lines))
    return []


def _how_many(call: Call) -> int:
    try:
        return call.number(default=10, most=MOST_TURNS)
    except BadInputError:
        raise BadInputError(reply=HOW_MANY) from None


async def tickets(call: Call) -> Result:
    """List the asker's tickets."""
    own = await load_tickets(call.kit.store, call.kit.sealer, call.scene.customer.id)
    lines = [f"- {_line(ticket)}" for ticket in own]
    lines += [f"- {_line(found)} (on {platform})" for platform, found in await tickets_elsewhere(call)]
    call.say("\n".join(lines) or NO_TICKETS)
    return []


async def ticket(call: Call) -> Result:
    """Show one ticket with its timeline."""
    if len(call.args) not in (1, 2):
        call.misused()
    shown = await _named_ticket(call)
    entries = _in_words(await timeline(call.kit.store, call.kit.sealer, shown, 20))
    call.say("\n".join([_line(shown), shown.description, *_timeline(entries)]))
    return await _noted(call, shown)


async def _named_ticket(call: Call) -> Ticket:
    """The ticket that was named: of this workspace, or the asker's own on the platform that was named or has it."""
    name, *platform = call.args
    elsewhere = [
        found
        for place, found in await tickets_elsewhere(call)
        if found.name == name.upper() and platform in ([], [place])
    ]
    if platform:
        return call.own_ticket(elsewhere[0] if elsewhere else None)
    try:
        return call.own_ticket(await ticket_by_name(call.kit.store, call.kit.sealer, call.ref.workspace, name))
    except NoSuchTicketError:
        if not elsewhere:
            raise
        return elsewhere[0]


async def tickets_elsewhere(call: Call) -> list[tuple[str, Ticket]]:
    """The tickets of the asker that they opened as another customer they are too, each with its platform."""
    store, sealer = call.kit.store, call.kit.sealer
    found = []
    for other in await others_of(store, sealer, call.scene.customer):
        platform = next((each.platform for each in await identities(store, sealer, other.id)), "another platform")
        found += [(platform, ticket) for ticket in await load_tickets(store, sealer, other.id)]
    return found


async def usage(call: Call) -> Result:
    """Show what the asker used: tokens; money is for staff."""
    total = await usage_of_customer(call.kit.store, *call.scene.customer.everyone)
    tokens, calls = count(total.usage.total_tokens, "token"), count(total.usage.requests, "model call")
    cost = f", {money(total, call.kit.settings.prices)}" if may(call.role, "see_money") else ""
    call.say(
        f"You have used {tokens} in {calls} ({total.usage.input_tokens:,} in, {total.usage.output_tokens:,} out){cost}."
    )
    return []


async def export(call: Call) -> Result:
    """Send the asker all that is kept of them."""
    if not call.ref.direct:
        raise BadInputError(reply="Others read this place. Say `export` in a direct message to me.")
    found = await everything_of(call.kit.store, call.kit.sealer, call.scene.customer)
    turns, tickets = count(len(found["turns"]), "turn"), count(len(found["tickets"]), "ticket")
    content = json.dumps(found, ensure_ascii=False, indent=2)
    call.say(f"This is all I keep of you: {turns}, {tickets}.", file=TextFile("deskmate-export.json", content))
    return [call.audit("export", {"turns": len(found["turns"])})]


async def summary(call: Call) -> Result:
    """Sum up the conversation."""
    past = await call.kit.histories.read(call.scene.session, call.scene.session.head)
    if not past.turns and not past.summary:
        call.say("Nothing was said here yet.")
        return []
    own = None if call.ref.direct else past.words_of(call.scene.customer.id)
    summed = await call.kit.summaries.of(past, own, purse=call.purse)
    links = _links(call, lambda: past.words_of(call.scene.customer.id))
    call.say(links.defused(summed.text), buttons=_post_here(call))
    return _booked(call, summed.calls, call.scene.ticket)


async def ticket_summary(call: Call) -> Result:
    """Where a ticket stands: this conversation's, the one named, or the asker's newest open one."""
    chosen = await _chosen_ticket(call)
    if chosen is None:
        call.say(NO_TICKETS)
        return []
    entries = _in_words(await timeline(call.kit.store, call.kit.sealer, chosen, 5))
    summed = await call.kit.summaries.of_ticket(chosen, entries, purse=call.purse)
    opened = f"opened {chosen.opened:%Y-%m-%d %H:%M} UTC"
    # A blank line: where lists are drawn, what follows would be read into the last entry.
    links = _links(call, lambda: (chosen.subject, chosen.description))
    text = "\n".join([_line(chosen), opened, "", *_timeline(entries), "", links.defused(summed.text)])
    call.say(text, buttons=_post_here(call))
    return [*await _noted(call, chosen), *_booked(call, summed.calls, chosen.id)]


def _links(call: Call, said: Callable[[], Iterable[str]]) -> Links:
    return Links(linked_hosts(call.kit.settings.agent), said)


async def helpful(call: Call) -> Result:
    """Note that an answer helped."""
    return [*await _feedback(call, "helpful")]


async def not_helpful(call: Call) -> Result:
    """Note that an answer did not help, and tell staff, once."""
    records = await _feedback(call, "not helpful")
    if not await _said_before(call, records[0]):
        await call.tell_staff("An answer did not help")
    return [*records]


async def _noted(call: Call, shown: Ticket) -> list[Record]:
    """The audit line of a ticket that is somebody else's, in the commit that shows it."""
    if shown.customer in call.scene.customer.everyone:
        return []
    reader = reader_of(call.kit.settings, call.ref)
    return [await reading_line(call.kit.sealer, reader, "ticket", Subject(shown.name, shown.customer))]


async def _said_before(call: Call, said: PutFeedback) -> bool:
    rows = await call.kit.store.read(FeedbackOf(call.scene.session.id))
    return (said.turn, said.speaker, said.value) in {(row.turn, row.speaker, row.value) for row in rows}


async def _feedback(call: Call, value: str) -> list[PutFeedback]:
    turn = call.turn or call.scene.session.head
    if turn is None:
        raise BadInputError(reply="There is no answer to say that of yet.")
    return [PutFeedback(turn, call.scene.customer.id, value, call.event.at)]


async def _chosen_ticket(call: Call) -> Ticket | None:
    store, sealer, scene = call.kit.store, call.kit.sealer, call.scene
    args = [arg for arg in call.args if arg != "here"]
    if args and args[0].lower() != "last":
        found = await ticket_by_name(store, sealer, call.ref.workspace, args[0])
        return call.own_ticket(found)
    own = await load_tickets(store, sealer, scene.customer.id)
    live = [one for one in own if one.status is not TicketStatus.WITHDRAWN]
    bound = [one for one in live if one.name == ticket_of(scene.name) and not args]
    here = bound or [one for one in live if one.session == scene.name and not args]
    still_open = [one for one in live if one.status is not TicketStatus.RESOLVED]
    return next(reversed(here or still_open or (live if args else [])), None)


def _booked(call: Call, calls: Sequence[ModelCall], ticket: str | None) -> list[Record]:
    return usage_records(
        call.kit.settings.prices,
        calls,
        customer=call.scene.customer.person,
        session=call.scene.session.id,
        turn=None,
        branch=call.scene.session.branch,
        ticket=ticket,
    )


def _post_here(call: Call) -> tuple[Button, ...]:
    """A private answer can be posted for all; where nobody else reads there is nobody to post it to."""
    if not call.private or call.ref.direct:
        return ()
    return (Button(POST_HERE, call.word.name, (*call.args, "here")),)


def _line(ticket: Ticket) -> str:
    return f"{ticket.name}: {ticket.subject} ({plain(ticket.status.value)}, priority {ticket.priority})"


def _timeline(entries: list[TimelineEntry]) -> list[str]:
    return [f"- {entry.at:%Y-%m-%d %H:%M} UTC {_what(entry)}" for entry in entries]


def _in_words(entries: Iterable[TimelineEntry]) -> list[TimelineEntry]:
    return [_state_in_words(entry) if entry.field == "status" else entry for entry in entries]


def _state_in_words(entry: TimelineEntry) -> TimelineEntry:
    before, after = (value and plain(value) for value in (entry.before, entry.after))
    return replace(entry, before=before, after=after)


def _what(entry: TimelineEntry) -> str:
    by = "" if entry.cause == "turn" else f" ({entry.cause})"
    if entry.before is None:
        return f"{entry.field}: {entry.after}{by}"
    return f"{entry.field}: {entry.before} to {entry.after}{by}"


def _reaction(emoji: str) -> str:
    return f" {emoji}" if emoji else ""
