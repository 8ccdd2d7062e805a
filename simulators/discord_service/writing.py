"""Messages out of what a call asks for."""

from dataclasses import dataclass

from simulators.discord_service import limits
from simulators.discord_service.errors import invalid
from simulators.discord_service.mentions import Allowed
from simulators.discord_service.model import Channel, Json, Message
from simulators.discord_service.world import World

SUPPRESS_EMBEDS, EPHEMERAL, LOADING, SUPPRESS_NOTIFICATIONS = 1 << 2, 1 << 6, 1 << 7, 1 << 12
SENDABLE_FLAGS = SUPPRESS_EMBEDS | SUPPRESS_NOTIFICATIONS
CHANGEABLE = ("content", "embeds", "components")


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that came with a call."""

    number: str
    name: str
    content: bytes


def compose(world: World, channel: Channel, body: Json, uploads: tuple[Upload, ...] = ()) -> Message:
    """Make the app's message of what a call asks for, or refuse."""
    limits.check_message(body)
    limits.check_not_empty(body, files=bool(uploads))
    nonce = body.get("nonce")
    message = Message(world.ids.new(), channel.id, world.app.id, body.get("content") or "", sent=world.clock())
    message.embeds = embeds_of(body)
    message.components = numbered(body.get("components") or [])
    message.attachments = [attach(world, channel.id, upload.name, upload.content) for upload in uploads]
    message.flags = int(body.get("flags") or 0) & SENDABLE_FLAGS
    message.nonce = None if nonce is None else str(nonce)
    message.application = world.app.id
    return message


def changes_of(world: World, message: Message, body: Json, uploads: tuple[Upload, ...] = ()) -> Json:
    """Give what an edit changes, or refuse."""
    limits.check_message(body)
    changes: Json = {name: body[name] or ([] if name != "content" else "") for name in CHANGEABLE if name in body}
    if "embeds" in changes:
        changes["embeds"] = embeds_of(body)
    if "components" in changes:
        changes["components"] = numbered(changes["components"])
    if "attachments" in body or uploads:
        asked = body.get("attachments")
        kept = {str(each["id"]) for each in asked} if asked is not None else None
        old = [each for each in message.attachments if kept is None or each["id"] in kept]
        new = [attach(world, message.channel, upload.name, upload.content) for upload in uploads]
        changes["attachments"] = [*old, *new]
    if body.get("flags") is not None:
        changes["flags"] = (message.flags & ~SUPPRESS_EMBEDS) | (int(body["flags"]) & SUPPRESS_EMBEDS)
    left = {name: changes.get(name, getattr(message, name)) for name in CHANGEABLE}
    limits.check_not_empty(left, files=bool(changes.get("attachments", message.attachments) or message.stickers))
    return changes


def embeds_of(body: Json) -> list[Json]:
    """Give the embeds as they are kept."""
    return [{"type": "rich"} | embed for embed in body.get("embeds") or []]


def numbered(rows: list[Json]) -> list[Json]:
    """Give components the ids Discord gives them."""
    numbers = iter(range(1, 1000))
    return [
        row | {"id": next(numbers), "components": [each | {"id": next(numbers)} for each in row["components"]]}
        for row in rows
    ]


def attach(world: World, channel: str, name: str, content: bytes, *, kind: str = "text/plain") -> Json:
    """Keep a file and give the attachment that leads to it."""
    id_ = world.ids.new()
    path = f"/attachments/{channel}/{id_}/{name}"
    world.files[path] = content
    url = f"{world.base_url}{path}"
    return {"id": id_, "filename": name, "size": len(content), "url": url, "proxy_url": url, "content_type": kind}


def allowed_in(body: Json, default: Allowed | None = None) -> Allowed:
    """Read whom a call allows to be called; by default everybody."""
    given = body.get("allowed_mentions")
    return Allowed.read(given) if given is not None or default is None else default


def reference_of(world: World, channel: Channel, asked: Json) -> Json:
    """Read what a message replies to; refuse a message that is not there, unless the call says not to."""
    id_ = str(asked["message_id"])
    if id_ in channel.messages:
        place = {"channel_id": channel.id} | ({"guild_id": channel.guild} if channel.guild else {})
        return place | {"type": 0, "message_id": id_}
    if asked.get("fail_if_not_exists", True):
        raise invalid("message_reference", "REPLIES_UNKNOWN_MESSAGE", "Unknown message")
    return {}
