"""Budgets: what a call of the model may take is reserved in the store before it, and settled after it."""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal

from core.clock import as_time, now
from core.config import Budget, Settings
from core.errors import ConfigError, OverBudgetError, SpentError
from core.model_name import model_name
from core.models import Customer, Usage
from core.ports import Store
from core.queries.bill import BudgetOf
from core.records.bill import ReserveBudget, SettleBudget
from core.usage import ModelCall, cost_nano
from core.writer import GroupWriter

log = logging.getLogger(__name__)

Span = Literal["day", "month"]
SPANS: tuple[Span, ...] = ("day", "month")
_ANEW = {"day": "today, and begins anew tomorrow (UTC)", "month": "this month, and begins anew with the next one (UTC)"}


@dataclass(frozen=True, slots=True)
class Cap:
    """The most that one counter may come to in a span."""

    counter: str
    whose: str
    span: Span
    tokens: int | None
    nano: int | None

    def overrun_by(self, tokens: int, nano: int) -> bool:
        """Whether a count is more than this allows."""
        return (self.tokens is not None and tokens > self.tokens) or (self.nano is not None and nano > self.nano)


@dataclass(frozen=True, slots=True)
class Hold:
    """What was reserved for a call, and on which counters, each in which period."""

    tokens: int
    nano: int
    counters: tuple[tuple[str, int], ...]


class Budgets:
    """Opens the purse of whoever a call is made for."""

    def __init__(self, settings: Settings, store: Store, writer: GroupWriter) -> None:
        """Raises ConfigError where budgets are in money and the model has no price: nothing would ever count."""
        self.settings = settings
        self.store = store
        self.writer = writer
        self.model = model_name(settings)
        priced = settings.prices.price_of(self.model, as_time(now()).date())
        if settings.budgets.has_money and priced is None:
            raise ConfigError(f"budgets: they are in money, and prices.models.{self.model} says no price for today")

    def purse_of(self, customer: Customer) -> "Purse":
        """What a customer may still use: of their own budget, and of their workspace's."""
        budgets = self.settings.budgets
        own = budgets.of_customer(customer.tier)
        caps = [
            *_caps(f"customer/{customer.person}", "What you may use of me", own),
            *_caps(f"workspace/{customer.workspace}", "What this workspace may use of me", budgets.workspace),
        ]
        return Purse(self, tuple(caps))


@dataclass(slots=True)
class Purse:
    """What may be used in one turn. `warning` is what the person is to be told of it, `notice` what staff are, and
    `is_empty` says whether a call of the model was refused for it."""

    budgets: Budgets
    caps: tuple[Cap, ...]
    warning: str = ""
    notice: str = ""
    is_empty: bool = False
    _calls: int = field(default=0)

    async def reserve(self, asked: int) -> Hold:
        """Reserve what a call that is asked so many tokens may take. Raises OverBudgetError where that is not left."""
        at, budgets = now(), self.budgets
        tokens = asked + budgets.settings.budgets.answer_tokens
        usage = Usage(1, asked, 0, budgets.settings.budgets.answer_tokens)
        nano = cost_nano(budgets.settings.prices, ModelCall(budgets.model, usage, at=at)) or 0
        records = [self._reservation(cap, at, tokens, nano) for cap in self.caps]
        try:
            answers = await budgets.writer.commit(tuple(records))
        except SpentError:
            self.is_empty = True
            raise OverBudgetError(reply=await self._refusal(at, tokens, nano)) from None
        self._calls += 1
        counted = [(int(str(rows[0][0])), int(str(rows[0][1]))) for rows in answers]
        self._warn([cap for cap, (_, crossings) in zip(self.caps, counted, strict=True) if crossings == 1])
        counters = [(cap.counter, period) for cap, (period, _) in zip(self.caps, counted, strict=True)]
        return Hold(tokens, nano, tuple(counters))

    def settle(self, hold: Hold, used: Usage) -> None:
        """Count what a call really used in the place of what was reserved. Nobody waits: it rides with a commit."""
        budgets = self.budgets
        nano = cost_nano(budgets.settings.prices, ModelCall(budgets.model, used)) or 0
        more = used.total_tokens - hold.tokens, nano - hold.nano
        budgets.writer.ride(tuple(SettleBudget(*counter, *more) for counter in hold.counters))

    def _reservation(self, cap: Cap, at: int, tokens: int, nano: int) -> ReserveBudget:
        percent = self.budgets.settings.budgets.warn_percent
        return ReserveBudget(
            counter=cap.counter,
            period=period_of(cap.span, at),
            tokens=tokens,
            nano=nano,
            most_tokens=cap.tokens,
            most_nano=cap.nano,
            warn_tokens=None if cap.tokens is None else cap.tokens * percent // 100,
            warn_nano=None if cap.nano is None else cap.nano * percent // 100,
        )

    def _warn(self, crossed: Sequence[Cap]) -> None:
        percent = self.budgets.settings.budgets.warn_percent
        for cap in crossed:
            span = "today" if cap.span == "day" else "this month"
            self.warning = f"({cap.whose} {span} is used up to {percent} percent.)"
            self.notice = f"The {cap.span} budget of a {cap.counter.partition('/')[0]} is used up to {percent} percent"
            log.info("%s", self.notice)

    async def _refusal(self, at: int, tokens: int, nano: int) -> str:
        spent = await self._first_spent(at, tokens, nano)
        used_up = f"{spent.whose} is used up for {_ANEW[spent.span]}"
        what = (
            "That was in the middle of this, so I stopped and changed nothing" if self._calls else "So I did not answer"
        )
        return f"{used_up}. {what}. Say `staff` and I open a ticket for our staff."

    async def _first_spent(self, at: int, tokens: int, nano: int) -> Cap:
        """Which of the budgets is used up; the first one where it is not any more."""
        for cap in self.caps:
            rows = await self.budgets.store.read(BudgetOf(cap.counter))
            counted = [row for row in rows if row.period >= period_of(cap.span, at)]
            if cap.overrun_by(tokens + sum(row.tokens for row in counted), nano + sum(row.nano for row in counted)):
                return cap
        return self.caps[0]


def period_of(span: str, at: int) -> int:
    """Number the day or month of a time, in UTC."""
    day = as_time(at)
    return day.toordinal() if span == "day" else day.year * 12 + day.month


def _caps(name: str, whose: str, budget: Budget) -> Iterator[Cap]:
    told = {"day": (budget.day_tokens, budget.day_money), "month": (budget.month_tokens, budget.month_money)}
    for span in SPANS:
        tokens, money = told[span]
        if tokens is not None or money is not None:
            yield Cap(f"{name}/{span}", whose, span, tokens, None if money is None else int(money * Decimal(10**9)))
