"""What an operator sets, checked once at the start. Only `bots` reads the environment and files."""

import re
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Literal, TypeVar

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator

from core.errors import ConfigError
from core.keeping_settings import RetentionSettings
from core.masking_settings import PersonalDataSettings
from core.pace_settings import PaceSettings
from core.section import Section

Role = Literal["customer", "agent", "supervisor", "admin"]
"""What somebody may do; everybody is a customer unless told otherwise."""
Operation = Literal[
    "own",  # everything in one's own conversations
    "review",  # read somebody else's conversation, with a reason
    "search",  # find something in everybody's conversations, with a reason
    "undo_others",  # take back or clear what others said
    "staff_ticket",  # see and change anybody's tickets
    "tickets_list",
    "sessions_list",
    "see_money",
    "usage_list",  # everybody's usage
    "audit_read",
    "export_person",  # all that is kept of somebody else, with a reason
    "operate",  # keys, retention, forgetting, holds
]
"""What a role may do, or not."""
StrategyName = Literal["user", "conversation", "ticket", "device"]
"""What a session stands for."""
GROUP = "@"
"""What stands before a group's id where a role is given to a group of a platform instead of a person."""
MAX_TEXT = 16_000
"""Characters of one message; longer ones are refused."""

SECRETS = ("master_key", "openai_api_key")
"""Settings that no message shows and no file of an operator's holds."""

SettingsT = TypeVar("SettingsT", bound="Settings")
_HOST = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)+", re.IGNORECASE | re.ASCII)
_Tokens = Annotated[int, Field(ge=100, le=1_000_000)]


class Specialist(Section):
    """An agent the first one hands over to: when, and how it works."""

    description: str = Field(min_length=1)
    instructions: str = Field(min_length=1)


def _default_specialists() -> dict[str, Specialist]:
    return {
        "billing": Specialist(
            description="Invoices, payments, refunds and prices.",
            instructions="You handle invoices, payments and refunds. Give amounts and invoice numbers exactly.",
        ),
        "technical": Specialist(
            description="Errors, outages, set-up and integrations.",
            instructions="You handle technical trouble. Ask for what you need to reproduce it, one question at a time.",
        ),
    }


class AgentSettings(Section):
    """Who answers. `instructions` say what the desk is about; the rules of safety are added by the desk itself.

    `link_hosts`, and the hosts the instructions name, are those that answers may link to.
    """

    name: str = Field(default="Deskmate", min_length=1, max_length=80)
    instructions: str = "You are the support desk. You are friendly, exact and brief."
    specialists: dict[str, Specialist] = Field(default_factory=_default_specialists)
    max_model_calls: int = Field(default=12, ge=1, le=100)
    blocked_phrases: tuple[str, ...] = ()
    link_hosts: tuple[str, ...] = ()

    @field_validator("link_hosts")
    @classmethod
    def _hosts_are_names(cls, hosts: tuple[str, ...]) -> tuple[str, ...]:
        for host in hosts:
            if not _HOST.fullmatch(host):
                raise ValueError(f"{host!r} must be the name of a host alone, such as 'help.example.com'")
        return hosts

    @field_validator("specialists")
    @classmethod
    def _names_are_words(cls, specialists: dict[str, Specialist]) -> dict[str, Specialist]:
        for name in specialists:
            if not name.isidentifier() or name == "triage":
                raise ValueError(f"{name!r} must be one word of letters, digits and _, and not 'triage'")
        return specialists


class TierSettings(Section):
    """The tiers customers may have, and the one of a customer nobody said anything of."""

    names: tuple[str, ...] = ("free", "standard", "premium", "enterprise")
    default: str = "standard"

    @model_validator(mode="after")
    def _default_is_a_tier(self) -> "TierSettings":
        if self.default not in self.names:
            raise ValueError(f"default {self.default!r} must be one of names {list(self.names)}")
        return self


class StrategySettings(Section):
    """What a session stands for: in a place only one person reads, and in a thread or channel."""

    direct: StrategyName = "user"
    thread: StrategyName = "conversation"


class SessionSettings(Section):
    """How much of a session the model sees, and when a pause starts it afresh (0 hours: never)."""

    window_tokens: _Tokens = 8_000
    idle_hours: int = Field(default=0, ge=0, le=24 * 3660)


