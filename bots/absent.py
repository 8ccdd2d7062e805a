"""The platforms a process does not speak: it works their events, and leaves what is said there to those who do."""

from collections.abc import Sequence

from core.absent import AbsentPlatform
from core.ports import Platform


def absent_platforms(spoken: Sequence[Platform]) -> list[AbsentPlatform]:
    """Make those that are not among `spoken`. No library of a platform is needed for it."""
    from adapters.discord.render import split as split_for_discord
    from adapters.discord.wanting import want
    from adapters.slack.render import split as split_for_slack
    from adapters.terminal.render import split as split_for_terminal

    known = (
        AbsentPlatform("slack", split_for_slack),
        AbsentPlatform("discord", split_for_discord, want, writes_directly=True),
        AbsentPlatform("terminal", split_for_terminal),
    )
    names = {platform.name for platform in spoken}
    return [platform for platform in known if platform.name not in names]
