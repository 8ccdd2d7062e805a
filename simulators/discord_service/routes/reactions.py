"""Reactions of the app, and those it takes off."""

import re

from simulators.discord_service.context import Context
from simulators.discord_service.errors import RefusedError
from simulators.discord_service.model import Json, Message
from simulators.discord_service.permissions import Permission
from simulators.discord_service.routes.messages import refuse_archived
from simulators.discord_service.shapes import user_json

CUSTOM = re.compile(r"\w+:\d+")
MOST_KINDS = 20


def add(context: Context) -> None:
    """Put a reaction on; one of a new kind asks for the permission to add reactions."""
    channel = context.channel(Permission.READ_MESSAGE_HISTORY)
    message, emoji = context.message(channel), emoji_of(context)
    refuse_archived(channel)
    if emoji not in message.reactions:
        context.channel(Permission.ADD_REACTIONS)
        if len(message.reactions) >= MOST_KINDS:
            raise RefusedError(30010)
    context.happenings.react(message, context.app, emoji)


def remove_own(context: Context) -> None:
    """Take the app's own reaction off."""
    context.happenings.unreact(_message(context), context.app, emoji_of(context))


def remove(context: Context) -> None:
    """Take somebody's reaction off."""
    message = _message(context, Permission.MANAGE_MESSAGES)
    context.happenings.unreact(message, context.names["user"], emoji_of(context))


def clear(context: Context) -> None:
    """Take all reactions off."""
    context.happenings.clear_reactions(_message(context, Permission.MANAGE_MESSAGES))


def clear_one(context: Context) -> None:
    """Take all reactions of one kind off."""
    context.happenings.clear_reactions(_message(context, Permission.MANAGE_MESSAGES), emoji_of(context))


def users(context: Context) -> list[Json]:
    """Give who reacted so."""
    found = _message(context).reactions.get(emoji_of(context), [])
    return [user_json(context.world.users[user]) for user in found]


def emoji_of(context: Context) -> str:
    """Give the emoji of the path, or refuse what is none."""
    emoji = context.names["emoji"]
    if emoji.isascii() and not CUSTOM.fullmatch(emoji):
        raise RefusedError(10014)
    return emoji


def _message(context: Context, *needed: Permission) -> Message:
    return context.message(context.channel(*needed))
