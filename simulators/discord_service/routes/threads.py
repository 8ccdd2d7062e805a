"""Opening threads and posts, and who is in them."""

from simulators.discord_service import limits
from simulators.discord_service.context import Context
from simulators.discord_service.errors import RefusedError, invalid
from simulators.discord_service.model import FORUM, PRIVATE_THREAD, PUBLIC_THREAD, TEXT, Channel, Json
from simulators.discord_service.permissions import Permission
from simulators.discord_service.routes.messages import composed, needed_for
from simulators.discord_service.shapes import channel_json, thread_member_json
from simulators.discord_service.writing import allowed_in

DURATIONS = (60, 1440, 4320, 10080)


def open_from_message(context: Context) -> Json:
    """Open a thread below a message; it takes the message's id."""
    channel = context.channel(Permission.CREATE_PUBLIC_THREADS)
    if channel.type != TEXT:
        raise RefusedError(50024)
    start = context.message(channel)
    thread = _thread(context, channel, start.id, PUBLIC_THREAD)
    return channel_json(context.world, context.rooms.open_thread(thread, start=start))


def open_alone(context: Context) -> Json:
    """Open a thread without a message, or a post in a forum with its first one."""
    channel = context.channel()
    if channel.type == FORUM:
        return _open_post(context, channel)
    if channel.type != TEXT:
        raise RefusedError(50024)
    kind = context.body.get("type", PRIVATE_THREAD)
    private = kind == PRIVATE_THREAD
    context.channel(Permission.CREATE_PRIVATE_THREADS if private else Permission.CREATE_PUBLIC_THREADS)
    thread = _thread(context, channel, context.world.ids.new(), PRIVATE_THREAD if private else PUBLIC_THREAD)
    thread.invitable = bool(context.body.get("invitable", True))
    return channel_json(context.world, context.rooms.open_thread(thread))


def active(context: Context) -> Json:
    """Give the threads of a guild that are not archived, as far as the app sees them."""
    guild = context.world.guild(context.names["guild"])
    threads = [each for each in context.world.channels.values() if each.is_thread and each.guild == guild.id]
    seen = [each for each in threads if not each.archived and context.world.sees(context.app, each)]
    return _listed(context, seen)


def archived_public(context: Context) -> Json:
    """Give the archived public threads of a channel."""
    return _archived(context, PUBLIC_THREAD)


def archived_private(context: Context) -> Json:
    """Give the archived private threads of a channel."""
    return _archived(context, PRIVATE_THREAD)


def members(context: Context) -> list[Json]:
    """Give who is in a thread."""
    thread = context.thread()
    return [thread_member_json(thread, user) for user in thread.thread_members]


def join(context: Context) -> None:
    """Let the app enter a thread."""
    context.happenings.add_to_thread(_open(context), context.app)


def leave(context: Context) -> None:
    """Let the app leave a thread."""
    context.happenings.remove_from_thread(_open(context), context.app)


def add_member(context: Context) -> None:
    """Bring somebody into a thread; nobody who cannot see the channel above it."""
    thread, user = _open(context), context.names["user"]
    if user not in context.world.users:
        raise RefusedError(10013)
    if not context.world.sees(user, context.world.channels[thread.parent]):
        raise RefusedError(50001)
    context.happenings.add_to_thread(thread, user)


def remove_member(context: Context) -> None:
    """Take somebody out of a thread."""
    thread = _open(context)
    owns = thread.type == PRIVATE_THREAD and thread.owner == context.app
    if not owns:
        context.channel(Permission.MANAGE_THREADS)
    context.happenings.remove_from_thread(thread, context.names["user"])


def _open_post(context: Context, forum: Channel) -> Json:
    said = context.body.get("message")
    if not isinstance(said, dict):
        raise invalid("message", "BASE_TYPE_REQUIRED", "This field is required")
    context.channel(*needed_for(said, files=bool(context.uploads), thread=False))
    post = _thread(context, forum, context.world.ids.new(), PUBLIC_THREAD)
    post.applied_tags = list(map(str, context.body.get("applied_tags") or []))
    context.world.keep(post)
    try:
        message = composed(context, post, said)
    except RefusedError:
        del context.world.channels[post.id]
        raise
    message.id = post.id
    context.rooms.open_thread(post)
    context.happenings.post(message, allowed_in(said))
    return channel_json(context.world, post) | {"message": context.shown(message)}


def _thread(context: Context, parent: Channel, id_: str, kind: int) -> Channel:
    body = context.body
    limits.check_length("name", body.get("name"), limits.THREAD_NAME, least=1)
    duration = body.get("auto_archive_duration") or 1440
    if duration not in DURATIONS:
        raise invalid("auto_archive_duration", "BASE_TYPE_CHOICES", f"Value must be one of {DURATIONS}.")
    thread = Channel(id_, kind, body["name"], parent.guild, parent.id, owner=context.app, auto_archive=duration)
    thread.slowmode = body.get("rate_limit_per_user") or 0
    return thread


def _open(context: Context) -> Channel:
    thread = context.thread()
    if thread.archived:
        raise RefusedError(50083)
    return thread


def _archived(context: Context, kind: int) -> Json:
    channel = context.channel(Permission.READ_MESSAGE_HISTORY)
    found = [each for each in context.world.threads_of(channel) if each.archived and each.type == kind]
    return _listed(context, sorted(found, key=lambda each: -each.changed)) | {"has_more": False}


def _listed(context: Context, threads: list[Channel]) -> Json:
    own = [thread_member_json(each, context.app) for each in threads if context.app in each.thread_members]
    return {"threads": [channel_json(context.world, each) for each in threads], "members": own}
