"""Answers to interactions. Their token stands in the path, the app's is not asked for."""

from simulators.discord_service.context import Context
from simulators.discord_service.errors import RefusedError
from simulators.discord_service.interactions import Interaction
from simulators.discord_service.interactivity import callback_json
from simulators.discord_service.model import Json


def answer(context: Context) -> Json | None:
    """Take the first answer."""
    names = context.names
    interaction = context.interactivity.answer(names["interaction"], names["token"], context.body, context.uploads)
    return callback_json(context.world, interaction) if context.query.get("with_response") in ("1", "true") else None


def follow_up(context: Context) -> Json:
    """Say something more."""
    return context.shown(context.interactivity.follow_up(_interaction(context), context.body, context.uploads))


def read(context: Context) -> Json:
    """Give the first answer, or a follow-up."""
    return context.shown(context.interactivity.message_of(_interaction(context), context.names["message"]))


def change(context: Context) -> Json:
    """Change the first answer, or a follow-up."""
    message = context.interactivity.message_of(_interaction(context), context.names["message"])
    return context.shown(context.interactivity.change(message, context.body, context.uploads))


def delete(context: Context) -> None:
    """Take the first answer back, or a follow-up."""
    context.interactivity.delete(context.interactivity.message_of(_interaction(context), context.names["message"]))


def _interaction(context: Context) -> Interaction:
    if context.names["app"] != context.app:
        raise RefusedError(10015)
    return context.interactivity.of_token(context.names["token"])
