"""The copy of a store: table by table, then both sides are read in full and compared."""

from collections.abc import Callable
from dataclasses import dataclass

from adapters.storage.moving.tables import Digest, Table, TableReader, TableWriter, tables_at
from core.errors import StoreError

OnPage = Callable[[str, str, int], None]
"""Told what is done (`copied` or `compared`), with which table, and how many of its rows are through."""


@dataclass(frozen=True, slots=True)
class TableReport:
    """What both sides hold of a table: they are equal, or there would be no report."""

    table: str
    rows: int
    hash: str


async def copy_store(source: TableReader, target: TableWriter, on_page: OnPage) -> list[TableReport]:
    """Copy all there is, go on where a copy was cut off, verify by count and hash, and finish the target.

    Raises StoreError where the two differ; the target then stays unfinished.
    """
    tables = tables_at(source.schema)
    for table in tables:
        await _copy_table(source, target, table, on_page)
    counters = await source.counters()
    await target.count_on(counters)
    reports = [await _compare(source, target, table, on_page) for table in tables]
    if await target.counters() != counters:
        raise StoreError(f"{target.name} does not count on where {source.name} stopped: remove it and copy again")
    await target.finish()
    return reports


async def _copy_table(source: TableReader, target: TableWriter, table: Table, on_page: OnPage) -> None:
    after, done = await target.place(table), 0
    while rows := await source.page(table, after):
        await target.add(table, rows)
        after, done = table.key_of(rows[-1]), done + len(rows)
        on_page("copied", table.name, done)


async def _compare(source: TableReader, target: TableReader, table: Table, on_page: OnPage) -> TableReport:
    found = await _digest(target, table, on_page)
    expected = await _digest(source, table, on_page)
    if found != expected:
        raise StoreError(
            f"table {table.name} differs ({expected.rows} rows in {source.name}, {found.rows} in {target.name}): the "
            f"source was changed after the copy was begun; remove {target.name} and copy again"
        )
    return TableReport(table.name, found.rows, found.hex())


async def _digest(reader: TableReader, table: Table, on_page: OnPage) -> Digest:
    digest = Digest()
    after: tuple[None | int | str | bytes, ...] | None = None
    while rows := await reader.page(table, after):
        digest.add(rows)
        after = table.key_of(rows[-1])
        on_page("compared", table.name, digest.rows)
    return digest
