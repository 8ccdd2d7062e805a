"""What the agent can do: tools that stage their effects for the turn.

Tenant and customer come from the run's context, never from the model. An argument that cannot be used is answered with
one sentence, so that the model can mend it; a closed stage and the store's errors end the run.
"""

import json
from collections.abc import Callable, Iterable
from typing import Annotated, Any, cast

from agents import FunctionTool, ModelBehaviorError, RunContextWrapper, Tool, function_tool
from pydantic import Field

from core.context import HistoryLine, SupportContext
from core.errors import NoSuchTicketError
from core.ids import new_id
from core.models import PRIORITIES, Priority, Ticket, TicketStatus
from core.text import first_words

MAX_SUBJECT = 200
MAX_DESCRIPTION = 8_000
MAX_PREFERENCES = 100
MAX_PREFERENCE_NAME = 60
MAX_PREFERENCE = 500
_LISTED = 50
_LINES = 10
_BRIEF = 200

Run = RunContextWrapper[SupportContext]
PriorityName = Annotated[str, Field(json_schema_extra={"enum": list(PRIORITIES)})]


async def create_ticket(run: Run, subject: str, description: str = "", priority: PriorityName = "normal") -> str:
    """Open a support ticket for the customer. Look at list_tickets first: one case, one ticket.

    Args:
        subject: What it is about, in a few words.
        description: What happened, with every detail that helps.
        priority: How urgent it is.
    """
    context = run.context
    # They are shown to people as they stand, whoever had them written.
    subject, description = context.links.defused(" ".join(subject.split())), context.links.defused(description)
    problem = _ticket_problem(subject, description, priority)
    if problem:
        return _say(error=problem)
    twin = find_twin(context.tickets, subject)
    if twin is not None:
        return _say(already_open=brief(twin), note="A ticket with this subject is open already; none was opened.")
    ticket = await context.stage.open_ticket(
        new_id(), subject=subject, description=description.strip(), priority=cast(Priority, priority)
    )
    return _say(opened=brief(ticket))


async def list_tickets(run: Run) -> str:
    """List the customer's tickets, newest first."""
    tickets = run.context.tickets[::-1]
    shown = [brief(ticket) for ticket in tickets[:_LISTED]]
    elsewhere = [brief(ticket) for ticket in run.context.elsewhere[: -_LISTED - 1 : -1]]
    rest = {"opened_on_another_platform_to_be_changed_there": elsewhere} if elsewhere else {}
    return _say(tickets=shown, not_shown=len(tickets) - len(shown), **rest)


async def update_ticket(  # noqa: PLR0913 - what the model may say is one flat list of arguments
    run: Run,
    ticket_id: str,
    note: str = "",
    priority: Annotated[str, Field(json_schema_extra={"enum": ["", *PRIORITIES]})] = "",
    resolve: bool = False,
    reopen: bool = False,
) -> str:
    """Change one of the customer's tickets; what is left empty stays as it is.

    Args:
        ticket_id: The ticket's number, such as TKT-1001.
        note: A line to add to its timeline.
        priority: Its new priority.
        resolve: True to close it, when the customer says that it is solved.
        reopen: True to open it again.
    """
    stage = run.context.stage
    try:
        ticket = stage.ticket(ticket_id)
    except NoSuchTicketError as error:
        return _say(error=error.reply)
    problem = _change_problem(ticket, note, priority, resolve=resolve, reopen=reopen)
    if problem:
        return _say(error=problem)
    if note.strip():
        ticket = stage.add_note(ticket.name, run.context.links.defused(note.strip()))
    if priority:
        ticket = stage.set_priority(ticket.name, cast(Priority, priority))
    if resolve or (reopen and not is_open(ticket)):
        ticket = stage.set_status(ticket.name, TicketStatus.RESOLVED if resolve else TicketStatus.OPEN)
    return _say(changed=brief(ticket))


async def get_conversation_summary(run: Run) -> str:
    """Sum up who the customer is and what happened in this conversation so far."""
    context = run.context
    lines = context.session_history
    known: dict[str, Any] = {"name": context.customer_name}
    if not context.shared:
        known["tier"] = context.account_tier
    return _say(
        **known,
        actions=(lines[-1].number if lines else 0) + len(context.stage.changes),
        open_tickets=[_id_and_subject(ticket) for ticket in context.tickets if is_open(ticket)],
        recent=[_brief_line(line) for line in lines[-_LINES:]],
        earlier=context.summary,
    )


async def remember_preference(run: Run, name: str, value: str) -> str:
    """Keep something about the customer for all later conversations: how they want it done, or a fact they gave.

    Args:
        name: What it is, in a few words, such as "contact by" or "invoice number".
        value: What to remember.
    """
    name, value = (run.context.links.defused(text) for text in (" ".join(name.split()), value.strip()))
    known = run.context.stage.customer.preferences
    if not name or not value:
        return _say(error="Say what to remember: a name and a value.")
    if len(name) > MAX_PREFERENCE_NAME or len(value) > MAX_PREFERENCE:
        return _say(error=f"At most {MAX_PREFERENCE_NAME} characters of name and {MAX_PREFERENCE} of value are kept.")
    if name not in known and len(known) >= MAX_PREFERENCES:
        return _say(error=f"{MAX_PREFERENCES} things are remembered already; give one of them a new value instead.")
    run.context.stage.remember(name, value)
    return _say(remembered={name: value})


