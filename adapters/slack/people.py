"""What Slack knows besides a message: who speaks, and what others said in the thread before."""

import logging
import time
from collections import OrderedDict
from dataclasses import replace

from adapters.payloads import object_in, objects_in, text_in
from adapters.slack.api import SlackApi
from adapters.slack.reading import QUOTED, profile_of, quotes_of
from adapters.slack.refs import Us, user_of
from core.errors import PlatformError
from core.models import Profile, Quote, UserMessage

log = logging.getLogger(__name__)

KNOWN_FOR_SECONDS = 3_600.0
KNOWN = 10_000


class People:
    """Asks Slack about people, and remembers for a while what it said."""

    def __init__(self, api: SlackApi) -> None:
        """Nothing is opened here."""
        self._api = api
        self._known: OrderedDict[tuple[str, str], tuple[float, Profile]] = OrderedDict()

    async def complete(self, message: UserMessage, us: Us, *, first: bool) -> UserMessage:
        """Add who speaks, and what was said in the thread before where the desk was only now called into it."""
        profile = await self._profile(us.team, user_of(message.ref))
        called_in = first and not message.ref.direct and message.ref.thread not in (None, message.id)
        quotes = await self._said_before(message, us) if called_in else ()
        return replace(message, profile=profile, quotes=quotes)

    async def _profile(self, workspace: str, user: str) -> Profile:
        key = workspace, user
        at, known = self._known.get(key, (0.0, Profile()))
        if at and time.monotonic() - at < KNOWN_FOR_SECONDS:
            return known
        try:
            answer = await self._api.call(workspace, "users.info", user=user, include_locale=True)
        except PlatformError as error:
            log.info("Slack does not tell who %s is: %s", user, error)
            return known
        self._known[key] = time.monotonic(), profile_of(object_in(answer, "user"))
        self._known.move_to_end(key)
        if len(self._known) > KNOWN:
            self._known.popitem(last=False)
        return self._known[key][1]

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
        names = {user: name for user in users if (name := (await self._profile(us.team, user)).name)}
        return quotes_of(said, us, before=message.id, names=names)
