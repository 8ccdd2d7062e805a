"""What a store can be asked: one frozen question per statement, and the row each answer is made of.

As with records, a store maps a class to its statement by name and fields to parameters; the columns of the answer are
the fields of the row class, in order.
"""

from core.queries import bill, branches, counts, lanes, log, outbox, people, said, tickets, turns
from core.queries.query import Query

QUERIES: tuple[type[Query[object]], ...] = tuple(
    each
    for module in (people, lanes, turns, branches, said, tickets, bill, outbox, log, counts)
    for each in vars(module).values()
    if isinstance(each, type) and issubclass(each, Query) and each.__module__ == module.__name__
)
"""Every question."""
