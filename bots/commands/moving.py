"""Commands that bring a store up to date, and move a whole one: elsewhere, into a backup and out of it."""

import asyncio
from typing import TYPE_CHECKING, Any

from bots.commands.common import FAILED, Options, from_store, reading_command, write
from core.errors import BadInputError

if TYPE_CHECKING:
    from bots.assemble import Records
    from bots.commands.common import Commands


def add(commands: "Commands") -> None:
    migrate = reading_command(
        commands, "migrate", "bring the store to the newest schema; with --from and --to, move one elsewhere", _migrate
    )
    migrate.add_argument("--from", metavar="URL", dest="source", help="move this store; no desk may work it")
    migrate.add_argument("--to", metavar="URL", dest="target", help="into this one, which is new or empty")
    migrate.add_argument("--keyring-from", metavar="PLACE", help="the keyring of the store (default: beside it)")
    migrate.add_argument("--keyring-to", metavar="PLACE", help="where its copy is to be (default: beside the new one)")
    backup = reading_command(commands, "backup", "write a backup of the store, also while a desk serves it", _back_up)
    backup.add_argument("to", metavar="TO", help="the file to write; none may be there")
    restore = reading_command(commands, "restore", "write the store anew from a backup, and check it", _restore)
    restore.add_argument("backup", metavar="FROM", help="a file that `deskmate backup` wrote")
    restore.add_argument("--replace", action="store_true", help="a store that is there is kept aside under a name")
    taken = reading_command(commands, "import", "take in a person, or sessions of SQLite files", _import)
    taken.add_argument("file", metavar="FILE", help="of `deskmate export`, or of the Agents SDK's SQLite sessions")
    taken.add_argument("--session", metavar="ID", action="append", default=[], help="this one only; may be repeated")
    taken.add_argument("--as", metavar="ID", dest="as_", help="under this id; {} in it stands for the one it had")
    taken.add_argument("--dry-run", action="store_true", help="tell what would be taken in, and write nothing")


def _migrate(options: Options) -> int:
    if options.source is None and options.target is None:
        if options.keyring_from or options.keyring_to:
            raise BadInputError("--keyring-from and --keyring-to are for moving a store: give --from and --to too")
        return _bring_up(options)
    if options.source is None or options.target is None:
        raise BadInputError("to move a store give both --from and --to")
    from bots import moving, tables
    from bots.settings import read_settings

    keyring = (options.keyring_from, options.keyring_to)
    moved = asyncio.run(moving.move(options.source, options.target, keyring=keyring, settings=read_settings()))
    write(options, moved, tables.moved)
    return 0


def _bring_up(options: Options) -> int:
    from bots.doctor import schema_number
    from bots.settings import shown

    async def read(records: "Records") -> dict[str, Any]:
        # To open a store is to migrate it.
        return {"store": shown(records.settings.store), "schema": await schema_number(records)}

    found = from_store(read)
    write(options, found, lambda _: f"{found['store']} is at schema {found['schema']}, the newest.")
    return 0


def _back_up(options: Options) -> int:
    from bots import moving, tables
    from bots.settings import read_settings

    write(options, asyncio.run(moving.back_up(read_settings(), options.to)), tables.backed_up)
    return 0


def _restore(options: Options) -> int:
    from bots import moving, tables
    from bots.settings import read_settings

    write(
        options, asyncio.run(moving.restore(read_settings(), options.backup, replace=options.replace)), tables.restored
    )
    return 0


def _import(options: Options) -> int:
    from bots.importing import export_in

    exported = export_in(options.file)
    return _import_sessions(options) if exported is None else _import_person(options, exported)


def _import_person(options: Options, exported: object) -> int:
    from bots import people, tables

    if options.session or options.as_:
        raise BadInputError(f"{options.file} holds a person, not sessions: leave --session and --as out")
    found = from_store(lambda records: people.taken_in(records, exported, dry=options.dry_run))
    write(options, found, tables.taken_in)
    return 0


def _import_sessions(options: Options) -> int:
    from bots import importing, tables
    from bots.settings import read_settings

    take = importing.import_sessions(
        read_settings(), options.file, options.session, as_=options.as_, dry=options.dry_run
    )
    found = asyncio.run(take)
    write(options, found, tables.imported)
    return FAILED if any(one["outcome"] == "other" for one in found) else 0
