"""The inner parts of the service that people and places work with."""

from collections.abc import Callable
from dataclasses import dataclass

from simulators.slack_service.announcer import Announcer
from simulators.slack_service.delivery import Envelope
from simulators.slack_service.happenings import Happenings
from simulators.slack_service.interactivity import Interactivity
from simulators.slack_service.world import World


@dataclass(frozen=True, slots=True)
class Parts:
    """The state, what may happen to it, and the way to the app."""

    world: World
    happenings: Happenings
    announcer: Announcer
    interactivity: Interactivity
    send: Callable[[Envelope], Envelope]