class Price(Section):
    """What a million tokens of a model cost, in the currency of the table, as decimal text.

    `since` (`from` in a file) is the day it holds from, in UTC; where it is left out it always did.
    """

    since: date | None = Field(default=None, alias="from")
    input: Decimal = Field(ge=0)
    output: Decimal = Field(ge=0)
    cached: Decimal | None = Field(default=None, ge=0)


def _default_prices() -> dict[str, tuple[Price, ...]]:
    return {"offline": (Price(input=Decimal(0), output=Decimal(0)),)}


class PriceSettings(Section):
    """The price table: `models` maps a model's name to its prices; one that is not there is booked in tokens only."""

    currency: str = Field(default="USD", min_length=3, max_length=3)
    models: dict[str, tuple[Price, ...]] = Field(default_factory=_default_prices)

    @field_validator("models", mode="before")
    @classmethod
    def _one_price_is_a_list_of_one(cls, models: Any) -> Any:  # noqa: ANN401 - whatever a file holds
        if not isinstance(models, dict):
            return models
        return {name: told if isinstance(told, list | tuple) else [told] for name, told in models.items()}

    @field_validator("models")
    @classmethod
    def _days_differ(cls, models: dict[str, tuple[Price, ...]]) -> dict[str, tuple[Price, ...]]:
        for name, prices in models.items():
            days = [price.since for price in prices]
            if not days or len(set(days)) < len(days):
                raise ValueError(f"{name!r} needs a price, and each of its prices a `from` of its own")
        return models

    def price_of(self, model: str, day: date) -> Price | None:
        """The price of a model on a day: the newest that holds by then; None where there is none."""
        held = [price for price in self.models.get(model, ()) if price.since is None or price.since <= day]
        return max(held, key=lambda price: price.since or date.min, default=None)


_Amount = Annotated[Decimal, Field(ge=0, max_digits=18, decimal_places=9)]


class Budget(Section):
    """The most that may be used in a day and in a month, in UTC: tokens, and money of the price table's currency."""

    day_tokens: int | None = Field(default=None, ge=0, le=10**15)
    month_tokens: int | None = Field(default=None, ge=0, le=10**15)
    day_money: _Amount | None = None
    month_money: _Amount | None = None

    @property
    def has_money(self) -> bool:
        """Whether it says anything in money."""
        return self.day_money is not None or self.month_money is not None


class BudgetSettings(Section):
    """What may be used: by each customer, by each customer of a tier instead, by all of a workspace together.

    People are told once a period when `warn_percent` of it is used. A call is reserved with `answer_tokens` for its
    answer, before anybody knows how long that is.
    """

    warn_percent: int = Field(default=80, ge=1, le=100)
    answer_tokens: int = Field(default=1_000, ge=1, le=1_000_000)
    customer: Budget = Budget()
    tiers: dict[str, Budget] = Field(default_factory=dict)
    workspace: Budget = Budget()

    def of_customer(self, tier: str) -> Budget:
        """What one customer of a tier may use: what the tier says, else what is said of each customer."""
        return self.customer.model_copy(update=self.tiers.get(tier, Budget()).model_dump(exclude_none=True))

    @property
    def has_money(self) -> bool:
        """Whether any of them says anything in money."""
        return any(budget.has_money for budget in (self.customer, self.workspace, *self.tiers.values()))


class WorkSettings(Section):
    """How the desk works: turns at once, seconds of a lane's lease, attempts before an event is parked.

    With 0 turns at once a process works nothing itself: others on the same store have to.
    """

    turns_at_once: int = Field(default=64, ge=0, le=4096)
    lease_seconds: float = Field(default=30.0, gt=0, le=3600)
    attempts: int = Field(default=3, ge=1, le=20)
    model_retries: int = Field(default=2, ge=0, le=10)
    turn_seconds: float = Field(default=300.0, gt=0, le=3600)
    unknown_delivery: Literal["hold", "repost"] = "hold"
    undo_shows: Literal["line", "removed"] = "line"


