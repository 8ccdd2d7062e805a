"""Of which team somebody is who acts in a shared channel, where Slack does not say it: reactions carry a user alone.

https://docs.slack.dev/apis/slack-connect/
"""

import asyncio
import logging
from collections import OrderedDict
from dataclasses import replace

from adapters.slack.people import People
from adapters.slack.refs import Us, user_key
from core.models import Event

log = logging.getLogger(__name__)

PATIENCE_SECONDS = 1.5
"""How long an event waits for Slack to tell; Slack itself waits three for its acknowledgement."""
KNOWN = 10_000


class Homes:
    """Knows people of other teams by what they wrote, and asks Slack about the others."""

    def __init__(self, people: People) -> None:
        """Nothing is asked before somebody acts."""
        self._people = people
        self._known: OrderedDict[tuple[str, str], str] = OrderedDict()

    def told(self, event: Event, us: Us) -> None:
        """Take note of the team that Slack says somebody is of."""
        _, of_another, user = event.ref.user.partition(":")
        if of_another:
            self._keep(us.team, user, event.ref.user)

    async def named(self, event: Event, us: Us) -> Event:
        """The event with the team of who acts in their key; where Slack does not tell in time, as it is."""
        user = event.ref.user
        if not user:
            return event
        key = self._known.get((us.team, user)) or await self._ask(us, user)
        return replace(event, ref=replace(event.ref, user=key))

    async def _ask(self, us: Us, user: str) -> str:
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                team = await self._people.team_of(us, user)
        except TimeoutError:
            log.warning("Slack does not tell in time of which team %s is", user)
            return user
        key = user_key(us, user, team)
        if team:
            self._keep(us.team, user, key)
        return key

    def _keep(self, workspace: str, user: str, key: str) -> None:
        self._known[workspace, user] = key
        self._known.move_to_end((workspace, user))
        if len(self._known) > KNOWN:
            self._known.popitem(last=False)
