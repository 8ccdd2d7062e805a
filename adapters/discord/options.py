"""What an operator chooses for Discord, and where Discord is."""

from collections.abc import Callable
from dataclasses import dataclass

from core.models import ConversationRef


@dataclass(frozen=True, slots=True)
class Aim:
    """Where Discord is, if not where it always is: the REST API's base, and the gateway's address.

    `shards` are those of `shard_count` whose events come to this process; all of them where none are named.
    """

    api_base: str | None = None
    gateway: str | None = None
    shards: tuple[int, ...] = ()
    shard_count: int | None = None


def nobody(_: ConversationRef) -> bool:
    """Nobody is staff."""
    return False


@dataclass(frozen=True, slots=True)
class Options:
    """How the app behaves in servers.

    `support` are names or ids of channels and forums where all is for the desk; `is_staff` says whose messages there
    open nothing. `content` says whether to ask for the intent to read
    messages. At most `open_threads` for each person, 0 for no limit. An answer that is not there after `stream_after`
    seconds is streamed.
    """

    support: frozenset[str] = frozenset()
    is_staff: Callable[[ConversationRef], bool] = nobody
    content: bool = True
    open_threads: int = 3
    stream_after: float = 0.7
