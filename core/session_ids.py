"""Session ids: what a session stands for, written so that two different things never read the same.

    user          slack/T1/dm/U7
    conversation  slack/T1/thread/C2/1700000000.000100   slack/T1/channel/C2   (a place several people read)
                  slack/T1/dm/U7/D1/1700000000.000100    slack/T1/dm/U7/D1     (a place only this user reads)
                  discord/G1/thread/991                  (a thread that is a channel of its own)
    ticket        ticket/T1/TKT-1001                     (on every platform the same)
    device        slack/T1/device/D
    afresh        any of them with /~2, /~3 ... at the end

Every part is percent-escaped, `~` too, so that a part never looks like a separator or a generation.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache
from urllib.parse import quote, unquote

from core.config import StrategyName, StrategySettings
from core.errors import ConfigError, NoSuchSessionError
from core.models import ConversationRef

_ANY_PLATFORM = "ticket"


@dataclass(frozen=True, slots=True)
class SessionName:
    """What a session id says. A part is None where the session does not depend on it."""

    strategy: StrategyName
    workspace: str
    platform: str | None = None
    user: str | None = None
    channel: str | None = None
    thread: str | None = None
    ticket: str | None = None
    device: str | None = None
    generation: int = 1

    def __str__(self) -> str:
        parts = [_ANY_PLATFORM if self.platform is None else _platform(self.platform)]
        parts += [escape(self.workspace), *_tail(self)]
        return "/".join(parts) + (f"/~{self.generation}" if self.generation > 1 else "")


def session_id(ref: ConversationRef, strategy: StrategyName, *, generation: int = 1, ticket: str | None = None) -> str:
    """Write the id of the session that `ref` belongs to under a strategy; 'ticket' needs the ticket's name."""
    return str(name_of(ref, strategy, generation=generation, ticket=ticket))


def name_of(
    ref: ConversationRef, strategy: StrategyName, *, generation: int = 1, ticket: str | None = None
) -> SessionName:
    """Keep of a ref what the strategy's session stands for."""
    whole = SessionName(strategy, ref.workspace, ref.platform, generation=generation)
    match strategy:
        case "user":
            return replace(whole, user=ref.user)
        case "conversation":
            user = ref.user if ref.direct else None
            return replace(whole, user=user, channel=ref.channel, thread=ref.thread)
        case "ticket":
            if ticket is None:
                raise ConfigError("strategy 'ticket': a session needs the ticket it stands for")
            return replace(whole, platform=None, ticket=ticket)
        case "device":
            return replace(whole, device=_device(ref))


def ticket_session_id(workspace: str, ticket: str) -> str:
    """Write the id of the session that stands for a ticket."""
    return str(SessionName("ticket", workspace, ticket=ticket))


@lru_cache(maxsize=8192)
def parse(session_id: str) -> SessionName:
    """Read an id back. Raises NoSuchSessionError for what `session_id` never writes."""
    try:
        name = _read(session_id.split("/"))
    except (ValueError, IndexError):
        raise NoSuchSessionError from None
    if str(name) != session_id:
        raise NoSuchSessionError
    return name


def next_generation(session_id: str) -> str:
    """Write the id under which the same thing starts afresh."""
    name = parse(session_id)
    return str(replace(name, generation=name.generation + 1))


def ticket_of(session_id: str) -> str | None:
    """The name of the ticket a session stands for; None for every other session."""
    try:
        return parse(session_id).ticket
    except NoSuchSessionError:
        return None


def is_private(session_id: str) -> bool:
    """Whether only one user reads the session; False where that cannot be told from its id."""
    try:
        return parse(session_id).user is not None
    except NoSuchSessionError:
        return False


def strategy_for(ref: ConversationRef, strategies: StrategySettings) -> StrategyName:
    """Choose what a session stands for in this place, as configured."""
    strategy = strategies.direct if ref.direct else strategies.thread
    if strategy == "device":
        _device(ref)
    return strategy


def place_key(ref: ConversationRef, strategy: StrategyName = "conversation") -> str:
    """Name the place whose binding says which session it means now.

    A ticket's place is the conversation in which it was opened; every other is what the strategy stands for, so that
    `new` holds wherever the same user or device writes next.
    """
    return session_id(ref, "conversation" if strategy == "ticket" else strategy)


@lru_cache(maxsize=8192)
def escape(part: str) -> str:
    """Write a part so that it holds no separator, no `~` and no blank; nothing else reads the same."""
    return quote(part, safe="@:", errors="surrogatepass").replace("~", "%7E")


def _tail(name: SessionName) -> list[str]:
    match name.strategy:
        case "user":
            return ["dm", escape(name.user or "")]
        case "ticket":
            return [escape(name.ticket or "")]
        case "device":
            return ["device", escape(name.device or "")]
        case "conversation":
            return _conversation(name)


def _conversation(name: SessionName) -> list[str]:
    place = [escape(part) for part in (name.channel, name.thread) if part is not None]
    if name.user is not None:
        return ["dm", escape(name.user), *place]
    if name.thread is None:
        return ["channel", *place]
    # A thread that is a channel of its own (Discord) has one id for both.
    return ["thread", *(place[:1] if name.channel == name.thread else place)]


def _read(parts: list[str]) -> SessionName:
    generation = int(parts.pop()[1:]) if parts[-1].startswith("~") else 1
    platform, workspace, *tail = (unquote(part, errors="surrogatepass") for part in parts)
    if parts[0] == _ANY_PLATFORM:
        (ticket,) = tail
        return SessionName("ticket", workspace, ticket=ticket, generation=generation)
    kind, *place = tail
    fill = _KINDS.get((kind, len(place)))
    if fill is None:
        raise ValueError(kind)
    return fill(SessionName("conversation", workspace, platform, generation=generation), place)


_KINDS: dict[tuple[str, int], Callable[[SessionName, list[str]], SessionName]] = {
    ("dm", 1): lambda name, place: replace(name, strategy="user", user=place[0]),
    ("dm", 2): lambda name, place: replace(name, user=place[0], channel=place[1]),
    ("dm", 3): lambda name, place: replace(name, user=place[0], channel=place[1], thread=place[2]),
    ("channel", 1): lambda name, place: replace(name, channel=place[0]),
    ("thread", 1): lambda name, place: replace(name, channel=place[0], thread=place[0]),
    ("thread", 2): lambda name, place: replace(name, channel=place[0], thread=place[1]),
    ("device", 1): lambda name, place: replace(name, strategy="device", device=place[0]),
}


def _platform(platform: str) -> str:
    # A platform of that name must not read as a ticket's session.
    return "%74icket" if platform == _ANY_PLATFORM else escape(platform)


def _device(ref: ConversationRef) -> str:
    if ref.device is None:
        raise ConfigError(
            f"strategies: 'device' is chosen, but {ref.platform} names no device; allowed: user, conversation, ticket"
        )
    return ref.device
