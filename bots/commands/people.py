"""Commands for and about one person."""

from typing import TYPE_CHECKING

from bots.commands.common import Options, command, from_store, group, reading_command, write

if TYPE_CHECKING:
    from bots.commands.common import Commands

PERSON = "a customer id, or platform/workspace/user"


def add(commands: "Commands") -> None:
    forget = reading_command(commands, "forget", "forget a person for good, with their key; prints a receipt", _forget)
    forget.add_argument("person", metavar="PERSON", help=PERSON)
    forget.add_argument("--yes", action="store_true", help="do not ask")
    export = command(commands, "export", "write all that is kept of a person to a file, as JSON", _export)
    export.add_argument("person", metavar="PERSON", help=PERSON)
    export.add_argument("file", metavar="FILE", help="a new file, or - for the terminal")
    _add_hold(group(commands, "hold", "legal holds: what is kept of a person on hold is not deleted"))

    _add_link(group(commands, "link", "customers who proved that they are one person"))
    run = reading_command(
        group(commands, "retention", "what is kept for how long"),
        "run",
        "delete what `[retention]` in desk.toml says is old, as a serving desk does each hour",
        _retain,
    )
    run.add_argument("--dry-run", action="store_true", help="only count what would go")


def _add_hold(hold: "Commands") -> None:
    reading_command(hold, "list", "list who is on hold, and why", _list_holds)
    for name, about in (("add", "put a person on hold"), ("remove", "end the hold on a person")):
        one = reading_command(hold, name, about, _hold)
        one.add_argument("person", metavar="PERSON", help=PERSON)
        one.add_argument("--reason", default="", help="why; kept in the audit log")
        one.set_defaults(ends=name == "remove")


def _add_link(link: "Commands") -> None:
    listed = reading_command(link, "list", "list who a person is on the platforms, and as which customers", _identities)
    listed.add_argument("person", metavar="PERSON", help=PERSON)
    ended = reading_command(link, "remove", "let a customer go from the others who are the same person", _unlink)
    ended.add_argument("person", metavar="PERSON", help=PERSON)
    ended.add_argument("--reason", default="", help="why; kept in the audit log")


def _identities(options: Options) -> int:
    from bots import people, tables

    write(options, from_store(lambda records: people.identified(records, options.person)), tables.identities)
    return 0


def _unlink(options: Options) -> int:
    from bots import people, tables

    found = from_store(lambda records: people.unlink(records, options.person, reason=options.reason))
    write(options, found, tables.unlinked)
    return 0


def _forget(options: Options) -> int:
    from bots import people, tables

    sure = options.yes or people.is_sure(options.person)
    write(options, from_store(lambda records: people.forget(records, options.person, sure=sure)), tables.forgotten)
    return 0


def _export(options: Options) -> int:
    from bots import people
    from bots.exports import write_lines

    from_store(lambda records: write_lines(options.file, people.exported(records, options.person)))
    if options.file != "-":
        print(f"All that is kept of {options.person} is in {options.file}.")
    return 0


def _retain(options: Options) -> int:
    from bots import people, tables

    write(options, from_store(lambda records: people.retained(records, dry=options.dry_run)), tables.retained)
    return 0


def _list_holds(options: Options) -> int:
    from bots import people, tables

    write(options, from_store(people.holds), tables.holds)
    return 0


def _hold(options: Options) -> int:
    from bots import people, tables

    found = from_store(lambda records: people.hold(records, options.person, reason=options.reason, ends=options.ends))
    write(options, found, tables.hold)
    return 0
