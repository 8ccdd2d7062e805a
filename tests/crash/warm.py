"""Warms this process up, so that a fork of it is a desk that has done its first turn's worth of getting ready.

Much that the SDK and pydantic need is made at its first use. Here that is a conversation with a desk in memory. When it
is over nothing is open, and no thread runs: from then on this process may fork.
"""

import asyncio
import importlib
import json
import os
import threading
from functools import cache

from adapters.terminal.app import JsonLines
from adapters.terminal.pipes import LineSink, read_lines
from bots.assemble import open_desk
from core.config import check_settings

_LINES = (
    {"type": "message", "id": "1", "user": "nobody", "text": "open a ticket: a first one"},
    {"type": "message", "id": "2", "user": "nobody", "text": "remember that my colour is blue"},
    {"type": "edit", "id": "3", "message": "2", "user": "nobody", "text": "summary"},
    {"type": "command", "id": "4", "user": "nobody", "command": "undo"},
    {"type": "command", "id": "5", "user": "nobody", "command": "redo"},
)


_COMMANDS = ("bots.doctor", "bots.reading", "bots.tables", "bots.terminal", "bots.slackbot", "bots.discordbot")
"""What the command line imports when it is needed."""


@cache
def warm_up() -> None:
    """Do once what every fork would have to do."""
    for name in _COMMANDS:
        importlib.import_module(name)
    asyncio.run(_talk())
    for thread in threading.enumerate():
        if thread is not threading.main_thread():
            thread.join(10)
    if threading.active_count() > 1:
        raise RuntimeError(f"threads still run, so this cannot fork: {threading.enumerate()}")


async def _talk() -> None:
    settings = check_settings({"store": "memory:", "model": "offline"})
    source, feed = os.pipe()
    os.write(feed, b"".join(json.dumps(line).encode() + b"\n" for line in _LINES))
    os.close(feed)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    async with LineSink(nowhere) as sink:
        lines = JsonLines(read_lines(source), sink)
        async with open_desk(settings, [lines], serving=False) as desk:
            await lines.run(desk)
    os.close(source)
    os.close(nowhere)
