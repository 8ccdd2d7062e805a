"""The model as JSON, in the shape Slack gives it."""

from simulators.slack_service.model import Channel, Install, Json, Message, Team, User, View

CHANNEL_TYPE = {"im": "im", "mpim": "mpim", "channel": "channel", "group": "group"}


def message_json(message: Message, channel: Channel, *, metadata: bool = False) -> Json:
    """Show a message as history and events do; metadata only where it was asked for."""
    body: Json = {"type": "message", "user": message.user, "text": message.text, "ts": message.ts, "team": message.team}
    if message.subtype:
        body["subtype"] = message.subtype
    if message.bot_id:
        body |= {"bot_id": message.bot_id, "app_id": message.app_id}
        body["bot_profile"] = {
            "id": message.bot_id,
            "app_id": message.app_id,
            "team_id": message.team,
            "deleted": False,
        }
    body |= {name: value for name, value in _optional(message).items() if value}
    if metadata and message.metadata:
        body["metadata"] = message.metadata
    if message.subtype == "bot_message":
        del body["user"]
    return body | _place(message, channel) | message.extra


def _optional(message: Message) -> Json:
    return {
        "blocks": message.blocks,
        "attachments": message.attachments,
        "files": message.files,
        "edited": message.edited,
        "streaming_state": message.stream,
        "reactions": [
            {"name": name, "users": list(users), "count": len(users)} for name, users in message.reactions.items()
        ],
    }


def _place(message: Message, channel: Channel) -> Json:
    place: Json = {}
    if channel.shared_with:
        place |= {"user_team": message.team, "source_team": message.team}
    if message.thread_ts and message.thread_ts != message.ts:
        place["thread_ts"] = message.thread_ts
        root = channel.messages.get(message.thread_ts)
        if root:
            place["parent_user_id"] = root.user
        return place
    return place | thread_json(message, channel)


def thread_json(root: Message, channel: Channel) -> Json:
    """Show what a root knows of its thread; nothing when nobody replied."""
    replies = channel.replies(root.ts)
    if not replies:
        return {"thread_ts": root.ts} if root.thread_ts == root.ts else {}
    users = list(dict.fromkeys(reply.user for reply in replies))
    return {
        "thread_ts": root.ts,
        "reply_count": len(replies),
        "reply_users": users,
        "reply_users_count": len(users),
        "latest_reply": replies[-1].ts,
        "is_locked": False,
        "subscribed": True,
    }


def user_json(user: User, *, email: bool, locale: bool) -> Json:
    """Show a user as `users.info` does; the address needs a scope, the locale must be asked for."""
    profile: Json = {"real_name": user.real_name, "display_name": user.name, "team": user.team}
    if email and user.email:
        profile["email"] = user.email
    body: Json = {
        "id": user.id,
        "team_id": user.team,
        "name": user.name,
        "real_name": user.real_name,
        "tz": user.tz,
        "deleted": user.deleted,
        "is_bot": bool(user.bot_id),
        "is_app_user": False,
        "profile": profile,
    }
    return body | ({"locale": user.locale} if locale else {})


def channel_json(channel: Channel, viewer: str) -> Json:
    """Show a channel as `viewer`, one of its possible members, sees it."""
    body: Json = {
        "id": channel.id,
        "created": 1_700_000_000,
        "is_archived": channel.archived,
        "is_channel": channel.kind == "channel",
        "is_group": channel.kind == "group",
        "is_im": channel.kind == "im",
        "is_mpim": channel.kind == "mpim",
        "is_private": channel.kind != "channel",
        "is_ext_shared": bool(channel.shared_with),
        "is_shared": bool(channel.shared_with),
        "context_team_id": channel.team,
        "shared_team_ids": [channel.team, *channel.shared_with],
    }
    if channel.kind == "im":
        return body | {"user": next((user for user in channel.members if user != viewer), viewer)}
    return body | {"name": channel.name, "is_member": viewer in channel.members, "num_members": len(channel.members)}


def team_json(team: Team) -> Json:
    """Show a team as `team.info` does."""
    return {"id": team.id, "name": team.name, "domain": team.domain, "url": f"https://{team.domain}.slack.com/"}


def view_json(view: View, install: Install, app_id: str) -> Json:
    """Show a view as `views.*` and interactions do."""
    given = {"id": view.id, "team_id": view.team, "hash": view.hash, "root_view_id": view.root or view.id}
    ours = {"app_id": app_id, "bot_id": install.bot_id, "previous_view_id": None}
    empty = {"state": {"values": {}}, "private_metadata": "", "callback_id": ""}
    return empty | view.body | given | ours
