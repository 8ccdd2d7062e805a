"""How things look in JSON. Pure reading: nothing here changes the world."""

from datetime import UTC, datetime

from simulators.discord_service.ids import seconds_of
from simulators.discord_service.model import DIRECT_MESSAGE, FORUM, Channel, Guild, Json, Member, Message, Role, User
from simulators.discord_service.world import World


def moment(seconds: float | None) -> str | None:
    """Write a time as Discord does."""
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC).isoformat()


def user_json(user: User) -> Json:
    """Write a user."""
    return {
        "id": user.id,
        "username": user.name.lower().replace(" ", "."),
        "discriminator": "0000" if user.bot else "0",
        "global_name": None if user.bot else user.name,
        "avatar": None,
        "bot": user.bot,
        "public_flags": 0,
        "premium_type": 2 if user.nitro else 0,
    }


def member_json(world: World, member: Member, *, with_user: bool = True) -> Json:
    """Write a member; inside a message without the user, who stands beside it."""
    body: Json = {
        "roles": list(member.roles),
        "nick": None,
        "avatar": None,
        "joined_at": moment(member.joined),
        "premium_since": None,
        "deaf": False,
        "mute": False,
        "pending": False,
        "flags": 0,
        "communication_disabled_until": None,
    }
    return body | ({"user": user_json(world.users[member.user])} if with_user else {})


def role_json(role: Role) -> Json:
    """Write a role."""
    return {
        "id": role.id,
        "name": role.name,
        "permissions": str(int(role.permissions)),
        "position": role.position,
        "color": 0,
        "colors": {"primary_color": 0, "secondary_color": None, "tertiary_color": None},
        "hoist": False,
        "managed": False,
        "mentionable": role.mentionable,
        "flags": 0,
    }


def channel_json(world: World, channel: Channel) -> Json:
    """Write a channel, a thread or a direct conversation."""
    last = next(reversed(channel.messages), None)
    body: Json = {"id": channel.id, "type": channel.type, "last_message_id": last, "flags": 0}
    if channel.type == DIRECT_MESSAGE:
        others = [world.users[user] for user in channel.recipients if user != world.app.id]
        return body | {"recipients": [user_json(user) for user in others]}
    body |= {"guild_id": channel.guild, "name": channel.name, "parent_id": channel.parent or None, "nsfw": False}
    body |= {"rate_limit_per_user": channel.slowmode}
    return body | (
        _thread_part(world, channel)
        if channel.is_thread
        else _channel_part(channel, set(world.guilds[channel.guild].roles))
    )


def guild_json(world: World, guild: Guild) -> Json:
    """Write a guild as `GUILD_CREATE` has it: of the members only the app itself."""
    threads = [each for each in world.channels.values() if each.is_thread and each.guild == guild.id]
    seen = [each for each in threads if not each.archived and world.sees(world.app.id, each)]
    return guild_head(guild) | {
        "channels": [channel_json(world, channel) for channel in guild.channels.values()],
        "threads": [channel_json(world, thread) for thread in seen],
        "members": [member_json(world, guild.members[world.app.id])],
        "member_count": len(guild.members),
        "joined_at": moment(guild.joined),
        "large": False,
        "voice_states": [],
        "presences": [],
        "stage_instances": [],
        "guild_scheduled_events": [],
        "soundboard_sounds": [],
    }


def guild_head(guild: Guild) -> Json:
    """Write a guild as `GET /guilds/{guild}` has it."""
    return {
        "id": guild.id,
        "name": guild.name,
        "icon": None,
        "owner_id": guild.owner,
        "roles": [role_json(role) for role in guild.roles.values()],
        "emojis": [],
        "stickers": [],
        "features": [],
        "verification_level": 1,
        "default_message_notifications": 1,
        "explicit_content_filter": 0,
        "mfa_level": 0,
        "nsfw_level": 0,
        "premium_tier": 0,
        "preferred_locale": "en-US",
        "afk_timeout": 300,
        "system_channel_flags": 0,
    }


