"""What `deskmate discord` is told by its environment. How it behaves there is a section of `desk.toml`."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from bots.settings import given_here
from core.errors import ConfigError

DISCORD, GATEWAY_OF_DISCORD = "https://discord.com/api/v10", "wss://gateway.discord.gg"
PORTAL = "https://discord.com/developers/applications"
"""Where apps are made and set up."""

TOKEN, API_BASE, GATEWAY = "DISCORD_TOKEN", "DISCORD_API_BASE", "DISCORD_GATEWAY"  # noqa: S105 - names, not tokens
SHARDS = "DISCORD_SHARDS"
VARIABLES = (TOKEN, API_BASE, GATEWAY, SHARDS)

_SHARDS = re.compile(r"(\d{1,5}(?:,\d{1,5})*)/(\d{1,5})")

WHERE_TOKENS_ARE = f"open your application at {PORTAL}, then Bot > Reset Token, and copy it"
WHERE_CONTENT_IS = f"turn on Message Content Intent at {PORTAL}, your application, Bot > Privileged Gateway Intents"


@dataclass(frozen=True, slots=True)
class DiscordSettings:
    """The bot's token, where Discord is, if not where it always is, and which shards of how many are served here."""

    token: str = field(repr=False)
    api_base: str | None = None
    gateway: str | None = None
    shards: tuple[int, ...] = ()
    shard_count: int | None = None


def read_discord_settings(environ: Mapping[str, str] | None = None, folder: Path = Path()) -> DiscordSettings:
    """Read what is needed. Raises ConfigError that says where to find what is missing."""
    given = {name: text.strip() for name, text in given_here(environ, folder).items() if name in VARIABLES}
    token = given.get(TOKEN, "")
    if not token:
        raise ConfigError(f"{TOKEN} is not set: {WHERE_TOKENS_ARE}")
    if token.split() != [token]:
        raise ConfigError(f"{TOKEN} has a blank in it: give the token alone, without `Bot` before it")
    shards, count = _shards(given.get(SHARDS))
    return DiscordSettings(
        token=token,
        shards=shards,
        shard_count=count,
        api_base=_address(given, API_BASE, schemes=("https://", "http://"), example=DISCORD),
        gateway=_address(given, GATEWAY, schemes=("wss://", "ws://"), example=GATEWAY_OF_DISCORD),
    )


def _shards(text: str | None) -> tuple[tuple[int, ...], int | None]:
    """Read `0,1/4`: shards 0 and 1 of 4."""
    if text is None:
        return (), None
    read = _SHARDS.fullmatch("".join(text.split()))
    shards = tuple(map(int, read[1].split(","))) if read else ()
    count = int(read[2]) if read else 0
    if not shards or max(shards) >= count or len(set(shards)) < len(shards):
        raise ConfigError(f"{SHARDS} is {text!r}: write those served here and how many there are, such as 0,1/4")
    return shards, count


def names_discord(environ: Mapping[str, str] | None = None, folder: Path = Path()) -> bool:
    """Whether a token of Discord's is set."""
    return TOKEN in given_here(environ, folder)


def _address(given: Mapping[str, str], name: str, *, schemes: tuple[str, str], example: str) -> str | None:
    url = given.get(name)
    if url is not None and not url.startswith(schemes):
        raise ConfigError(f"{name} is {url!r}: it has to begin with {schemes[0]}, as {example} does")
    return url.rstrip("/") if url else None
