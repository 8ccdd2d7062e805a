"""The app's commands, as it registered them."""

import re

from simulators.discord_service import limits
from simulators.discord_service.errors import RefusedError, invalid
from simulators.discord_service.model import Json
from simulators.discord_service.world import World

SLASH, ON_USER, ON_MESSAGE = 1, 2, 3
NAME = re.compile(r"[-_\w]{1,32}")
MOST_COMMANDS = 100
SUBCOMMAND, GROUP = 1, 2


class Commands:
    """Keeps commands, those for everywhere under an empty guild."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._registered: dict[str, list[Json]] = {}
        self.syncs = 0
        """How often all commands were written anew."""

    def registered(self, guild: str = "") -> list[Json]:
        """Give the commands of a guild, or those for everywhere."""
        return self._registered.get(guild, [])

    def overwrite(self, guild: str, bodies: list[Json]) -> list[Json]:
        """Put these commands in the place of all; one that keeps its name and type keeps its id."""
        for index, body in enumerate(bodies):
            check_command(str(index), body)
        names = [(body.get("type", SLASH), body["name"]) for body in bodies]
        if len(names) != len(set(names)):
            raise invalid("name", "APPLICATION_COMMANDS_DUPLICATE_NAME", "Application command names must be unique")
        if len(bodies) > MOST_COMMANDS:
            raise RefusedError(30032)
        self.syncs += 1
        self._registered[guild] = [self._kept(guild, body) for body in bodies]
        return self._registered[guild]

    def add(self, guild: str, body: Json) -> Json:
        """Register one more, in the place of one of the same name and type."""
        check_command("0", body)
        kept = self._kept(guild, body)
        others = [each for each in self.registered(guild) if each["id"] != kept["id"]]
        self._registered[guild] = [*others, kept]
        return kept

    def one(self, guild: str, id_: str) -> Json:
        """Give one by its id, or refuse."""
        found = next((each for each in self.registered(guild) if each["id"] == id_), None)
        if found is None:
            raise RefusedError(10063)
        return found

    def remove(self, guild: str, id_: str) -> None:
        """Take one away."""
        self._registered[guild].remove(self.one(guild, id_))

    def find(self, kind: int, name: str, guild: str) -> Json:
        """Give what a person in this guild (empty: a direct conversation) finds under a name."""
        offered = [*(self.registered(guild) if guild else []), *self.registered()]
        for each in offered:
            if each["type"] == kind and each["name"] == name and _open_in(each, guild):
                return each
        raise LookupError(f"the app offers no {name!r} here")

    def _kept(self, guild: str, body: Json) -> Json:
        kind = body.get("type", SLASH)
        old = next(
            (each for each in self.registered(guild) if (each["type"], each["name"]) == (kind, body["name"])), {}
        )
        ids: Json = {"id": old.get("id") or self._world.ids.new(), "application_id": self._world.app.id}
        ids |= {"guild_id": guild} if guild else {}
        defaults: Json = {"description": "", "options": [], "default_member_permissions": None, "nsfw": False}
        return defaults | body | ids | {"type": kind, "version": self._world.ids.new()}


def check_command(where: str, body: Json) -> None:
    """Refuse a command Discord would refuse."""
    slash = body.get("type", SLASH) == SLASH
    limits.check_length(f"{where}.name", body.get("name"), 32, least=1)
    if slash and not (NAME.fullmatch(body["name"]) and body["name"] == body["name"].lower()):
        raise invalid(f"{where}.name", "APPLICATION_COMMAND_INVALID_NAME", "Command name is invalid")
    if slash:
        limits.check_length(f"{where}.description", body.get("description"), 100, least=1)
    options = body.get("options") or []
    if len(options) > limits.OPTIONS:
        raise invalid(f"{where}.options", "BASE_TYPE_MAX_LENGTH", f"Must be {limits.OPTIONS} or fewer in length.")
    for index, option in enumerate(options):
        check_command(f"{where}.options.{index}", option | {"type": SLASH})
        _check_choices(f"{where}.options.{index}", option)


def _check_choices(where: str, option: Json) -> None:
    if option["type"] not in (SUBCOMMAND, GROUP) and len(option.get("choices") or []) > limits.CHOICES:
        raise invalid(f"{where}.choices", "BASE_TYPE_MAX_LENGTH", f"Must be {limits.CHOICES} or fewer in length.")


def _open_in(command: Json, guild: str) -> bool:
    contexts = command.get("contexts")
    if contexts is not None:
        return (0 if guild else 1) in contexts
    return bool(guild) or command.get("dm_permission") is not False
