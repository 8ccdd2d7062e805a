"""Questions about what was used, and what may be."""

from dataclasses import dataclass

from core.queries.query import Query


@dataclass(frozen=True, slots=True)
class UsageRow:
    """A sum of usage: `key` says whose, `calls` how many there were, `unpriced` those without a known price."""

    key: str
    calls: int
    requests: int
    input_tokens: int
    cached_tokens: int
    output_tokens: int
    reasoning_tokens: int
    cost_nano: int
    unpriced: int
    estimated: int


@dataclass(frozen=True, slots=True)
class UsageOfCustomer(Query[UsageRow]):
    """The sum of one customer; at most one row."""

    row = UsageRow
    customer: str


@dataclass(frozen=True, slots=True)
class UsageOfSession(Query[UsageRow]):
    """The sum of one session; at most one row; `key` is ''."""

    row = UsageRow
    session: bytes


@dataclass(frozen=True, slots=True)
class UsageByTurn(Query[UsageRow]):
    """The sums of each turn of a session; `key` is the turn's id ('' for calls without one)."""

    row = UsageRow
    session: bytes


@dataclass(frozen=True, slots=True)
class UsageOfTurn(Query[UsageRow]):
    """The sum of one turn of a session; at most one row."""

    row = UsageRow
    session: bytes
    turn: str


@dataclass(frozen=True, slots=True)
class UsageByTurnOfBranch(Query[UsageRow]):
    """The sums of each turn of a session booked on one branch; `key` is the turn's id."""

    row = UsageRow
    session: bytes
    branch: bytes


@dataclass(frozen=True, slots=True)
class MonthRow:
    """What a customer used of a model in a month, which is named by its first moment (UTC, microseconds)."""

    model: str
    month: int
    calls: int
    requests: int
    input_tokens: int
    cached_tokens: int
    output_tokens: int
    reasoning_tokens: int


@dataclass(frozen=True, slots=True)
class UsageMonths(Query[MonthRow]):
    """What a customer used, by month and model."""

    row = MonthRow
    customer: str


@dataclass(frozen=True, slots=True)
class LedgerRow:
    """A sum of usage of one kind in all it is told apart by: `ticket` is '' for none, `day` counts from 1970 in UTC.

    `outcome` is what became of the turn: its status, 'undone' where it is done but on no branch any more, 'deleted'
    where it is gone, 'none' for what belongs to no turn, 'total' for a month's total, which stands on its first day.
    """

    customer: str
    session: bytes
    ticket: str
    model: str
    day: int
    outcome: str
    calls: int
    requests: int
    input_tokens: int
    cached_tokens: int
    output_tokens: int
    reasoning_tokens: int
    cost_nano: int
    unpriced: int
    estimated: int


@dataclass(frozen=True, slots=True)
class UsageLedger(Query[LedgerRow]):
    """All that was booked from `since` up to, not with, `until`."""

    row = LedgerRow
    since: int
    until: int


@dataclass(frozen=True, slots=True)
class PlacedRow:
    """A sum of usage of one customer, told apart by the workspace it counts in: `ticket` is '' for none.

    `workspace` is that of the session, or of the customer where the session is gone; '' where both are.
    """

    customer: str
    workspace: str
    session: bytes
    ticket: str
    model: str
    calls: int
    requests: int
    input_tokens: int
    cached_tokens: int
    output_tokens: int
    reasoning_tokens: int
    cost_nano: int
    unpriced: int
    estimated: int


@dataclass(frozen=True, slots=True)
class PlacedUsage(Query[PlacedRow]):
    """What the next `limit` customers by id, after `after`, used from `since` up to, not with, `until`.

    Of each there is at least one row, with 0 calls where they used nothing: the last row says where to go on.
    """

    row = PlacedRow
    after: str
    limit: int
    since: int
    until: int


@dataclass(frozen=True, slots=True)
class BudgetRow:
    """A counter: what was counted in its newest period."""

    period: int
    tokens: int
    nano: int


@dataclass(frozen=True, slots=True)
class BudgetOf(Query[BudgetRow]):
    """One counter; at most one."""

    row = BudgetRow
    counter: str
