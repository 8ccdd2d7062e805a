"""What the groups of commands share: how a command is added, how one reads a store, and how it answers."""

import argparse
import asyncio
import contextlib
import json
from collections.abc import Awaitable, Callable, Iterator
from typing import TYPE_CHECKING, TypeVar

from core.errors import ConfigError

if TYPE_CHECKING:
    from rich.console import RenderableType

    from bots.assemble import Records

    Commands = argparse._SubParsersAction[argparse.ArgumentParser]

FAILED = 1
Options = argparse.Namespace
ValueT = TypeVar("ValueT")


def group(commands: "Commands", name: str, about: str) -> "Commands":
    parser = commands.add_parser(name, help=about, description=about)
    return parser.add_subparsers(required=True, metavar="COMMAND")


def command(commands: "Commands", name: str, about: str, run: Callable[[Options], int]) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser(name, help=about, description=about)
    parser.set_defaults(run=run)
    return parser


def reading_command(
    commands: "Commands", name: str, about: str, run: Callable[[Options], int]
) -> argparse.ArgumentParser:
    parser = command(commands, name, about, run)
    parser.add_argument("--json", action="store_true", help="write JSON")
    return parser


@contextlib.contextmanager
def extra(name: str) -> Iterator[None]:
    """Name the extra to install where a library is missing that only some need."""
    try:
        yield
    except ModuleNotFoundError as error:
        raise ConfigError(
            f"{error.name} is not installed: install deskmate with its extra, deskmate[{name}]"
        ) from error


def from_store(read: Callable[["Records"], Awaitable[ValueT]]) -> ValueT:
    from bots.assemble import open_records
    from bots.settings import read_settings

    async def opened() -> ValueT:
        async with open_records(read_settings()) as records:
            return await read(records)

    return asyncio.run(opened())


def write(options: Options, value: ValueT, show: "Callable[[ValueT], RenderableType]") -> None:
    if options.json:
        print(json.dumps(value, indent=2))
        return
    from rich.console import Console

    Console(highlight=False).print(show(value))
