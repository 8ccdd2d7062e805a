"""A thread of ours as it is noted: planned, begun, opened, archived; and what is said where there may be none."""

from dataclasses import dataclass

from adapters.discord.api import NO_ACCESS, NOT_PERMITTED, TOO_MANY_THREADS, WRONG_CHANNEL

PUBLIC, PRIVATE = 11, 12
NOT_HERE = {NO_ACCESS, NOT_PERMITTED, WRONG_CHANNEL, TOO_MANY_THREADS}
"""Why there may be no thread in a channel: then the conversation stands in the channel, as replies."""
GRANT = (
    "I may not open a thread here, so I answer here: reply to me to go on. Whoever manages the server can allow it in "
    "this channel's settings, Permissions, Create Public Threads."
)
DIRECTLY = (
    "I may not open a private thread here, so I answered you directly. Whoever manages the server can allow it in this "
    "channel's settings, Permissions, Create Private Threads."
)
WITHOUT = "I cannot open a thread here, so I answer here: reply to me to go on."


@dataclass(frozen=True, slots=True)
class Thread:
    """A thread of ours: below which message, or in private for whom; `id` is None until it is known.

    `begun` says that a private one may have been made already, `opened` that it is there with all that belongs to it,
    `live` that it is not archived, `replaced` that there may be none: `id` is then the channel in which the
    conversation stands instead, `apart` that it is below no message, though all may read it.
    """

    conversation: str
    guild: str
    parent: str
    by: str
    said: str
    private: bool = False
    id: str | None = None
    begun: bool = False
    opened: bool = False
    live: bool = True
    replaced: bool = False
    apart: bool = False

    @property
    def kind(self) -> str:
        """What Discord calls it."""
        return "Private" if self.private else "Public"

    @property
    def below(self) -> bool:
        """Whether it is below a message, which gives it its id."""
        return not (self.private or self.apart)


def below(conversation: str, *, guild: str, parent: str, by: str, said: str) -> Thread:
    """A thread below a message, which gives it its id."""
    return Thread(conversation, guild, parent, by, said, id=conversation)


def in_private(conversation: str, *, guild: str, parent: str, by: str, said: str) -> Thread:
    """A thread that only somebody and the staff read."""
    return Thread(conversation, guild, parent, by, said, private=True)


def apart(conversation: str, *, guild: str, parent: str, by: str, said: str) -> Thread:
    """A thread below no message, which all may read who read the channel."""
    return Thread(conversation, guild, parent, by, said, apart=True)
