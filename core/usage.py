"""What model calls cost: priced exactly, booked to a customer, added up for people to read."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import localcontext
from typing import Literal

from core.clock import as_time, now
from core.config import PriceSettings
from core.ids import new_id
from core.models import Usage
from core.ports import Store
from core.queries.bill import LedgerRow, PlacedRow, UsageByTurn, UsageOfCustomer, UsageOfSession, UsageRow
from core.records.bill import BookUsage
from core.records.record import Record

Purpose = Literal["turn", "summary"]


@dataclass(frozen=True, slots=True)
class ModelCall:
    """One call of a model; `estimated` where it was cut off and its tokens are counted by length."""

    model: str
    usage: Usage
    purpose: Purpose = "turn"
    estimated: bool = False
    at: int = field(default_factory=now)


@dataclass(frozen=True, slots=True)
class UsageSum:
    """A sum of calls; `unpriced` of them have no known price, `estimated` of them were cut off."""

    calls: int = 0
    usage: Usage = Usage()
    unpriced: int = 0
    estimated: int = 0

    def __add__(self, other: "UsageSum") -> "UsageSum":
        """Add two sums field by field."""
        return UsageSum(
            self.calls + other.calls,
            self.usage + other.usage,
            self.unpriced + other.unpriced,
            self.estimated + other.estimated,
        )


def cost_nano(prices: PriceSettings, call: ModelCall) -> int | None:
    """What a call cost in 1e-9 of the currency, rounded once; None for a model that had no price when it was made.

    Cached tokens are a part of the input tokens, reasoning tokens of the output tokens.
    """
    price, usage = prices.price_of(call.model, as_time(call.at).date()), call.usage
    if price is None:
        return None
    cached = min(usage.cached_tokens, usage.input_tokens)
    with localcontext(prec=100):
        millionths = (
            (usage.input_tokens - cached) * price.input
            + cached * (price.input if price.cached is None else price.cached)
            + usage.output_tokens * price.output
        )
        return int((millionths * 1000).to_integral_value())


def usage_records(  # noqa: PLR0913  where a call is booked is five columns
    prices: PriceSettings,
    calls: Sequence[ModelCall],
    *,
    customer: str,
    session: bytes,
    turn: str | None,
    branch: bytes | None,
    ticket: str | None = None,
) -> list[Record]:
    """Book model calls, one line each."""
    return [
        BookUsage(
            id=new_id(),
            customer=customer,
            session=session,
            turn=turn,
            branch=branch,
            purpose=call.purpose,
            model=call.model,
            requests=call.usage.requests,
            input_tokens=call.usage.input_tokens,
            cached_tokens=call.usage.cached_tokens,
            output_tokens=call.usage.output_tokens,
            reasoning_tokens=call.usage.reasoning_tokens,
            cost_nano=cost_nano(prices, call),
            estimated=int(call.estimated),
            at=call.at,
            ticket=ticket,
        )
        for call in calls
    ]


async def usage_of_customer(store: Store, *customers: str) -> UsageSum:
    """All that these customers used together."""
    return sum([_first(await store.read(UsageOfCustomer(each))) for each in customers], UsageSum())


async def usage_of_session(store: Store, session: bytes) -> UsageSum:
    """All a session used, whoever spoke."""
    return _first(await store.read(UsageOfSession(session)))


async def usage_by_turn(store: Store, session: bytes) -> dict[str, UsageSum]:
    """What each turn of a session used, by the turn's id; '' for what belongs to no turn."""
    return {row.key: usage_sum(row) for row in await store.read(UsageByTurn(session))}


def usage_sum(row: UsageRow | LedgerRow | PlacedRow) -> UsageSum:
    """Read a sum."""
    usage = Usage(
        row.requests, row.input_tokens, row.cached_tokens, row.output_tokens, row.reasoning_tokens, row.cost_nano
    )
    return UsageSum(row.calls, usage, row.unpriced, row.estimated)


def money(total: UsageSum, prices: PriceSettings) -> str:
    """Write a sum as money, for staff: `USD 0.0123`. Calls without a price are named, never counted as free."""
    text = f"{prices.currency} {amount(total.usage.cost_nano)}"
    if not total.unpriced:
        return text
    calls = "1 call" if total.unpriced == 1 else f"{total.unpriced:,} calls"
    return f"{text} and {calls} without a price"


def amount(nano: int) -> str:
    """Write 1e-9 units whole: four decimals, more where it takes more."""
    whole, rest = divmod(nano, 10**9)
    decimals = f"{rest:09}"
    return f"{whole:,}.{decimals[:4]}{decimals[4:].rstrip('0')}"


def tokens(total: UsageSum) -> str:
    """Write a sum as tokens, for customers."""
    usage = total.usage
    return f"{usage.total_tokens:,} tokens ({usage.input_tokens:,} in, {usage.output_tokens:,} out)"


def _first(rows: Sequence[UsageRow]) -> UsageSum:
    return usage_sum(rows[0]) if rows else UsageSum()
