"""Who is mentioned in words, and who is called by it."""

import re
from dataclasses import dataclass

from simulators.discord_service.errors import invalid
from simulators.discord_service.model import Channel, Guild, Json, Message
from simulators.discord_service.permissions import Permission
from simulators.discord_service.world import World

USER = re.compile(r"<@!?(\d+)>")
ROLE = re.compile(r"<@&(\d+)>")
CROWD = re.compile(r"@(everyone|here)\b")


@dataclass(frozen=True, slots=True)
class Allowed:
    """Which mentions may call somebody; None allows all of a kind."""

    users: frozenset[str] | None = None
    roles: frozenset[str] | None = None
    everyone: bool = True
    replied: bool = True

    @classmethod
    def read(cls, body: Json | None) -> "Allowed":
        """Read `allowed_mentions`. Left out, everything is allowed; given, only what it names."""
        if body is None:
            return cls()
        parse = body.get("parse") or []
        for kind in ("users", "roles"):
            if kind in parse and body.get(kind):
                what = f"parse:[{kind!r}] and {kind}: [ids...] are mutually exclusive."
                raise invalid("allowed_mentions", "MESSAGE_ALLOWED_MENTIONS_PARSE_EXCLUSIVE", what)
        users, roles = (
            None if kind in parse else frozenset(map(str, body.get(kind) or [])) for kind in ("users", "roles")
        )
        return cls(users, roles, "everyone" in parse, bool(body.get("replied_user")))


# What answers to interactions call unless they say more: https://github.com/discord/discord-api-docs/pull/7629
PEOPLE_ONLY = Allowed(roles=frozenset(), everyone=False)


def settle_mentions(world: World, message: Message, allowed: Allowed, *, calls: bool) -> None:
    """Fill in whom a message mentions and, when it `calls` (an edit does not), whom it calls."""
    channel = world.channels[message.channel]
    guild = world.guilds.get(channel.guild)
    replied = _replied(world, message) if allowed.replied else []
    named = [each for each in USER.findall(message.content) if each in world.users and _may(each, allowed.users)]
    message.mentions = list(dict.fromkeys([*named, *replied]))
    crowds = _crowds(world, message, channel) if guild and allowed.everyone else []
    message.mention_everyone = bool(crowds)
    message.mention_roles = _roles(world, message, channel, allowed) if guild else []
    if calls:
        people = [f"@{world.users[each].name}" for each in message.mentions]
        roles = [f"@{guild.roles[each].name}" for each in message.mention_roles] if guild else []
        message.pings = (*people, *roles, *(f"@{each}" for each in crowds))


def _replied(world: World, message: Message) -> list[str]:
    if message.type != 19:
        return []
    channel = world.channels.get(message.reference.get("channel_id", ""))
    found = channel.messages.get(message.reference.get("message_id", "")) if channel else None
    return [found.author] if found and not found.webhook else []


def _crowds(world: World, message: Message, channel: Channel) -> list[str]:
    found = list(dict.fromkeys(CROWD.findall(message.content)))
    return found if _loud(world, message, channel) else []


def _roles(world: World, message: Message, channel: Channel, allowed: Allowed) -> list[str]:
    guild: Guild = world.guilds[channel.guild]
    named = [each for each in dict.fromkeys(ROLE.findall(message.content)) if each in guild.roles]
    loud = _loud(world, message, channel)
    return [each for each in named if _may(each, allowed.roles) and (loud or guild.roles[each].mentionable)]


def _loud(world: World, message: Message, channel: Channel) -> bool:
    return world.may(message.author, channel, Permission.MENTION_EVERYONE)


def _may(id_: str, allowed: frozenset[str] | None) -> bool:
    return allowed is None or id_ in allowed
