"""The payloads of commands, presses, shortcuts and forms. Pure: model in, JSON out."""

from dataclasses import dataclass

from simulators.slack_service.model import Channel, Json, Message, Team, User
from simulators.slack_service.shapes import message_json

DIRECT_NAME = {"im": "directmessage", "group": "privategroup"}


@dataclass(frozen=True, slots=True)
class Act:
    """Who did something where, and what the app may answer with."""

    user: User
    team: Team
    app_id: str
    trigger_id: str
    response_url: str = ""


def slash_command(act: Act, channel: Channel, command: str, text: str) -> Json:
    """Say `/command text`; there is no thread in it."""
    return {
        "token": "simulated-verification-token",
        "team_id": act.team.id,
        "team_domain": act.team.domain,
        "channel_id": channel.id,
        "channel_name": DIRECT_NAME.get(channel.kind, channel.name),
        "user_id": act.user.id,
        "user_name": act.user.name,
        "command": command,
        "text": text,
        "api_app_id": act.app_id,
        "is_enterprise_install": "false",
        "response_url": act.response_url,
        "trigger_id": act.trigger_id,
    }


def message_pressed(act: Act, channel: Channel, message: Message, action: Json) -> Json:
    """Press something in a message; an ephemeral one is not sent along."""
    container: Json = {
        "type": "message",
        "message_ts": message.ts,
        "channel_id": channel.id,
        "is_ephemeral": bool(message.visible_to),
    }
    if message.thread_ts:
        container["thread_ts"] = message.thread_ts
    body = _common(act, "block_actions") | {"container": container, "actions": [action], "state": {"values": {}}}
    body |= {"response_url": act.response_url, "channel": _channel(channel)}
    return body if message.visible_to else body | {"message": message_json(message, channel, metadata=True)}


def view_pressed(act: Act, view: Json, action: Json) -> Json:
    """Press something in a modal or in App Home."""
    container = {"type": "view", "view_id": view["id"]}
    return _common(act, "block_actions") | {"container": container, "view": view, "actions": [action]}


def message_shortcut(act: Act, channel: Channel, message: Message, callback_id: str) -> Json:
    """Choose a shortcut from a message's menu."""
    return _common(act, "message_action") | {
        "callback_id": callback_id,
        "message_ts": message.ts,
        "message": message_json(message, channel, metadata=True),
        "channel": _channel(channel),
        "response_url": act.response_url,
        "action_ts": message.ts,
    }


def global_shortcut(act: Act, callback_id: str, action_ts: str) -> Json:
    """Choose a shortcut that belongs to no message."""
    return _common(act, "shortcut") | {"callback_id": callback_id, "action_ts": action_ts}


def view_submitted(act: Act, view: Json) -> Json:
    """Send a form in."""
    return _common(act, "view_submission") | {"view": view, "response_urls": []}


def view_closed(act: Act, view: Json) -> Json:
    """Close a modal; sent only where the view asked with `notify_on_close`."""
    return _common(act, "view_closed") | {"view": view, "is_cleared": False}


def pressed(element: Json, block_id: str, *, value: str | None, action_ts: str) -> Json:
    """Tell which element was pressed; `value` overrides what the element says."""
    action: Json = {"type": element["type"], "action_id": element.get("action_id", ""), "block_id": block_id}
    said = element.get("value", "") if value is None else value
    if element["type"] in ("static_select", "overflow", "radio_buttons"):
        action["selected_option"] = {"value": said, "text": {"type": "plain_text", "text": said}}
    else:
        action["value"] = said
    return action | ({"text": element["text"]} if "text" in element else {}) | {"action_ts": action_ts}


def _common(act: Act, kind: str) -> Json:
    return {
        "type": kind,
        "token": "simulated-verification-token",
        "user": {"id": act.user.id, "username": act.user.name, "name": act.user.name, "team_id": act.user.team},
        "team": {"id": act.team.id, "domain": act.team.domain},
        "enterprise": None,
        "is_enterprise_install": False,
        "api_app_id": act.app_id,
        "trigger_id": act.trigger_id,
    }


def _channel(channel: Channel) -> Json:
    return {"id": channel.id, "name": DIRECT_NAME.get(channel.kind, channel.name)}
