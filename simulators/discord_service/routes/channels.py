"""Channels and threads themselves: read, change, delete, type."""

from simulators.discord_service import limits
from simulators.discord_service.context import Context
from simulators.discord_service.errors import RefusedError
from simulators.discord_service.model import Channel, Json
from simulators.discord_service.permissions import Permission
from simulators.discord_service.shapes import channel_json

OF_THREADS = (
    "name",
    "archived",
    "locked",
    "invitable",
    "auto_archive_duration",
    "rate_limit_per_user",
    "applied_tags",
)
OF_CHANNELS = ("name", "topic", "position")
FOR_MODERATORS = ("locked", "rate_limit_per_user")


def read(context: Context) -> Json:
    """Tell of a channel."""
    return channel_json(context.world, context.channel())


def change(context: Context) -> Json:
    """Change a channel or a thread."""
    channel = context.channel()
    if "name" in context.body:
        limits.check_length("name", context.body["name"], limits.THREAD_NAME, least=1)
    if channel.is_thread:
        _check_thread_change(context, channel)
        changes = {name: context.body[name] for name in OF_THREADS if name in context.body}
        return channel_json(context.world, context.rooms.change_thread(channel, changes))
    context.channel(Permission.MANAGE_CHANNELS)
    for name in OF_CHANNELS:
        if name in context.body:
            setattr(channel, name, context.body[name])
    context.rooms.changed(channel)
    return channel_json(context.world, channel)


def delete(context: Context) -> Json:
    """Delete a channel or a thread; a direct conversation is only closed, for the app alone."""
    channel = context.channel()
    body = channel_json(context.world, channel)
    if channel.guild:
        context.channel(Permission.MANAGE_THREADS if channel.is_thread else Permission.MANAGE_CHANNELS)
        context.rooms.delete(channel)
    return body


def typing(context: Context) -> None:
    """Show that the app is typing."""
    channel = context.channel()
    if channel.guild:
        context.channel(Permission.SEND_MESSAGES_IN_THREADS if channel.is_thread else Permission.SEND_MESSAGES)
    context.happenings.type(channel, context.app)


def _check_thread_change(context: Context, thread: Channel) -> None:
    """The app may change its own threads; others', locks and slowmode ask for managing threads."""
    moderates = context.world.may(context.app, thread, Permission.MANAGE_THREADS)
    asks_more = thread.owner != context.app or any(name in context.body for name in FOR_MODERATORS)
    if not moderates and (asks_more or thread.locked):
        raise RefusedError(50013)
    if thread.archived and context.body.get("archived") is not False:
        raise RefusedError(50083)