async def recall(run: Run, question: str) -> str:
    """Search what this customer said and was told in their earlier conversations.

    Args:
        question: The words to look for, such as "invoice number".
    """
    context = run.context
    if context.shared:
        # Others read this place: nothing that was said in private may be offered here.
        tickets = [_id_and_subject(ticket) for ticket in _about(context.tickets, question)]
        return _say(tickets=tickets, note="This place is shared: what was said in private is not told here.")
    found = await context.recall(question)
    return _say(
        found=[
            {"at": line.at.isoformat(timespec="minutes"), "said": line.said, "answered": line.answered}
            for line in found
        ]
    )


def find_twin(tickets: Iterable[Ticket], subject: str) -> Ticket | None:
    """An open ticket with the same subject, in whatever case."""
    wanted = _folded(subject)
    return next((ticket for ticket in tickets if is_open(ticket) and _folded(ticket.subject) == wanted), None)


def is_open(ticket: Ticket) -> bool:
    """Whether somebody still has to do something about a ticket."""
    return ticket.status in (TicketStatus.OPEN, TicketStatus.WAITING_FOR_STAFF)


def brief(ticket: Ticket) -> dict[str, str]:
    """A ticket as the model sees it."""
    return {"id": ticket.name, "subject": ticket.subject, "status": ticket.status, "priority": ticket.priority}


def _id_and_subject(ticket: Ticket) -> dict[str, str]:
    return {"id": ticket.name, "subject": ticket.subject}


def _brief_line(line: HistoryLine) -> dict[str, Any]:
    return {
        "turn": line.number,
        "at": line.at.isoformat(timespec="minutes"),
        "said": first_words(line.said, _BRIEF),
        "answered": first_words(line.answered, _BRIEF),
    }


def _ticket_problem(subject: str, description: str, priority: str) -> str | None:
    if not subject:
        return "A ticket needs a subject: say in a few words what it is about."
    if len(subject) > MAX_SUBJECT:
        return f"A subject has at most {MAX_SUBJECT} characters; put the rest into the description."
    if len(description) > MAX_DESCRIPTION:
        return f"A description has at most {MAX_DESCRIPTION:,} characters."
    return None if priority in PRIORITIES else _unknown_priority(priority)


def _change_problem(ticket: Ticket, note: str, priority: str, *, resolve: bool, reopen: bool) -> str | None:
    if not (note.strip() or priority or resolve or reopen):
        return "Say what to change: a note, a priority, resolve or reopen."
    if resolve and reopen:
        return "A ticket can be resolved or reopened, not both at once."
    if ticket.status is TicketStatus.WITHDRAWN:
        return f"{ticket.name} was withdrawn: its opening was undone. Open a new ticket instead."
    if len(note) > MAX_DESCRIPTION:
        return f"A note has at most {MAX_DESCRIPTION:,} characters."
    return _unknown_priority(priority) if priority and priority not in PRIORITIES else None


def _unknown_priority(word: str) -> str:
    return f"There is no priority {first_words(word, 30)!r}; there are {', '.join(PRIORITIES)}."


def _about(tickets: list[Ticket], question: str) -> list[Ticket]:
    words = {word for word in _folded(question).split() if len(word) > 3}
    matching = [ticket for ticket in tickets if words & set(_folded(ticket.subject).split())]
    return (matching or tickets)[-_LISTED:]


def _folded(text: str) -> str:
    return " ".join(text.casefold().split())


def _say(**answer: object) -> str:
    return json.dumps(answer, ensure_ascii=False)


def _failed(run: RunContextWrapper[Any], error: Exception) -> str:
    """Tell the model of arguments that are no JSON of the tool's; let everything else end the run."""
    if isinstance(error, ModelBehaviorError):
        return _say(error="The arguments do not fit this tool. Look at its parameters and call it again.")
    raise error


def _tool(function: Callable[..., Any]) -> FunctionTool:
    return function_tool(function, failure_error_function=_failed)


TOOLS: tuple[Tool, ...] = tuple(
    _tool(function)
    for function in (
        create_ticket,
        list_tickets,
        update_ticket,
        get_conversation_summary,
        remember_preference,
        recall,
    )
)
"""The tools of every agent of the desk."""

DOING = {
    "create_ticket": "opening a ticket",
    "list_tickets": "looking at your tickets",
    "update_ticket": "changing the ticket",
    "get_conversation_summary": "summing up",
    "remember_preference": "taking a note",
    "recall": "looking back",
}
"""What people are told while a tool runs."""
