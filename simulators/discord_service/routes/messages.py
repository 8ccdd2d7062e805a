"""Writing and reading messages."""

from itertools import islice

from simulators.discord_service import limits
from simulators.discord_service.context import Context
from simulators.discord_service.errors import RefusedError, invalid
from simulators.discord_service.happenings import SYSTEM
from simulators.discord_service.ids import seconds_of
from simulators.discord_service.model import FORUM, Channel, Json, Message
from simulators.discord_service.permissions import Permission
from simulators.discord_service.shapes import moment
from simulators.discord_service.writing import allowed_in, changes_of, compose, reference_of

TWO_WEEKS = 14 * 24 * 60 * 60


def post(context: Context) -> Json:
    """Post a message as the app. With `enforce_nonce` a repeat gives the first message and posts none."""
    channel = writable_channel(context)
    again = first_of_nonce(context)
    if again:
        return context.shown(again)
    message = composed(context, channel, context.body)
    if context.body.get("nonce") is not None:
        context.world.nonces[context.app, str(context.body["nonce"])] = (context.world.clock(), channel.id, message.id)
    context.happenings.post(message, allowed_in(context.body))
    return context.shown(message)


def change(context: Context) -> Json:
    """Change one of the app's own messages; of others' only what suppresses their embeds."""
    channel = context.channel()
    message = context.message(channel)
    if message.author != context.app or message.webhook:
        if set(context.body) - {"flags"}:
            raise RefusedError(50005)
        context.channel(Permission.MANAGE_MESSAGES)
    if message.type in SYSTEM:
        raise RefusedError(50021)
    refuse_archived(channel)
    changes = changes_of(context.world, message, context.body, context.uploads)
    return context.shown(context.happenings.edit(message, changes, allowed_in(context.body)))


def delete(context: Context) -> None:
    """Delete a message: the app's own, or as a moderator anybody's."""
    channel = context.channel()
    message = context.message(channel)
    if message.author != context.app or message.webhook:
        if not channel.guild:
            raise RefusedError(50003, status=403)
        context.channel(Permission.MANAGE_MESSAGES)
    refuse_archived(channel)
    context.happenings.delete(message)


def delete_many(context: Context) -> None:
    """Delete 2 to 100 messages at once; ids that lead nowhere do not matter, old messages do."""
    channel = context.channel(Permission.MANAGE_MESSAGES)
    ids = list(map(str, context.body.get("messages") or []))
    if not 2 <= len(ids) <= 100:
        raise RefusedError(50016)
    if any(context.world.clock() - seconds_of(id_) > TWO_WEEKS for id_ in ids):
        raise RefusedError(50034)
    context.happenings.delete_many(channel, [channel.messages[id_] for id_ in ids if id_ in channel.messages])


def read(context: Context) -> Json:
    """Give one message."""
    channel = context.channel(Permission.READ_MESSAGE_HISTORY)
    return context.shown(context.message(channel))


def history(context: Context) -> list[Json]:
    """Give messages, newest first; none without the permission to read back."""
    channel = context.channel()
    query = context.query
    limit = int(query.get("limit", 50))
    if not 1 <= limit <= 100:
        raise invalid("limit", "NUMBER_TYPE_MAX", "int value should be between 1 and 100.")
    if not context.world.may(context.app, channel, Permission.READ_MESSAGE_HISTORY):
        return []
    messages = list(channel.messages.values())
    if "around" in query:
        found = around(messages, int(query["around"]), limit)
    elif "after" in query:
        later = (each for each in messages if int(each.id) > int(query["after"]))
        found = list(islice(later, limit))
    else:
        end = int(query["before"]) if "before" in query else None
        earlier = (each for each in reversed(messages) if end is None or int(each.id) < end)
        found = list(islice(earlier, limit))
    return [context.shown(each) for each in sorted(found, key=lambda each: -int(each.id))]


def pins(context: Context) -> Json:
    """Give the pinned messages, newest first."""
    channel = context.channel(Permission.READ_MESSAGE_HISTORY)
    found = [each for each in reversed(channel.messages.values()) if each.pinned]
    items = [{"pinned_at": moment(each.sent), "message": context.shown(each)} for each in found]
    return {"items": items, "has_more": False}


def pin(context: Context) -> None:
    """Pin a message."""
    context.happenings.pin(context.message(context.channel(Permission.MANAGE_MESSAGES)), pinned=True)


def unpin(context: Context) -> None:
    """Take a pin out."""
    context.happenings.pin(context.message(context.channel(Permission.MANAGE_MESSAGES)), pinned=False)


def composed(context: Context, channel: Channel, body: Json) -> Message:
    """Make a message of what was asked for, with what it replies to."""
    message = compose(context.world, channel, body, context.uploads)
    if body.get("message_reference"):
        if not context.world.may(context.app, channel, Permission.READ_MESSAGE_HISTORY):
            raise RefusedError(160002, status=403)
        message.reference = reference_of(context.world, channel, body["message_reference"])
        message.type = 19 if message.reference else 0
    return message


def first_of_nonce(context: Context) -> Message | None:
    """Give the message this nonce was used for within the window, if it must be unique."""
    nonce = context.body.get("nonce")
    if nonce is None or not context.body.get("enforce_nonce"):
        return None
    limits.check_length("nonce", str(nonce), limits.NONCE)
    used, channel, id_ = context.world.nonces.get((context.app, str(nonce)), (0.0, "", ""))
    if not id_ or context.world.clock() - used > context.world.timing.nonce_window:
        return None
    # A message deleted since is not made anew: the repeat is refused.
    # https://github.com/discord/discord-api-docs/pull/6647
    return context.world.message(context.world.channel(channel), id_)


def writable_channel(context: Context) -> Channel:
    """Give the channel of the path, if the app may write what it asks to write there."""
    channel = context.channel()
    if channel.type == FORUM:
        raise RefusedError(50008)
    if not channel.guild:
        refuse_closed(context, channel)
        return channel
    context.channel(*needed_for(context.body, files=bool(context.uploads), thread=channel.is_thread))
    if channel.locked and not context.world.may(context.app, channel, Permission.MANAGE_THREADS):
        raise RefusedError(160005)
    return channel


def needed_for(body: Json, *, files: bool, thread: bool) -> list[Permission]:
    """Give what a message asks for."""
    needed = [Permission.SEND_MESSAGES_IN_THREADS if thread else Permission.SEND_MESSAGES]
    needed += [Permission.EMBED_LINKS] if body.get("embeds") else []
    return needed + ([Permission.ATTACH_FILES] if files else [])


def refuse_closed(context: Context, channel: Channel) -> None:
    """Refuse to write to somebody who takes no messages, or shares no guild with the app any more."""
    world = context.world
    for user in channel.recipients:
        shared = any(user in each.members and context.app in each.members for each in world.guilds.values())
        if user != context.app and (world.users[user].closed or not shared):
            raise RefusedError(50007)


def refuse_archived(channel: Channel) -> None:
    """Refuse to change what stands in an archived thread."""
    if channel.archived:
        raise RefusedError(50083)


def around(messages: list[Message], middle: int, limit: int) -> list[Message]:
    """Give the messages around an id, half before and half after it, itself among them."""
    before = [each for each in messages if int(each.id) < middle]
    rest = [each for each in messages if int(each.id) >= middle]
    half = limit // 2
    return [*before[len(before) - min(half, len(before)) :], *rest[: limit - half]]
