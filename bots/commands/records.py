"""Commands that show what a desk keeps, also while it serves."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from bots.commands import bill
from bots.commands.common import FAILED, Options, command, from_store, group, reading_command, write
from core.errors import BadInputError

if TYPE_CHECKING:
    from bots.commands.common import Commands


def add(commands: "Commands") -> None:
    sessions = group(commands, "sessions", "conversations")
    reading_command(sessions, "list", "list all sessions", _read("sessions"))
    for where, name in ((sessions, "show"), (commands, "review")):
        show = reading_command(where, name, "show a session with its turns; the audit log keeps that you did", _review)
        show.add_argument("id", metavar="ID")
        show.add_argument("--reason", default="", help="why you need to read it; kept in the audit log")
    _add_search(commands)
    tickets = group(commands, "tickets", "support cases")
    reading_command(tickets, "list", "list all tickets", _read("tickets"))
    show = reading_command(tickets, "show", "show a ticket with its timeline", _show_ticket)
    show.add_argument("id", metavar="ID")
    show.add_argument("--workspace", help="whose ticket, where several workspaces have one of that number")
    bill.add(commands)
    _add_audit(group(commands, "audit", "who read and did what"))


def _add_search(commands: "Commands") -> None:
    search = reading_command(
        commands, "search", "find words in everybody's conversations; the audit log keeps that you did", _search
    )
    search.add_argument("words", nargs="*", metavar="WORD", help="each has to begin a word that was said or answered")
    search.add_argument("--customer", default="", metavar="PERSON", help="a customer id, or platform/workspace/user")
    search.add_argument("--ticket", default="", metavar="TKT-ID", help="turns that opened or changed it, or its own")
    search.add_argument("--since", default="", metavar="TIME", help="a day or a time of UTC, such as 2026-01-31T10:30")
    search.add_argument("--before", default="", metavar="TIME", help="the same, or the turn a search came to")
    search.add_argument("--workspace", help="one workspace only")
    search.add_argument("--reason", default="", help="why you search; kept in the audit log")


def _add_audit(audit: "Commands") -> None:
    reading_command(audit, "list", "show the audit log", _read("audit"))
    reading_command(audit, "verify", "check that no line was changed, added or taken away", _verify_audit)
    export = command(
        audit, "export", "write the whole log as lines of JSON, with the links of its chain", _export_audit
    )
    export.add_argument("file", metavar="FILE", help="a new file, or - for the terminal")


def _read(what: str) -> Callable[[Options], int]:
    def run(options: Options) -> int:
        from bots import reading, tables

        write(options, from_store(getattr(reading, what)), getattr(tables, what))
        return 0

    return run


def _verify_audit(options: Options) -> int:
    from bots import reading, tables

    found = from_store(reading.audit_verdict)
    write(options, found, tables.audit_verdict)
    return 0 if found["holds"] else FAILED


def _export_audit(options: Options) -> int:
    from bots import reading
    from bots.exports import write_lines

    count = from_store(lambda records: write_lines(options.file, reading.audit_export(records)))
    if options.file != "-":
        print(f"{count} lines are in {options.file}.")
    return 0


def _review(options: Options) -> int:
    from bots import reading, tables

    if not options.reason.strip():
        raise BadInputError("say why you need to read it, with --reason: the audit log keeps it")
    found = from_store(lambda records: reading.session(records, options.id, reason=options.reason))
    write(options, found, tables.session)
    return 0


def _search(options: Options) -> int:
    from bots import searching, tables
    from core.search_args import OPTIONS, Wanted

    if not options.reason.strip():
        raise BadInputError("say why you search, with --reason: the audit log keeps it")
    wanted = Wanted(" ".join(options.words), **{name: getattr(options, name) for name in OPTIONS})
    write(
        options,
        from_store(lambda records: searching.search(records, wanted, workspace=options.workspace)),
        tables.found,
    )
    return 0


def _show_ticket(options: Options) -> int:
    from bots import reading, tables

    found = from_store(lambda records: reading.ticket(records, options.id, workspace=options.workspace))
    write(options, found, tables.ticket)
    return 0
