"""A stateful Slack on loopback: Web API, Socket Mode, signed HTTP events, people who write and press, and faults.

Start with `async with SlackService() as slack:` and point any Slack app to `slack.api_url`.
"""

from simulators.slack_service.faults import Faults
from simulators.slack_service.model import AppSetup, Channel, Install, Message, Team, User
from simulators.slack_service.people import OtherBot, Person
from simulators.slack_service.service import SlackService
from simulators.slack_service.shown import Button, Shown
from simulators.slack_service.signing import sign
from simulators.slack_service.timing import Timing

__all__ = [
    "AppSetup",
    "Button",
    "Channel",
    "Faults",
    "Install",
    "Message",
    "OtherBot",
    "Person",
    "Shown",
    "SlackService",
    "Team",
    "Timing",
    "User",
    "sign",
]
