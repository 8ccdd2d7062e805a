"""What Slack knows besides a message: who speaks, and what others said in the thread before."""

import logging
import time
from collections import OrderedDict
from dataclasses import dataclass, replace

from adapters.payloads import object_in, objects_in, text_in
from adapters.slack.api import SlackApi
from adapters.slack.reading import QUOTED, profile_of, quotes_of, team_of_user
from adapters.slack.refs import Us, user_of
from core.errors import PlatformError
from core.models import Profile, Quote, UserMessage

log = logging.getLogger(__name__)

KNOWN_FOR_SECONDS = 3_600.0
KNOWN = 10_000


@dataclass(frozen=True, slots=True)
class _Known:
    """What Slack said of somebody, and when; nothing where it said nothing."""

    at: float = 0.0
    profile: Profile = Profile()
    team: str = ""


class People:
    """Asks Slack about people, and remembers for a while what it said."""

    def __init__(self, api: SlackApi) -> None:
        """Nothing is opened here."""
        self._api = api
        self._known: OrderedDict[tuple[str, str], _Known] = OrderedDict()

    async def complete(self, message: UserMessage, us: Us, *, first: bool) -> UserMessage:
        """Add who speaks, and what was said in the thread before where the desk was only now called into it."""
        profile = (await self._person(us, user_of(message.ref))).profile
        called_in = first and not message.ref.direct and message.ref.thread not in (None, message.id)
        quotes = await self._said_before(message, us) if called_in else ()
        return replace(message, profile=profile, quotes=quotes)

    async def team_of(self, us: Us, user: str) -> str:
        """The team somebody is of; empty where Slack does not tell."""
        return (await self._person(us, user)).team

    async def _person(self, us: Us, user: str) -> _Known:
        key = us.team, user
        known = self._known.get(key, _Known())
        if known.at and time.monotonic() - known.at < KNOWN_FOR_SECONDS:
            return known
        try:
            answer = await self._api.call(us.team, "users.info", user=user, include_locale=True)
        except PlatformError as error:
            log.info("Slack does not tell who %s is: %s", user, error)
            return known
        said = object_in(answer, "user")
        self._known[key] = _Known(time.monotonic(), profile_of(said), team_of_user(said, us))
        self._known.move_to_end(key)
        if len(self._known) > KNOWN:
            self._known.popitem(last=False)
        return self._known[key]

    async def _said_before(self, message: UserMessage, us: Us) -> tuple[Quote, ...]:
        ref = message.ref
        try:
            page = await self._api.call(
                us.team,
                "conversations.replies",
                channel=ref.channel,
                ts=ref.thread,
                latest=message.id,
                limit=200,
            )
        except PlatformError as error:
            log.info("what was said before %s could not be read: %s", message.id, error)
            return ()
        said = objects_in(page, "messages")[-QUOTED - 1 :]
        users = {text_in(one, "user") for one in said} - {"", us.user}
        names = {user: name for user in users if (name := (await self._person(us, user)).profile.name)}
        return quotes_of(said, us, before=message.id, names=names)
