"""Listening at an address of this machine, as long as a bot serves."""

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import uvicorn
from starlette.applications import Starlette

from core.errors import ConfigError

Address = tuple[str, int]


def read_address(text: str, setting: str = "--http") -> Address:
    """Read HOST:PORT. Raises ConfigError, which names the setting."""
    host, _, port = text.rpartition(":")
    if not host or not port.isdecimal() or int(port) > 65_535:
        raise ConfigError(f"{setting} {text!r} is no HOST:PORT: write for example 127.0.0.1:3000")
    return host.strip("[]"), int(port)


class _Server(uvicorn.Server):
    """Leaves the signals to the bot: what was begun is given back before it ends."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@asynccontextmanager
async def listening(web: Starlette, address: Address, setting: str = "--http") -> AsyncIterator[None]:
    """Serve an app at an address, until left. Raises ConfigError where it cannot be listened at."""
    host, port = address
    try:
        taken = socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except OSError as error:
        raise ConfigError(f"{setting} {host}:{port} cannot be listened at: {error.strerror or error}") from error
    with taken:
        server = _Server(uvicorn.Config(web, lifespan="off", log_config=None, access_log=False))
        running = asyncio.create_task(server.serve(sockets=[taken]))
        try:
            yield
        finally:
            server.should_exit = True
            await running
