"""Who the app is, whom it meets, and where the gateway is."""

from simulators.discord_service.context import Context
from simulators.discord_service.errors import RefusedError
from simulators.discord_service.intents import PRIVILEGED_BITS
from simulators.discord_service.model import Json
from simulators.discord_service.permissions import permissions_in
from simulators.discord_service.shapes import channel_json, guild_head, member_json, user_json

FLAG_OF = {"presences": 1 << 13, "members": 1 << 15, "message_content": 1 << 19}


def gateway(context: Context) -> Json:
    """Tell where the gateway is."""
    return {"url": f"{context.world.base_url.replace('http', 'ws')}/gateway"}


def gateway_bot(context: Context) -> Json:
    """Tell where the gateway is, how many shards suit, and how many sessions may still be started."""
    setup = context.world.setup
    left = max(setup.starts - context.gateway.identifies, 0)
    limit = {"total": setup.starts, "remaining": left, "reset_after": setup.reset_after, "max_concurrency": 1}
    return gateway(context) | {"shards": setup.shards, "session_start_limit": limit}


def me(context: Context) -> Json:
    """Tell who the app is."""
    return user_json(context.world.app) | {"verified": True, "mfa_enabled": False, "locale": "en-US", "flags": 0}


def application(context: Context) -> Json:
    """Tell what the app is."""
    owner = next(iter(context.world.guilds.values())).owner
    flags = sum(FLAG_OF[name] for name in PRIVILEGED_BITS if name in context.world.setup.privileged)
    return {
        "id": context.app,
        "name": context.world.app.name,
        "description": "",
        "icon": None,
        "rpc_origins": [],
        "bot_public": True,
        "bot_require_code_grant": False,
        "summary": "",
        "verify_key": "0" * 64,
        "team": None,
        "flags": flags,
        "owner": user_json(context.world.users[owner]),
    }


def user(context: Context) -> Json:
    """Tell who somebody is."""
    found = context.world.users.get(context.names["user"])
    if found is None:
        raise RefusedError(10013)
    return user_json(found)


def open_direct(context: Context) -> Json:
    """Open the direct conversation with somebody. That they take no messages shows only when one is sent."""
    found = context.world.users.get(str(context.body.get("recipient_id")))
    if found is None:
        raise RefusedError(10013)
    if found.bot:
        raise RefusedError(50007)
    return channel_json(context.world, context.world.direct(context.app, found.id))


def my_guilds(context: Context) -> list[Json]:
    """List the guilds the app is in, as far as one page of two hundred goes."""
    world = context.world
    mine = [each for each in world.guilds.values() if context.app in each.members]
    return [
        {"id": each.id, "name": each.name, "icon": None, "owner": each.owner == context.app, "features": []}
        | {"permissions": str(int(permissions_in(each, None, each.members[context.app])))}
        for each in sorted(mine, key=lambda each: int(each.id))
        if int(each.id) > int(context.query.get("after", 0))
    ][:200]


def guild(context: Context) -> Json:
    """Tell of a guild the app is in."""
    return guild_head(context.world.guild(context.names["guild"]))


def guild_channels(context: Context) -> list[Json]:
    """List the channels of a guild, threads not among them."""
    found = context.world.guild(context.names["guild"])
    return [channel_json(context.world, channel) for channel in found.channels.values()]


def members(context: Context) -> list[Json]:
    """List the members of a guild, if the app may know them."""
    guild = context.world.guild(context.names["guild"])
    if "members" not in context.world.setup.privileged:
        raise RefusedError(50001)
    after, limit = int(context.query.get("after", 0)), int(context.query.get("limit", 1))
    found = sorted((each for each in guild.members.values() if int(each.user) > after), key=lambda each: int(each.user))
    return [member_json(context.world, each) for each in found[:limit]]


def member(context: Context) -> Json:
    """Tell of a member of a guild."""
    found = context.world.guild(context.names["guild"]).members.get(context.names["user"])
    if found is None:
        raise RefusedError(10007 if context.names["user"] in context.world.users else 10013)
    return member_json(context.world, found)
