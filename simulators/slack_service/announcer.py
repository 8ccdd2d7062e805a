"""Deciding who hears of what: installed, in the channel, subscribed."""

from collections.abc import Callable

from simulators.slack_service.delivery import Envelope
from simulators.slack_service.events import callback
from simulators.slack_service.model import Channel, Install, Json
from simulators.slack_service.world import World

TOPIC = {"im": "message.im", "mpim": "message.mpim", "channel": "message.channels", "group": "message.groups"}


class Announcer:
    """Wraps events and hands them to `send`."""

    def __init__(self, world: World, send: Callable[[Envelope], Envelope]) -> None:
        self._world = world
        self._send = send

    def in_channel(self, channel: Channel, event: Json) -> None:
        """Announce what happened in a channel, if the app is there."""
        install = self._world.install_for(channel)
        topic = TOPIC[channel.kind] if event["type"] == "message" else event["type"]
        if install:
            self._announce(install, event, topic=topic, shared=bool(channel.shared_with))

    def in_team(self, team: str, event: Json) -> None:
        """Announce what happened outside any channel."""
        install = self._world.install_in(team)
        if install:
            self._announce(install, event, topic=str(event["type"]), shared=False)

    def _announce(self, install: Install, event: Json, *, topic: str, shared: bool) -> None:
        wanted = self._world.app.events
        if wanted is not None and topic not in wanted:
            return
        event_id = self._world.ids.new("Ev")
        payload = callback(event, install, app_id=self._world.app.id, event_id=event_id, shared=shared)
        self._send(Envelope("events_api", payload))
