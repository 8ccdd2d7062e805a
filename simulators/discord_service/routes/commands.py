"""The app's commands: for everywhere, or for the guild of the path."""

from simulators.discord_service.context import Context
from simulators.discord_service.errors import RefusedError, invalid
from simulators.discord_service.model import Json


def read(context: Context) -> list[Json]:
    """Give them."""
    return context.commands.registered(_guild(context))


def overwrite(context: Context) -> list[Json]:
    """Put new ones in the place of all."""
    if not isinstance(context.body, list):
        raise invalid("_", "BASE_TYPE_REQUIRED", "Expected a list of commands")
    return context.commands.overwrite(_guild(context), context.body)


def add(context: Context) -> Json:
    """Register one more."""
    return context.commands.add(_guild(context), context.body)


def one(context: Context) -> Json:
    """Give one."""
    return context.commands.one(_guild(context), context.names["command"])


def remove(context: Context) -> None:
    """Take one away."""
    context.commands.remove(_guild(context), context.names["command"])


def _guild(context: Context) -> str:
    if context.names["app"] != context.app:
        raise RefusedError(20012, status=403)
    guild = context.names.get("guild", "")
    return context.world.guild(guild).id if guild else ""
