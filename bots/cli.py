"""`deskmate`: one command for all there is. What a command needs is imported when it runs: most of it takes seconds."""

import argparse
import contextlib
import importlib.metadata
import logging
import os
import sys
from collections.abc import Sequence
from typing import NoReturn

from bots import logs
from bots.commands import care, keys, moving, people, records, serving
from bots.commands.common import FAILED
from core.errors import DeskError

INTERRUPTED = 130


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code. What goes wrong is one line on stderr, never a traceback."""
    _open_standard_files()
    if sys.stdout is None:  # type: ignore[redundant-expr,unused-ignore]  # it was closed before the start
        return _fail("the standard output is closed: nobody could read an answer")
    options = _parser().parse_args(argv)
    logs.set_up(verbose=options.verbose)
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


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="deskmate", description="A support desk that remembers whom it talks to.")
    parser.add_argument("--version", action=_Version, help="show the version and leave")
    parser.add_argument("-v", "--verbose", action="store_true", help="log more, with tracebacks")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    serving.add(commands)
    care.add_doctor(commands)
    records.add(commands)
    people.add(commands)
    keys.add(commands)
    moving.add(commands)
    care.add_fsck(commands)
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


if __name__ == "__main__":
    sys.exit(main())
