"""How long what is kept of whom: as their tier says, else as all are; for ever while somebody of it is on hold."""

from datetime import timedelta

from core.customers import tier_of
from core.keeping_settings import Kept, RetentionSettings
from core.legal_holds import all_held
from core.ports import Sealer, Store

DAY = timedelta(days=1) // timedelta(microseconds=1)


class Terms:
    """What may go at a time: all that is older than `before` says."""

    def __init__(
        self, store: Store, sealer: Sealer, retention: RetentionSettings, *, at: int, held: frozenset[str]
    ) -> None:
        """`held` are the people on hold, with all who are the same person; see `terms_at`."""
        self.retention = retention
        self.held = held
        self._store = store
        self._sealer = sealer
        self._at = at
        self._tiers: dict[str, str] = {}

    async def before(self, kind: Kept, customer: str) -> int:
        """The time before which something of a customer may go; 0 where it is kept."""
        if customer in self.held:
            return 0
        days = self.retention.days(kind, await self.tier_of(customer))
        return self._before(days) if days else 0

    def limits(self, kind: Kept) -> list[int]:
        """All times that `before` may give, but 0."""
        return sorted(map(self._before, self.retention.limits(kind)))

    async def tier_of(self, customer: str) -> str:
        """The tier of a customer; '' for who is none, or was forgotten."""
        if customer not in self._tiers:
            self._tiers[customer] = await tier_of(self._store, self._sealer, customer)
        return self._tiers[customer]

    def _before(self, days: int) -> int:
        return self._at - days * DAY


async def terms_at(store: Store, sealer: Sealer, retention: RetentionSettings, *, at: int) -> Terms:
    """The terms of a time, with the holds there are."""
    held = frozenset(await all_held(store, sealer))
    return Terms(store, sealer, retention, at=at, held=held)
