"""The inner parts of the service that people and places work with."""

from dataclasses import dataclass

from simulators.discord_service.commands import Commands
from simulators.discord_service.happenings import Happenings
from simulators.discord_service.interactivity import Interactivity
from simulators.discord_service.rooms import Rooms
from simulators.discord_service.world import World


@dataclass(frozen=True, slots=True)
class Parts:
    """The state, and what may happen to it."""

    world: World
    happenings: Happenings
    rooms: Rooms
    interactivity: Interactivity
    commands: Commands
