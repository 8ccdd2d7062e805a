"""Who is one person: customers of several platforms who proved it, each with a key and an identity of their own.

What ties them stands in the sealed row of each, so it goes with their keys, and the version of the row guards it.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace

from core.customers import customer_records, open_customer
from core.errors import ErasedError
from core.models import Customer, Histories
from core.ports import Sealer, Store
from core.queries.people import CustomerById, CustomerRow
from core.records.record import Record

MOST_LINKED = 8
"""Customers that may be one person."""


async def others_of(store: Store, sealer: Sealer, customer: Customer) -> list[Customer]:
    """The others who are the same person, oldest first. Who was forgotten meanwhile is not among them."""
    found = [await customer_of(store, sealer, other) for other in sorted(customer.links)]
    return [each for each in found if each is not None]


async def customer_of(store: Store, sealer: Sealer, id_: str) -> Customer | None:
    """The customer of an id; None where nothing is kept of them."""
    rows = await store.read(CustomerById(id_))
    with suppress(ErasedError):
        if rows and rows[0].body:
            await sealer.prepare((id_,))
            return open_customer(rows[0], sealer)
    return None


async def everyone_of(store: Store, sealer: Sealer, id_: str) -> tuple[str, ...]:
    """The ids of all who are the person of a customer, that one first, and of whom anything is kept."""
    customer = await customer_of(store, sealer, id_)
    if customer is None:
        return (id_,)
    return (id_, *(each.id for each in await others_of(store, sealer, customer)))


async def rows_of(store: Store, sealer: Sealer, person: CustomerRow) -> list[CustomerRow]:
    """The rows of all who are one person, the given one first."""
    ids = await everyone_of(store, sealer, person.id)
    return [person, *[row for id_ in ids[1:] for row in await store.read(CustomerById(id_))]]


def tie(ones: Sequence[Customer], others: Sequence[Customer], histories: Histories) -> list[Customer]:
    """Make one person of two."""
    tied = [_tied(each, others, histories) for each in ones]
    return [*tied, *(_tied(each, ones, histories) for each in others)]


def untie(leaving: Customer, others: Sequence[Customer]) -> list[Customer]:
    """Let one go from the others, who stay one person."""
    stay = [replace(each, links={id_: how for id_, how in each.links.items() if id_ != leaving.id}) for each in others]
    return [replace(leaving, links={}), *stay]


def tied_records(customers: Sequence[Customer], sealer: Sealer) -> list[Record]:
    """Write who is one person, refused with ChangedError where any of them was changed meanwhile."""
    return [record for each in customers for record in customer_records(each, sealer)]


def _tied(customer: Customer, others: Sequence[Customer], histories: Histories) -> Customer:
    return replace(customer, links=customer.links | {other.id: histories for other in others})