class AuditSettings(Section):
    """Where the end of the audit log is kept outside the store, and after how many lines each time.

    `anchor` is a file; where it is empty that one stands beside a store that is one file.
    """

    anchor: str = ""
    anchor_every: int = Field(default=1, ge=1, le=100_000)


class LinkingSettings(Section):
    """Whose identities may be one customer: those of two platforms, of two workspaces as well, or nobody's."""

    across: Literal["platforms", "workspaces", "nothing"] = "platforms"


class Settings(Section):
    """Everything an operator can set; each has a line in the README and `.env.example` or `desk.example.toml`."""

    store: str = "memory:"
    store_seconds: float = Field(default=30.0, gt=0, le=3600)
    keyring: str | None = None
    master_key: SecretStr | None = None
    master_key_command: str | None = None
    model: str | None = None
    openai_api_key: SecretStr | None = None
    openai_base_url: str | None = None
    staff_channel: str | None = None
    openai_api: Literal["responses", "chat_completions"] = "responses"
    metrics: str = ""
    log: Literal["text", "json"] = "text"
    agent: AgentSettings = AgentSettings()
    tiers: TierSettings = TierSettings()
    strategies: StrategySettings = StrategySettings()
    session: SessionSettings = SessionSettings()
    retention: RetentionSettings = RetentionSettings()
    prices: PriceSettings = PriceSettings()
    budgets: BudgetSettings = BudgetSettings()
    pace: PaceSettings = PaceSettings()
    audit: AuditSettings = AuditSettings()
    linking: LinkingSettings = LinkingSettings()
    personal_data: PersonalDataSettings = PersonalDataSettings()
    work: WorkSettings = WorkSettings()
    roles: dict[str, Role] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _named_tiers_are_there(self) -> "Settings":
        named = [*(("budgets", tier) for tier in self.budgets.tiers)]
        named += (("retention", tier) for tier in self.retention.tiers)
        named += (("pace", tier) for tier in self.pace.tiers)
        for section, tier in named:
            if tier not in self.tiers.names:
                raise ValueError(f"{section}.tiers.{tier}: must be one of tiers.names {list(self.tiers.names)}")
        return self

    @field_validator("staff_channel")
    @classmethod
    def _staff_channel_is_a_place(cls, channel: str | None) -> str | None:
        if channel is not None and (len(channel.split("/")) != 3 or not all(channel.split("/"))):
            raise ValueError(f"{channel!r} must be platform/workspace/channel, such as 'slack/T0123/C0456'")
        return channel

    @field_validator("roles")
    @classmethod
    def _roles_name_identities(cls, roles: dict[str, Role]) -> dict[str, Role]:
        for identity in roles:
            if len(identity.split("/")) != 3 or not all(identity.split("/")):
                raise ValueError(
                    f"{identity!r} must be platform/workspace/user, such as 'terminal/local/alice', "
                    f"or platform/workspace/{GROUP}group, such as 'discord/42/{GROUP}99'"
                )
        return roles


def check_settings(values: dict[str, Any], names: Mapping[str, str] | None = None) -> Settings:
    """Make settings from plain values; ConfigError names each wrong one, what was found and what is allowed.

    `names` says how a setting is called where it was found: `{"work.attempts": "DESK_WORK__ATTEMPTS"}`.
    """
    return check_settings_as(Settings, values, names)


def check_settings_as(
    kind: type[SettingsT], values: dict[str, Any], names: Mapping[str, str] | None = None
) -> SettingsT:
    """The same for settings that have more sections than the desk's own."""
    try:
        return kind.model_validate(values)
    except ValidationError as error:
        raise ConfigError("; ".join(_say(problem, names or {}) for problem in error.errors())) from None


def _say(
    problem: Any,  # noqa: ANN401 - pydantic's own shape
    names: Mapping[str, str],
) -> str:
    path = ".".join(str(part) for part in problem["loc"])
    name = names.get(path, path) or "settings"
    if problem["type"] == "extra_forbidden":
        return f"{name}: no such setting (look at desk.example.toml for those there are)"
    found, secret = problem["input"], path in SECRETS
    shown = f", found {found!r}" if isinstance(found, str | int | float) and not secret else ""
    return f"{name}: {problem['msg'].removeprefix('Value error, ')}{shown}"
