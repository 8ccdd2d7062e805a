"""What a commit is made of: one frozen record per statement a store knows, in the order a batch runs them.

A store maps each class to its statement by name (`AddTurn` -> `-- name: AddTurn`), its fields to parameters of the same
names. Guards come first: when the condition one stands for no longer holds, the whole commit is refused. Parents come
before children. `bytes` fields named `body`, `before`, `after` or `sent` are sealed, all others are keyed hashes.
Times are microseconds since 1970 UTC. The tables are described in the schema beside each store.
"""

from core.records import bill, erasing, guards, lanes, log, outbox, people, tickets, turns
from core.records.record import Record

RECORDS: tuple[type[Record], ...] = tuple(
    each
    for module in (guards, people, lanes, turns, tickets, bill, erasing, outbox, log)
    for each in vars(module).values()
    if isinstance(each, type) and issubclass(each, Record) and each.__module__ == module.__name__
)
"""Every record, in the order a batch runs them: module by module, each in the order of its file."""
