"""Who may do what where: Discord's permission bits and how overwrites change them."""

from enum import IntFlag

from simulators.discord_service.model import THREADS, Channel, Guild, Member


class Permission(IntFlag):
    """The bits this service knows."""

    MANAGE_CHANNELS = 1 << 4
    ADMINISTRATOR = 1 << 3
    ADD_REACTIONS = 1 << 6
    VIEW_CHANNEL = 1 << 10
    SEND_MESSAGES = 1 << 11
    MANAGE_MESSAGES = 1 << 13
    EMBED_LINKS = 1 << 14
    ATTACH_FILES = 1 << 15
    READ_MESSAGE_HISTORY = 1 << 16
    MENTION_EVERYONE = 1 << 17
    USE_APPLICATION_COMMANDS = 1 << 31
    MANAGE_THREADS = 1 << 34
    CREATE_PUBLIC_THREADS = 1 << 35
    CREATE_PRIVATE_THREADS = 1 << 36
    SEND_MESSAGES_IN_THREADS = 1 << 38


P = Permission
ALL = ~P(0)
EVERYONE = (
    P.ADD_REACTIONS
    | P.VIEW_CHANNEL
    | P.SEND_MESSAGES
    | P.EMBED_LINKS
    | P.ATTACH_FILES
    | P.READ_MESSAGE_HISTORY
    | P.USE_APPLICATION_COMMANDS
    | P.CREATE_PUBLIC_THREADS
    | P.CREATE_PRIVATE_THREADS
    | P.SEND_MESSAGES_IN_THREADS
)
MODERATOR = P.MANAGE_MESSAGES | P.MANAGE_THREADS
DIRECT = EVERYONE & ~(P.CREATE_PUBLIC_THREADS | P.CREATE_PRIVATE_THREADS | P.SEND_MESSAGES_IN_THREADS)


def permissions_in(guild: Guild, channel: Channel | None, member: Member) -> Permission:
    """Give what a member may do in a channel of the guild (a thread has its parent's rules), or anywhere in it."""
    allowed = P(guild.roles[guild.id].permissions)
    for role in member.roles:
        allowed |= guild.roles[role].permissions
    if member.user == guild.owner or P.ADMINISTRATOR in allowed:
        return ALL
    if channel is None:
        return allowed
    ruled = guild.channels[channel.parent] if channel.type in THREADS and channel.parent else channel
    allowed = _overwritten(allowed, ruled, member, guild.id)
    if P.VIEW_CHANNEL not in allowed:
        return P(0)
    return P(0) if _hidden(channel, member, allowed) else allowed


def _overwritten(allowed: Permission, channel: Channel, member: Member, everyone: str) -> Permission:
    allow, deny = channel.overwrites.get(everyone, (0, 0))
    allowed = (allowed & ~P(deny)) | P(allow)
    of_roles = [channel.overwrites.get(role, (0, 0)) for role in member.roles]
    for _, deny in of_roles:
        allowed &= ~P(deny)
    for allow, _ in of_roles:
        allowed |= P(allow)
    allow, deny = channel.overwrites.get(member.user, (0, 0))
    return (allowed & ~P(deny)) | P(allow)


def _hidden(channel: Channel, member: Member, allowed: Permission) -> bool:
    return channel.type == 12 and member.user not in channel.thread_members and P.MANAGE_THREADS not in allowed
