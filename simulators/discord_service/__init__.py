"""A stateful Discord on loopback: REST, gateway, people who write, press and moderate, and faults.

Start with `async with DiscordService() as discord:` and point any Discord library to `discord.api_base` and
`discord.gateway_url`.
"""

from simulators.discord_service.faults import Faults
from simulators.discord_service.interactions import Interaction
from simulators.discord_service.model import AppSetup, Channel, Guild, Member, Message, Role, User
from simulators.discord_service.people import OtherBot, Person
from simulators.discord_service.permissions import Permission
from simulators.discord_service.rest import Call
from simulators.discord_service.service import DiscordService
from simulators.discord_service.shown import Button, Shown
from simulators.discord_service.timing import Timing

__all__ = [
    "AppSetup",
    "Button",
    "Call",
    "Channel",
    "DiscordService",
    "Faults",
    "Guild",
    "Interaction",
    "Member",
    "Message",
    "OtherBot",
    "Permission",
    "Person",
    "Role",
    "Shown",
    "Timing",
    "User",
]
