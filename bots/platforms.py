"""The platforms that are set up here, for `deskmate serve`."""

from collections.abc import Callable
from contextlib import AbstractContextManager

from bots.discord_settings import TOKEN, names_discord, read_discord_settings
from bots.sections import AllSettings
from bots.serving import Part
from bots.slack_settings import APP_TOKEN, BOT_TOKEN, names_slack, read_slack_settings
from core.errors import ConfigError

Extra = Callable[[str], AbstractContextManager[None]]
"""Names the extra to install where a library is missing."""


def configured_parts(settings: AllSettings, http: str | None, extra: Extra) -> list[Part]:
    """Make what serves on each platform that is set up, and say which are not. Raises ConfigError where none is."""
    on_slack, on_discord = names_slack(), names_discord()
    if http is not None and not on_slack:
        raise ConfigError(f"--http is for Slack, and {BOT_TOKEN} is not set")
    if not (on_slack or on_discord):
        raise ConfigError(
            f"no platform is set up: set {BOT_TOKEN} and {APP_TOKEN} for Slack, {TOKEN} for Discord, or both"
        )
    parts: list[Part] = []
    if on_slack:
        parts.append(_slack(settings, http, extra, beside_others=on_discord))
    if on_discord:
        parts.append(_discord(settings, extra))
    print(_about(on_slack=on_slack, on_discord=on_discord), flush=True)
    return parts


def _about(*, on_slack: bool, on_discord: bool) -> str:
    if on_slack and on_discord:
        return "Serving on Slack and on Discord."
    if on_slack:
        return f"Serving on Slack; not on Discord, where {TOKEN} is not set."
    return f"Serving on Discord; not on Slack, where {BOT_TOKEN} is not set."


def _slack(settings: AllSettings, http: str | None, extra: Extra, *, beside_others: bool) -> Part:
    given = read_slack_settings(http=http is not None)
    with extra("slack"):
        from bots.slackbot import SlackPart
    return SlackPart(settings, given, http, beside_others=beside_others)


def _discord(settings: AllSettings, extra: Extra) -> Part:
    given = read_discord_settings()
    with extra("discord"):
        from bots.discordbot import DiscordPart
    return DiscordPart(settings, given)
