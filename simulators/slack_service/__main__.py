"""Run `python -m simulators.slack_service`: a workspace on loopback, with Alice, Bob and #general."""

import argparse
import asyncio
import contextlib

from simulators.console import read_and_watch
from simulators.slack_service.console import HELP, Console
from simulators.slack_service.service import SlackService


async def serve(port: int, http: str | None) -> None:
    """Serve until the input ends."""
    async with SlackService(port=port) as service:
        if http:
            service.deliver_to(http)
        await read_and_watch(Console(service), welcome(service))


def welcome(service: SlackService) -> str:
    """Tell how an app is pointed here."""
    return (
        f"A Slack on loopback. Start your app with\n\n"
        f"  SLACK_API_URL={service.api_url}\n"
        f"  SLACK_BOT_TOKEN={service.bot_token}\n"
        f"  SLACK_APP_TOKEN={service.app_token}\n"
        f"  SLACK_SIGNING_SECRET={service.signing_secret}\n\n"
        f"and type here what people do:\n\n{HELP}"
    )


def main() -> None:
    """Read the options and serve."""
    parser = argparse.ArgumentParser(prog="python -m simulators.slack_service", description=__doc__)
    parser.add_argument("--port", type=int, default=8910, help="where to listen on 127.0.0.1 (0: any free port)")
    parser.add_argument("--http", metavar="URL", help="deliver events to this URL instead of over Socket Mode")
    options = parser.parse_args()
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(serve(options.port, options.http))


if __name__ == "__main__":
    main()
