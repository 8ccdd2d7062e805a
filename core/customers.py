"""Customers: who is served and billed, found by the identities they have on platforms."""

import logging
from dataclasses import dataclass

from core.config import TierSettings
from core.errors import ErasedError
from core.ids import new_id
from core.models import ConversationRef, Customer, Profile
from core.ports import Sealer, Store
from core.queries.people import CustomerById, CustomerOfIdentity, CustomerRow, IdentitiesOf
from core.records.guards import CustomerAt
from core.records.people import AddCustomer, AddIdentity, PutCustomer
from core.records.record import Record
from core.sealed import open_json, row_of, seal_json
from core.session_ids import escape

log = logging.getLogger(__name__)

MAX_NAME = 80
"""Characters of a name that are kept; what is longer is not a name."""
MAX_TOLD = 254
"""Characters of an e-mail address, a locale or a time zone that are kept."""

_TOLD = ("email", "locale", "timezone")
"""What is told of a person besides name and tier: empty until a platform tells it."""

# Not printable by themselves, but part of how names are written (Persian, Indic scripts, emoji).
_JOINERS = "\u200c\u200d"


@dataclass(frozen=True, slots=True)
class Identity:
    """Who a customer is on a platform."""

    platform: str
    workspace: str
    user: str

    def __str__(self) -> str:
        return "/".join(escape(part) for part in (self.platform, self.workspace, self.user))


def identity_of(ref: ConversationRef) -> Identity:
    """The identity that speaks in `ref`."""
    return Identity(ref.platform, ref.workspace, ref.user)


def identity_key(sealer: Sealer, ref: ConversationRef) -> bytes:
    """The keyed hash under which the speaker's identity is kept."""
    return sealer.lookup("identity", str(identity_of(ref)))


async def find_customer(store: Store, sealer: Sealer, ref: ConversationRef) -> Customer | None:
    """The customer who speaks in `ref`; None where nobody knows the identity yet."""
    rows = await store.read(CustomerOfIdentity(identity_key(sealer, ref)))
    return open_customer(rows[0], sealer) if rows else None


async def new_customer(
    sealer: Sealer, ref: ConversationRef, profile: Profile, *, tiers: TierSettings, at: int
) -> tuple[Customer, list[Record]]:
    """Make a customer of who speaks in `ref`, with a key of their own that is durable when this returns.

    The records are refused with ConflictError where somebody else made the same customer meanwhile.
    """
    customer = Customer(new_id(), ref.workspace, name=_one_line(ref.user), tier=tiers.default, version=1)
    apply_profile(customer, profile, tiers)
    customer.changed = False
    await sealer.prepare((customer.id,))
    return customer, [
        AddCustomer(customer.id, customer.workspace, at, seal_customer(customer, sealer)),
        identity_row(sealer, customer.id, identity_of(ref), at),
    ]


def open_customer(row: CustomerRow, sealer: Sealer) -> Customer:
    """Read a customer's row."""
    value = open_json(sealer, "customer", row.id, row.id, row.body)
    told = {name: value.get(name, "") for name in _TOLD}
    told["links"] = value.get("links", {})
    return Customer(row.id, row.workspace, value["name"], value["tier"], row.version, value["preferences"], **told)


def apply_profile(customer: Customer, profile: Profile, tiers: TierSettings) -> bool:
    """Take over what a platform tells of a person; say whether that changed something. An unknown tier is ignored."""
    name = _one_line(profile.name or "") or customer.name
    told = {key: _one_line(getattr(profile, key) or "", MAX_TOLD) or getattr(customer, key) for key in _TOLD}
    tier = customer.tier
    if profile.tier in tiers.names:
        tier = profile.tier
    elif profile.tier is not None:
        log.warning("customer %s: the platform told a tier that is not configured; it is ignored", customer.id)
    if (name, tier, told) == (customer.name, customer.tier, _told_of(customer)):
        return False
    customer.name, customer.tier, customer.changed = name, tier, True
    for key, value in told.items():
        setattr(customer, key, value)
    return True


def customer_records(customer: Customer, sealer: Sealer) -> list[Record]:
    """Write a changed customer, refused with ChangedError where somebody else changed them meanwhile."""
    return [CustomerAt(customer.id, customer.version), PutCustomer(customer.id, seal_customer(customer, sealer))]


async def identities(store: Store, sealer: Sealer, customer_id: str) -> list[Identity]:
    """The identities a customer has, for staff."""
    rows = await store.read(IdentitiesOf(customer_id))
    return [Identity(**open_json(sealer, "identity", row.customer, row_of(row.key), row.body)) for row in rows]


async def tier_of(store: Store, sealer: Sealer, customer_id: str) -> str:
    """The tier of a customer; '' for who is none, or was forgotten."""
    for row in await store.read(CustomerById(customer_id)):
        try:
            return open_customer(row, sealer).tier
        except ErasedError:
            break
    return ""


def seal_customer(customer: Customer, sealer: Sealer) -> bytes:
    """Seal what is kept of a customer; their key must be prepared."""
    value = {"name": customer.name, "tier": customer.tier, "preferences": customer.preferences, **_told_of(customer)}
    value |= {"links": customer.links} if customer.links else {}
    return seal_json(sealer, "customer", customer.id, customer.id, value)


def _told_of(customer: Customer) -> dict[str, str]:
    return {key: getattr(customer, key) for key in _TOLD}


def _one_line(name: str, most: int = MAX_NAME) -> str:
    printable = "".join(letter if letter.isprintable() or letter in _JOINERS else " " for letter in name)
    return " ".join(printable.split())[:most].rstrip()


def identity_row(sealer: Sealer, customer: str, identity: Identity, at: int) -> AddIdentity:
    """Let a customer have an identity; refused with ConflictError where it is somebody's already."""
    key = sealer.lookup("identity", str(identity))
    value = {"platform": identity.platform, "workspace": identity.workspace, "user": identity.user}
    return AddIdentity(key, customer, at, seal_json(sealer, "identity", customer, row_of(key), value))
