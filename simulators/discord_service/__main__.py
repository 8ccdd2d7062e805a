"""Run `python -m simulators.discord_service`: a guild on loopback, with Alice, Bob and #general."""

import argparse
import asyncio
import contextlib

from simulators.console import read_and_watch
from simulators.discord_service.console import HELP, Console
from simulators.discord_service.service import DiscordService


async def serve(port: int) -> None:
    """Serve until the input ends."""
    async with DiscordService(port=port) as service:
        await read_and_watch(Console(service), welcome(service))


def welcome(service: DiscordService) -> str:
    """Tell how an app is pointed here."""
    return (
        f"A Discord on loopback. Start your app with\n\n"
        f"  DISCORD_API_BASE={service.api_base}\n"
        f"  DISCORD_GATEWAY={service.gateway_url}\n"
        f"  DISCORD_TOKEN={service.token}\n\n"
        f"and type here what people do:\n\n{HELP}"
    )


def main() -> None:
    """Read the options and serve."""
    parser = argparse.ArgumentParser(prog="python -m simulators.discord_service", description=__doc__)
    parser.add_argument("--port", type=int, default=8911, help="where to listen on 127.0.0.1 (0: any free port)")
    options = parser.parse_args()
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(serve(options.port))


if __name__ == "__main__":
    main()
