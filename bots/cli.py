"""`deskmate`: one command for all there is. What a command needs is imported when it runs: most of it takes seconds."""

import argparse
import asyncio
import contextlib
import importlib.metadata
import json
import logging
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

from core.errors import BadInputError, ConfigError, DeskError

if TYPE_CHECKING:
    from rich.console import RenderableType

    from bots.assemble import Records

    Commands = argparse._SubParsersAction[argparse.ArgumentParser]

FAILED, INTERRUPTED = 1, 130
Options = argparse.Namespace
ValueT = TypeVar("ValueT")


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code. What goes wrong is one line on stderr, never a traceback."""
    _open_standard_files()
    if sys.stdout is None:  # type: ignore[redundant-expr,unused-ignore]  # it was closed before the start
        return _fail("the standard output is closed: nobody could read an answer")
    options = _parser().parse_args(argv)
    _log(verbose=options.verbose)
    try:
        code: int = options.run(options)
        sys.stdout.flush()
    except KeyboardInterrupt:
        return _fail("interrupted", code=INTERRUPTED)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _fail("nobody reads the output any more")
    except (DeskError, OSError) as error:
        return _fail(str(error))
    except Exception as error:
        return _fail_by_mistake(error, verbose=options.verbose)
    return code


# --- what can be said -------------------------------------------------------------------------------------------------


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="deskmate", description="A support desk that remembers whom it talks to.")
    parser.add_argument("--version", action=_Version, help="show the version and leave")
    parser.add_argument("-v", "--verbose", action="store_true", help="log more, with tracebacks")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    _add_chat(commands)
    _command(commands, "demo", "two days of a support desk in under a minute, offline", _demo)
    _add_slack(commands)
    _command(commands, "discord", "serve people on Discord", _discord)
    serve = _command(commands, "serve", "serve people on every platform that is set up, with one desk", _serve)
    serve.add_argument("--http", metavar="HOST:PORT", dest="listen", help="listen here for Slack, without Socket Mode")
    doctor = _reading(commands, "doctor", "check store, keys and model, and say what to do", _doctor)
    doctor.add_argument("--slack", action="store_true", help="check the Slack app too: tokens, scopes, connection")
    doctor.add_argument("--discord", action="store_true", help="check the Discord app too: token, intents, permissions")
    _add_records(commands)
    _reading(commands, "migrate", "bring the store to the newest schema", _migrate)
    return parser


def _add_chat(commands: "Commands") -> None:
    chat = _command(commands, "chat", "talk to the desk in this terminal", _chat)
    chat.add_argument("--user", metavar="ID", help="who you are (default: your account's name)")
    chat.add_argument("--name", help="what to call you")
    chat.add_argument("--tier", help="your tier, such as premium")
    chat.add_argument("--channel", help="talk in a channel that others read, instead of in private")
    chat.add_argument("--thread", help="talk in a thread")
    chat.add_argument("--jsonl", action="store_true", help="read and write lines of JSON instead")


def _add_slack(commands: "Commands") -> None:
    slack = _command(commands, "slack", "serve people in a Slack workspace", _slack)
    slack.set_defaults(run=_slack)
    slack.add_argument("--http", metavar="HOST:PORT", dest="listen", help="listen here instead of using Socket Mode")
    parts = slack.add_subparsers(metavar="[manifest]")
    manifest = _command(parts, "manifest", "print the app's manifest, to be pasted into Slack", _slack_manifest)
    manifest.add_argument("--http", metavar="URL", help="for a desk that Slack reaches at this address")
    manifest.add_argument("--plain", action="store_true", help="for a workspace without Slack's agent surface")


def _add_records(commands: "Commands") -> None:
    sessions = _group(commands, "sessions", "conversations")
    _reading(sessions, "list", "list all sessions", _read("sessions"))
    show = _reading(sessions, "show", "show a session with its turns; the audit log keeps that you did", _show_session)
    show.add_argument("id", metavar="ID")
    show.add_argument("--reason", default="", help="why you need to read it; kept in the audit log")
    tickets = _group(commands, "tickets", "support cases")
    _reading(tickets, "list", "list all tickets", _read("tickets"))
    show = _reading(tickets, "show", "show a ticket with its timeline", _show_ticket)
    show.add_argument("id", metavar="ID")
    show.add_argument("--workspace", help="whose ticket, where several workspaces have one of that number")
    _reading(commands, "usage", "show what each customer used", _read("usage"))
    _reading(_group(commands, "audit", "who read and did what"), "list", "show the audit log", _read("audit"))


def _group(commands: "Commands", name: str, about: str) -> "Commands":
    parser = commands.add_parser(name, help=about, description=about)
    return parser.add_subparsers(required=True, metavar="COMMAND")


def _command(commands: "Commands", name: str, about: str, run: Callable[[Options], int]) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser(name, help=about, description=about)
    parser.set_defaults(run=run)
    return parser


def _reading(commands: "Commands", name: str, about: str, run: Callable[[Options], int]) -> argparse.ArgumentParser:
    parser = _command(commands, name, about, run)
    parser.add_argument("--json", action="store_true", help="write JSON")
    return parser


class _Version(argparse.Action):
    """Looks the version up when it is asked for."""

    def __init__(self, option_strings: Sequence[str], dest: str, help: str) -> None:
        super().__init__(option_strings, dest, nargs=0, help=help)

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> NoReturn:
        try:
            version = importlib.metadata.version("deskmate")
        except importlib.metadata.PackageNotFoundError:
            version = "(run from a folder, not installed)"
        print(f"deskmate {version}")
        parser.exit()


# --- what is done -----------------------------------------------------------------------------------------------------


def _chat(options: Options) -> int:
    # From here on, not from where the desk is open: its import takes seconds, in which there is nothing to give back.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    from bots.settings import read_settings
    from bots.terminal import Speaker, run_chat, run_jsonl

    settings = read_settings()
    if options.jsonl:
        return run_jsonl(settings)
    return run_chat(settings, Speaker(options.user, options.name, options.tier, options.channel, options.thread))


def _slack(options: Options) -> int:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    from bots.settings import read_settings
    from bots.slack_settings import read_slack_settings

    settings, slack = read_settings(), read_slack_settings(http=options.listen is not None)
    with _extra("slack"):
        from bots.slackbot import run_slack
    return run_slack(settings, slack, options.listen)


def _discord(_: Options) -> int:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    from bots.discord_settings import read_discord_settings
    from bots.settings import read_settings

    settings, discord = read_settings(), read_discord_settings()
    with _extra("discord"):
        from bots.discordbot import run_discord
    return run_discord(settings, discord)


def _serve(options: Options) -> int:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    from bots.platforms import configured_parts
    from bots.serving import run_parts
    from bots.settings import read_settings

    settings = read_settings()
    return run_parts(settings, configured_parts(settings, options.listen, _extra))


def _slack_manifest(options: Options) -> int:
    from adapters.slack.manifest import manifest
    from adapters.slack.manifest_yaml import to_yaml

    print(to_yaml(manifest(url=options.http, plain=options.plain)), end="")
    return 0


@contextlib.contextmanager
def _extra(name: str) -> Iterator[None]:
    """Name the extra to install where a library is missing that only some need."""
    try:
        yield
    except ModuleNotFoundError as error:
        raise ConfigError(
            f"{error.name} is not installed: install deskmate with its extra, deskmate[{name}]"
        ) from error


def _demo(_: Options) -> int:
    from bots import demo

    code: int = demo.main()
    return code


def _doctor(options: Options) -> int:
    from bots import tables
    from bots.doctor import examine
    from bots.settings import read_settings

    findings = asyncio.run(examine(read_settings()))
    if options.slack:
        with _extra("slack"):
            from bots.slack_doctor import examine_slack
        asyncio.run(examine_slack(findings))
    if options.discord:
        with _extra("discord"):
            from bots.discord_doctor import examine_discord
        asyncio.run(examine_discord(findings))
    _write(options, findings.value(), tables.doctor)
    return 0 if findings.ok else FAILED


def _migrate(options: Options) -> int:
    from bots.doctor import schema_number

    async def read(records: "Records") -> dict[str, Any]:
        # To open a store is to migrate it.
        return {"store": records.settings.store, "schema": schema_number()}

    found = _from_store(read)
    _write(options, found, lambda _: f"{found['store']} is at schema {found['schema']}, the newest.")
    return 0


def _read(what: str) -> Callable[[Options], int]:
    def run(options: Options) -> int:
        from bots import reading, tables

        _write(options, _from_store(getattr(reading, what)), getattr(tables, what))
        return 0

    return run


def _show_session(options: Options) -> int:
    from bots import reading, tables

    if not options.reason.strip():
        raise BadInputError("say why you need to read it, with --reason: the audit log keeps it")
    found = _from_store(lambda records: reading.session(records, options.id, reason=options.reason))
    _write(options, found, tables.session)
    return 0


def _show_ticket(options: Options) -> int:
    from bots import reading, tables

    found = _from_store(lambda records: reading.ticket(records, options.id, workspace=options.workspace))
    _write(options, found, tables.ticket)
    return 0


def _from_store(read: Callable[["Records"], Awaitable[ValueT]]) -> ValueT:
    from bots.assemble import open_records
    from bots.settings import read_settings

    async def opened() -> ValueT:
        async with open_records(read_settings()) as records:
            return await read(records)

    return asyncio.run(opened())


def _write(options: Options, value: ValueT, show: "Callable[[ValueT], RenderableType]") -> None:
    if options.json:
        print(json.dumps(value, indent=2))
        return
    from rich.console import Console

    Console(highlight=False).print(show(value))


# --- what goes wrong --------------------------------------------------------------------------------------------------


def _fail(message: str, *, code: int = FAILED) -> int:
    with contextlib.suppress(OSError):
        print(f"deskmate: {' '.join(message.split())}", file=sys.stderr)
    return code


def _fail_by_mistake(error: BaseException, *, verbose: bool) -> int:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    if isinstance(error, DeskError | OSError):
        return _fail(str(error))
    if verbose:
        logging.getLogger(__name__).error("this should not happen", exc_info=error)
    return _fail(f"this should not happen: {type(error).__name__}; run it again with -v to see where")


def _open_standard_files() -> None:
    # Where one is closed, the next file that is opened would get its number, and be written to as if it were a pipe.
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="replace")


def _log(*, verbose: bool) -> None:
    handler = logging.StreamHandler()
    handler.setFormatter(
        logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s") if verbose else _OneLine()
    )
    logging.basicConfig(handlers=[handler], level=logging.INFO if verbose else logging.WARNING)


class _OneLine(logging.Formatter):
    """A line for each record: of an error its kind and place, not its words, which may be somebody's."""

    def format(self, record: logging.LogRecord) -> str:
        line = f"deskmate: {record.getMessage()}"
        error = record.exc_info[1] if record.exc_info else None
        return f"{line} ({type(error).__name__}; -v shows where)" if error else line


if __name__ == "__main__":
    sys.exit(main())
