"""The options of a command as a person fills them in. Pure."""

from simulators.discord_service.commands import GROUP, SUBCOMMAND
from simulators.discord_service.model import Json
from simulators.discord_service.shapes import channel_json, member_json, role_json, user_json
from simulators.discord_service.world import World


def filled_options(
    command: Json, words: tuple[str, ...], values: dict[str, object], *, focused: str | None
) -> list[Json]:
    """Walk down groups and subcommands by name and fill in what the last one asks for."""
    if words:
        inner = _one_of(command, words[0], (SUBCOMMAND, GROUP))
        options = filled_options(inner, words[1:], values, focused=focused)
        return [{"name": inner["name"], "type": inner["type"], "options": options}]
    asked = command.get("options") or []
    if any(option["type"] in (SUBCOMMAND, GROUP) for option in asked):
        raise LookupError(f"{command['name']!r} needs a subcommand: {[option['name'] for option in asked]}")
    unknown = set(values) - {option["name"] for option in asked}
    if unknown:
        raise LookupError(f"{command['name']!r} has no option {sorted(unknown)}")
    for option in asked:
        if focused is None and option.get("required") and option["name"] not in values:
            raise LookupError(f"{command['name']!r} needs {option['name']!r}")
    return [_filled(option, values[option["name"]], focused) for option in asked if option["name"] in values]


def resolved(world: World, channel: str, ids: list[str]) -> Json:
    """Give what the ids among the values stand for."""
    found: Json = {}
    guild = world.guilds.get(world.channels[channel].guild)
    for id_ in ids:
        if id_ in world.users:
            found.setdefault("users", {})[id_] = user_json(world.users[id_])
        if guild and id_ in guild.members:
            member = member_json(world, guild.members[id_], with_user=False) | {"permissions": "0"}
            found.setdefault("members", {})[id_] = member
        if guild and id_ in guild.roles:
            found.setdefault("roles", {})[id_] = role_json(guild.roles[id_])
        if id_ in world.channels:
            found.setdefault("channels", {})[id_] = channel_json(world, world.channels[id_]) | {"permissions": "0"}
    return found


def _filled(option: Json, value: object, focused: str | None) -> Json:
    choices = {choice["name"]: choice["value"] for choice in option.get("choices") or []}
    if choices and value not in (*choices, *choices.values()):
        raise LookupError(f"{option['name']!r} offers {sorted(choices)}, not {value!r}")
    body: Json = {"name": option["name"], "type": option["type"], "value": choices.get(str(value), value)}
    return body | ({"focused": True} if option["name"] == focused else {})


def _one_of(command: Json, name: str, kinds: tuple[int, ...]) -> Json:
    for option in command.get("options") or []:
        if option["name"] == name and option["type"] in kinds:
            return dict(option)
    raise LookupError(f"{command['name']!r} has no subcommand {name!r}")
