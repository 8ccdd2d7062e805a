"""Channels: look them up, open them, list who is in."""

from simulators.slack_service.context import Context
from simulators.slack_service.errors import RefusedError
from simulators.slack_service.methods.paging import page
from simulators.slack_service.model import Channel, Json
from simulators.slack_service.shapes import channel_json

PREFIX = {"im": "im", "mpim": "mpim", "channel": "channels", "group": "groups"}
TYPE = {"im": "im", "mpim": "mpim", "channel": "public_channel", "group": "private_channel"}


def info(context: Context) -> Json:
    """Describe a channel."""
    channel = context.channel()
    context.need(f"{PREFIX[channel.kind]}:read")
    return {"channel": channel_json(channel, context.install.user)}


def open_(context: Context) -> Json:
    """Open, or find, the direct conversation with these users."""
    if "channel" in context.args:
        channel = context.channel()
        return {"channel": channel_json(channel, context.install.user)}
    users = [user for user in context.args.text("users").split(",") if user]
    context.need("im:write" if len(users) == 1 else "mpim:write")
    if not users or not all(user in context.world.users for user in users):
        raise RefusedError("user_not_found")
    channel = context.world.direct(context.install.team, [context.install.user, *users])
    return {"channel": channel_json(channel, context.install.user), "no_op": True, "already_open": True}


def list_(context: Context) -> Json:
    """List the channels of the team that the app may know of."""
    return _listed(context, [channel for channel in context.world.channels.values() if _visible(context, channel)])


def joined(context: Context) -> Json:
    """List the channels the app is in."""
    user = context.args.text("user") or context.install.user
    channels = context.world.channels.values()
    return _listed(context, [each for each in channels if user in each.members and _visible(context, each)])


def members(context: Context) -> Json:
    """List who is in a channel."""
    channel = context.channel()
    context.need(f"{PREFIX[channel.kind]}:read")
    shown, cursor = page(context.args, channel.members, default=100)
    return {"members": shown, "response_metadata": {"next_cursor": cursor}}


def _visible(context: Context, channel: Channel) -> bool:
    ours = context.install.team in (channel.team, *channel.shared_with)
    return ours and (channel.kind == "channel" or context.install.user in channel.members)


def _listed(context: Context, channels: list[Channel]) -> Json:
    wanted = (context.args.text("types") or "public_channel").split(",")
    for kind, word in TYPE.items():
        if word in wanted:
            context.need(f"{PREFIX[kind]}:read")
    skip_archived = context.args.flag("exclude_archived")
    found = [each for each in channels if TYPE[each.kind] in wanted and not (skip_archived and each.archived)]
    shown, cursor = page(context.args, found, default=100)
    return {
        "channels": [channel_json(channel, context.install.user) for channel in shown],
        "response_metadata": {"next_cursor": cursor},
    }
