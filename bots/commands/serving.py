"""Commands that let people talk to a desk: in the terminal, on Slack, on Discord."""

import signal
import sys
from typing import TYPE_CHECKING

from bots.commands.common import Options, command, extra

if TYPE_CHECKING:
    from bots.commands.common import Commands


def add(commands: "Commands") -> None:
    _add_chat(commands)
    command(commands, "demo", "two days of a support desk in under a minute, offline", _demo)
    _add_slack(commands)
    command(commands, "discord", "serve people on Discord", _discord)
    serve = command(commands, "serve", "serve people on every platform that is set up, with one desk", _serve)
    serve.add_argument("--http", metavar="HOST:PORT", dest="listen", help="listen here for Slack, without Socket Mode")
    command(commands, "worker", "work what other processes on the same store accept", _worker)


def _add_chat(commands: "Commands") -> None:
    chat = command(commands, "chat", "talk to the desk in this terminal", _chat)
    chat.add_argument("--user", metavar="ID", help="who you are (default: your account's name)")
    chat.add_argument("--name", help="what to call you")
    chat.add_argument("--tier", help="your tier, such as premium")
    chat.add_argument("--channel", help="talk in a channel that others read, instead of in private")
    chat.add_argument("--thread", help="talk in a thread")
    chat.add_argument("--jsonl", action="store_true", help="read and write lines of JSON instead")


def _add_slack(commands: "Commands") -> None:
    slack = command(commands, "slack", "serve people in a Slack workspace", _slack)
    slack.set_defaults(run=_slack)
    slack.add_argument("--http", metavar="HOST:PORT", dest="listen", help="listen here instead of using Socket Mode")
    parts = slack.add_subparsers(metavar="[manifest]")
    manifest = command(parts, "manifest", "print the app's manifest, to be pasted into Slack", _slack_manifest)
    manifest.add_argument("--http", metavar="URL", help="for a desk that Slack reaches at this address")
    manifest.add_argument("--plain", action="store_true", help="for a workspace without Slack's agent surface")


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
    with extra("slack"):
        from bots.slackbot import run_slack
    return run_slack(settings, slack, options.listen)


def _discord(_: Options) -> int:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    from bots.discord_settings import read_discord_settings
    from bots.settings import read_settings

    settings, discord = read_settings(), read_discord_settings()
    with extra("discord"):
        from bots.discordbot import run_discord
    return run_discord(settings, discord)


def _serve(options: Options) -> int:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    from bots.platforms import configured_parts
    from bots.serving import run_parts
    from bots.settings import read_settings

    settings = read_settings()
    return run_parts(settings, configured_parts(settings, options.listen, extra))


def _worker(_: Options) -> int:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    from bots.settings import read_settings
    from bots.worker import run_worker

    return run_worker(read_settings())


def _slack_manifest(options: Options) -> int:
    from adapters.slack.manifest import manifest
    from adapters.slack.manifest_yaml import to_yaml

    print(to_yaml(manifest(url=options.http, plain=options.plain)), end="")
    return 0


def _demo(_: Options) -> int:
    from bots import demo

    code: int = demo.main()
    return code
