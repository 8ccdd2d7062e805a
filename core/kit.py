"""The parts of a desk that its modules share."""

from dataclasses import dataclass, field

from core.audit_chain import Anchor
from core.budgets import Budgets
from core.config import Settings
from core.counted import NoMetrics
from core.history import Histories
from core.personal.masking import PersonalData
from core.places import Places
from core.ports import Metrics, Sealer, Store
from core.summing import Summaries
from core.turnstile import Turnstile
from core.writer import GroupWriter


@dataclass(frozen=True, slots=True)
class Kit:
    """What the desk was given, and what it made of that once. Nothing here is opened or closed by who uses it.

    `stand_in` says that no language model answers, and that people are to be told so; `anchor` keeps where the audit
    log ends.
    """

    settings: Settings
    store: Store
    sealer: Sealer
    writer: GroupWriter
    places: Places
    histories: Histories
    summaries: Summaries
    personal: PersonalData
    turnstile: Turnstile
    budgets: Budgets
    stand_in: bool = False
    metrics: Metrics = field(default_factory=NoMetrics)
    anchor: Anchor | None = None
