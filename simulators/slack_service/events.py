"""The Events API's payloads. Pure: model in, JSON out."""

from simulators.slack_service.model import Channel, Install, Json, Message
from simulators.slack_service.shapes import message_json


def message_posted(message: Message, channel: Channel) -> Json:
    """Tell that somebody wrote."""
    body = message_json(message, channel, metadata=True)
    if message.subtype == "thread_broadcast" and message.thread_ts in channel.messages:
        body["root"] = message_json(channel.messages[message.thread_ts], channel)
    return body | {"channel": channel.id, "channel_type": channel.kind, "event_ts": message.ts}


def app_mentioned(message: Message, channel: Channel) -> Json:
    """Tell that somebody named the app; the same message as `message_posted`, as an event of its own."""
    body = message_json(message, channel)
    return body | {"type": "app_mention", "channel": channel.id, "event_ts": message.ts}


def message_changed(message: Message, previous: Json, channel: Channel, event_ts: str) -> Json:
    """Tell that a message is not what it was: edited, unfurled, replied to, or now a tombstone."""
    return {
        "type": "message",
        "subtype": "message_changed",
        "hidden": True,
        "message": message_json(message, channel, metadata=True),
        "previous_message": previous,
        "channel": channel.id,
        "channel_type": channel.kind,
        "ts": event_ts,
        "event_ts": event_ts,
    }


def message_deleted(previous: Json, channel: Channel, event_ts: str) -> Json:
    """Tell that a message is gone."""
    return {
        "type": "message",
        "subtype": "message_deleted",
        "hidden": True,
        "deleted_ts": previous["ts"],
        "previous_message": previous,
        "channel": channel.id,
        "channel_type": channel.kind,
        "ts": event_ts,
        "event_ts": event_ts,
    }


def reaction(kind: str, message: Message, *, user: str, name: str, event_ts: str) -> Json:
    """Tell that a reaction was put on (`reaction_added`) or taken off; it carries no thread."""
    return {
        "type": kind,
        "user": user,
        "reaction": name,
        "item": {"type": "message", "channel": message.channel, "ts": message.ts},
        "item_user": message.user,
        "event_ts": event_ts,
    }


def session_stopped(channel: Channel, thread_ts: str, *, user: str, streams: list[str], event_ts: str) -> Json:
    """Tell that somebody pressed Slack's own stop button."""
    return {
        "type": "agent_session_stopped",
        "channel": channel.id,
        "thread_ts": thread_ts,
        "streaming_message_ts": streams,
        "user": user,
        "event_ts": event_ts,
    }


def callback(event: Json, install: Install, *, app_id: str, event_id: str, shared: bool) -> Json:
    """Wrap an event in the envelope that HTTP posts and Socket Mode carries as payload."""
    event_ts = str(event.get("event_ts", "0.0"))
    authorization = {
        "enterprise_id": None,
        "team_id": install.team,
        "user_id": install.user,
        "is_bot": True,
        "is_enterprise_install": False,
    }
    return {
        "token": "simulated-verification-token",
        "team_id": install.team,
        "context_team_id": install.team,
        "context_enterprise_id": None,
        "api_app_id": app_id,
        "event": event,
        "type": "event_callback",
        "event_id": event_id,
        "event_time": int(float(event_ts)),
        "authorizations": [authorization],
        "is_ext_shared_channel": shared,
        "event_context": f"4-{event_id}",
    }
