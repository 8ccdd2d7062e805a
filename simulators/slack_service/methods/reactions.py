"""Reactions by the app."""

import re

from simulators.slack_service.context import Context
from simulators.slack_service.errors import RefusedError
from simulators.slack_service.model import Json, Message
from simulators.slack_service.shapes import message_json

NAME = re.compile(r"[a-z0-9_+'-]+(::skin-tone-[2-6])?")


def add(context: Context) -> Json:
    """Put a reaction on."""
    if not context.happenings.react(_message(context), context.install.user, _name(context)):
        raise RefusedError("already_reacted")
    return {}


def remove(context: Context) -> Json:
    """Take the app's own reaction off."""
    if not context.happenings.unreact(_message(context), context.install.user, _name(context)):
        raise RefusedError("no_reaction")
    return {}


def get(context: Context) -> Json:
    """Show a message with its reactions."""
    message, channel = _message(context), context.channel()
    return {"type": "message", "channel": channel.id, "message": message_json(message, channel)}


def _message(context: Context) -> Message:
    return context.world.message_in(context.joined_channel(), context.args.text("timestamp"))


def _name(context: Context) -> str:
    name = context.args.text("name").strip(":")
    if not NAME.fullmatch(name):
        raise RefusedError("invalid_name")
    return name