def message_json(world: World, message: Message, *, nested: bool = False) -> Json:
    """Write a message as a call gives it; a message inside another has no reference resolved."""
    channel = world.channels[message.channel]
    mentioned = [world.users[user] for user in message.mentions]
    body: Json = {
        "id": message.id,
        "channel_id": message.channel,
        "type": message.type,
        "author": author_json(world, message),
        "content": message.content,
        "timestamp": moment(message.sent),
        "edited_timestamp": moment(message.edited),
        "tts": False,
        "mention_everyone": message.mention_everyone,
        "mentions": [user_json(user) for user in mentioned],
        "mention_roles": list(message.mention_roles),
        "attachments": message.attachments,
        "embeds": message.embeds,
        "components": message.components,
        "pinned": message.pinned,
        "flags": message.flags,
    }
    body |= {"reactions": reactions_json(world, message)} if message.reactions else {}
    body |= {"sticker_items": message.stickers} if message.stickers else {}
    body |= {"nonce": message.nonce} if message.nonce is not None else {}
    body |= {"webhook_id": message.webhook} if message.webhook else {}
    body |= {"application_id": message.application} if message.application else {}
    body |= {"interaction_metadata": message.interaction} if message.interaction else {}
    body |= _reference_part(world, message, nested=nested)
    thread = world.channels.get(message.id)
    body |= {"thread": channel_json(world, thread)} if thread and thread is not channel else {}
    return body


def message_event(world: World, message: Message) -> Json:
    """Write a message as an event has it: with its guild and its author as a member."""
    channel = world.channels[message.channel]
    body = message_json(world, message) | {"channel_type": channel.type}
    if not channel.guild:
        return body
    guild = world.guilds[channel.guild]
    body["guild_id"] = guild.id
    member = guild.members.get(message.author)
    if member and not message.webhook:
        body["member"] = member_json(world, member, with_user=False)
    for mentioned in body["mentions"]:
        if found := guild.members.get(mentioned["id"]):
            mentioned["member"] = member_json(world, found, with_user=False)
    return body


def author_json(world: World, message: Message) -> Json:
    """Write who a message is from; a webhook writes under a name of its own."""
    if message.webhook:
        name = message.webhook_name
        return {"id": message.webhook, "username": name, "discriminator": "0000", "avatar": None, "bot": True}
    return user_json(world.users[message.author])


def reactions_json(world: World, message: Message) -> list[Json]:
    """Write the reactions on a message, counted."""
    return [
        {
            "emoji": emoji_json(emoji),
            "count": len(users),
            "count_details": {"burst": 0, "normal": len(users)},
            "burst_colors": [],
            "me": world.app.id in users,
            "me_burst": False,
        }
        for emoji, users in message.reactions.items()
    ]


def emoji_json(emoji: str) -> Json:
    """Write an emoji: a character, or `name:id` for a guild's own."""
    name, _, id_ = emoji.rpartition(":")
    return {"id": id_, "name": name, "animated": False} if name else {"id": None, "name": emoji}


def thread_member_json(thread: Channel, user: str) -> Json:
    """Write a member of a thread."""
    joined = moment(thread.thread_members[user])
    return {"id": thread.id, "user_id": user, "join_timestamp": joined, "flags": 0}


def _reference_part(world: World, message: Message, *, nested: bool) -> Json:
    if not message.reference:
        return {}
    body: Json = {"message_reference": message.reference}
    if nested or message.type == 18:
        return body
    channel = world.channels.get(message.reference["channel_id"])
    found = channel.messages.get(message.reference.get("message_id", "")) if channel else None
    return body | {"referenced_message": message_json(world, found, nested=True) if found else None}


def _channel_part(channel: Channel, roles: set[str]) -> Json:
    body: Json = {
        "topic": channel.topic or None,
        "position": channel.position,
        "default_auto_archive_duration": 1440,
        "permission_overwrites": [
            {"id": who, "type": 0 if who in roles else 1, "allow": str(allow), "deny": str(deny)}
            for who, (allow, deny) in channel.overwrites.items()
        ],
    }
    if channel.type == FORUM:
        body |= {"available_tags": channel.tags, "default_reaction_emoji": None, "default_sort_order": None}
        body |= {"default_forum_layout": 0}
    return body


def _thread_part(world: World, thread: Channel) -> Json:
    body: Json = {
        "owner_id": thread.owner,
        "message_count": min(thread.total_sent, len(thread.messages)),
        "total_message_sent": thread.total_sent,
        "member_count": min(len(thread.thread_members), 50),
        "applied_tags": list(thread.applied_tags),
        "thread_metadata": {
            "archived": thread.archived,
            "locked": thread.locked,
            "invitable": thread.invitable,
            "auto_archive_duration": thread.auto_archive,
            "archive_timestamp": moment(thread.changed),
            "create_timestamp": moment(thread.opened or seconds_of(thread.id)),
        },
    }
    return body | (
        {"member": thread_member_json(thread, world.app.id)} if world.app.id in thread.thread_members else {}
    )
