"""What an export is made of, checked before anything of it is taken in: the file comes from outside."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, Field, ValidationError

from core.errors import BadInputError
from core.models import Priority, TicketStatus, TurnStatus
from core.section import Section

_Count = Annotated[int, Field(ge=0, le=10**15)]
_Id = Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]
_Text = Annotated[str, Field(max_length=1_000_000)]
_Name = Annotated[str, Field(min_length=1, max_length=1_000)]


class GivenIdentity(Section):
    """Who the person is on a platform."""

    platform: _Name
    workspace: _Name
    user: _Name


class GivenPerson(Section):
    """Who the person is."""

    id: _Text
    workspace: _Name
    name: _Text
    tier: _Text
    email: _Text
    locale: _Text
    timezone: _Text
    remembered: dict[str, str]
    identities: tuple[GivenIdentity, ...] = Field(min_length=1)


class GivenBranch(Section):
    """A branch and the turn it ends in."""

    name: _Name
    head: _Id | None
    forked: _Id | None
    at: AwareDatetime


class GivenConversation(Section):
    """A conversation the person began."""

    id: _Name
    workspace: _Name
    branch: _Name
    started: AwareDatetime
    spoken: AwareDatetime
    answered_by: Literal["bot", "human"]
    muted: bool
    branches: tuple[GivenBranch, ...] = Field(min_length=1)


class GivenFeedback(Section):
    """What the person thought of an answer."""

    value: Literal["helpful", "not helpful"]
    at: AwareDatetime


class GivenTurn(Section):
    """A turn of the person's."""

    id: _Id
    conversation: _Name | None
    parent: _Id | None
    number: _Count
    status: TurnStatus
    agent: _Text
    at: AwareDatetime
    edited: bool
    said: _Text
    answered: _Text
    files: tuple[dict[str, Any], ...]
    items: tuple[dict[str, Any], ...]
    feedback: GivenFeedback | None = None


class GivenEntry(Section):
    """A line of a timeline."""

    at: AwareDatetime
    field: Literal["opened", "status", "priority", "note"]
    before: _Text | None
    after: _Text | None
    cause: Literal["turn", "undo", "redo", "staff"]
    own: bool


class GivenTicket(Section):
    """A ticket."""

    id: Annotated[str, Field(pattern=r"^TKT-[1-9][0-9]{0,11}$")]
    workspace: _Name
    conversation: _Text
    subject: _Text
    description: _Text
    status: TicketStatus
    priority: Priority
    opened: AwareDatetime
    changed: AwareDatetime
    timeline: tuple[GivenEntry, ...] = Field(min_length=1)


class GivenMonth(Section):
    """What was used of a model in a month."""

    model: _Name
    month: Annotated[str, Field(pattern=r"^[0-9]{4}-(0[1-9]|1[0-2])$")]
    calls: _Count
    requests: _Count
    input_tokens: _Count
    cached_tokens: _Count
    output_tokens: _Count
    reasoning_tokens: _Count


class GivenUsage(Section):
    """What was used."""

    requests: _Count
    input_tokens: _Count
    output_tokens: _Count
    months: tuple[GivenMonth, ...]


class GivenCustomer(Section):
    """All of a customer."""

    format: Literal[2]
    person: GivenPerson
    conversations: tuple[GivenConversation, ...]
    turns: tuple[GivenTurn, ...]
    tickets: tuple[GivenTicket, ...]
    usage: GivenUsage


class GivenExport(GivenCustomer):
    """All of a person's file; `linked` are the other customers who are the same person."""

    linked: tuple[GivenCustomer, ...] = ()


def read_export(value: object) -> GivenExport:
    """Read an export. Raises BadInputError, which names what is wrong and no word of what was said."""
    try:
        return GivenExport.model_validate(value)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "the whole"
        raise BadInputError(f"that is no export this version can take in: {place}: {first['msg']}") from None


def micros(time: datetime) -> int:
    """A time as records keep it."""
    return round(time.timestamp() * 1_000_000)
