"""Questions about a store as a whole: how much there is of what, how old it is."""

from dataclasses import dataclass

from core.queries.query import Query


@dataclass(frozen=True, slots=True)
class SchemaRow:
    """The newest migration a store has."""

    number: int


@dataclass(frozen=True, slots=True)
class SchemaNumber(Query[SchemaRow]):
    """The number of a store's schema; one row."""

    row = SchemaRow


@dataclass(frozen=True, slots=True)
class CounterRow:
    """The last number a counter gave."""

    value: int


@dataclass(frozen=True, slots=True)
class CounterOf(Query[CounterRow]):
    """A counter that gave a number already; at most one."""

    row = CounterRow
    name: str


@dataclass(frozen=True, slots=True)
class CountRow:
    """How many rows a table has."""

    table: str
    rows: int


@dataclass(frozen=True, slots=True)
class Counts(Query[CountRow]):
    """The number of customers, sessions, turns, items, tickets, queued and parked events, open and unknown deliveries.

    Keys: customer, session, turn, item, ticket, queued, parked, open, unknown.
    """

    row = CountRow


@dataclass(frozen=True, slots=True)
class BacklogRow:
    """What waits: events, since when the oldest of them (0: none), parked ones; open deliveries and unknown ones."""

    queued: int
    oldest: int
    parked: int
    open: int
    unknown: int


@dataclass(frozen=True, slots=True)
class Backlog(Query[BacklogRow]):
    """What waits in the whole store; one row."""

    row = BacklogRow


@dataclass(frozen=True, slots=True)
class HeldOf(Query[CountRow]):
    """How many rows of each table hold something of a customer: what they said, were told and are known by, and what
    stays of them.

    Keys: customer, identity, session, turn, item, summary, message, feedback, ticket, ticket_change, inbox, outbox,
    usage, audit.
    """

    row = CountRow
    customer: str


@dataclass(frozen=True, slots=True)
class OldRow:
    """How many rows of a table an owner has that are old enough."""

    table: str
    owner: str
    rows: int


@dataclass(frozen=True, slots=True)
class OldBodies(Query[OldRow]):
    """The texts that `BlankBodies` would delete, by owner. Tables: inbox, outbox."""

    row = OldRow
    inbox: int
    outbox: int


@dataclass(frozen=True, slots=True)
class OldUsage(Query[OldRow]):
    """The lines of the bill from before a time, by customer; those that are totals with `totals` = 1 only.

    What standalone sessions used is not among them.
    """

    row = OldRow
    before: int
    totals: int
