"""What an operator sets besides the desk itself: a section of `desk.toml` for each platform that has something to set.

The desk is handed all of it and looks at its own settings only.
"""

from typing import Annotated

from pydantic import Field

from core.config import Settings
from core.section import Section

_Limit = Annotated[int, Field(ge=0, le=10_000)]


class DiscordSection(Section):
    """How the bot behaves on Discord: where all is for it, what it reads, how many threads one person may have (0: no
    limit)."""

    support: tuple[str, ...] = ()
    content: bool = True
    open_threads: _Limit = 3
    stream_after: float = Field(default=0.7, ge=0, le=600)


class AllSettings(Settings):
    """The desk's settings, and those of the platforms."""

    discord: DiscordSection = DiscordSection()
