"""Channels that workspaces share with the app installed in more than one of them: which install is meant.

Slack sends what is said there for one install or for each, and not always for the one whose bot is spoken to. So each
payload of such a channel is read as the install it means, whichever it came for: all copies of a message are one event
then. https://docs.slack.dev/apis/slack-connect/
"""

from collections.abc import Mapping, Sequence

from adapters.payloads import Json, object_in, text_in
from adapters.slack.installs import Installs
from adapters.slack.reading import mentioned_in_order
from adapters.slack.refs import Us
from core.ports import Notes

SHARED = "shared"
"""The kind of the notes that say which installs were spoken to in a shared channel, under its id."""


class Sharing:
    """Knows which installs were spoken to in each shared channel."""

    def __init__(self, installs: Installs) -> None:
        """Nothing is read here."""
        self._installs = installs
        self._notes: Notes | None = None
        self._spoken: dict[str, list[str]] | None = None

    def remember_in(self, notes: Notes) -> None:
        """Use these notes from now on; what was known from others is read anew."""
        self._notes, self._spoken = notes, None

    async def meant(self, body: Json, us: Us) -> Sequence[Us]:
        """The installs a payload that came for `us` may mean, in the order to ask them: always the same one first."""
        event = object_in(body, "event")
        if body.get("is_ext_shared_channel") is not True or event.get("channel_type") == "im":
            return (us,)
        everywhere = await self._installs.all()
        if len(everywhere) < 2:
            return (us,)
        channel = text_in(event, "channel") or text_in(object_in(event, "item"), "channel")
        if called := _called(event, {**{one.user: one for one in everywhere}, us.user: us}):
            await self._note(channel, called.team)
            return (called,)
        teams = {us.team, *(await self._known()).get(channel, ())}
        return sorted((one for one in everywhere if one.team in teams), key=lambda one: one.team)

    async def _known(self) -> dict[str, list[str]]:
        if self._spoken is None:
            found = await self._notes.all(SHARED) if self._notes else {}
            # Who asked at the same time may have read them before, and added to them since.
            if self._spoken is None:
                self._spoken = found
        return self._spoken

    async def _note(self, channel: str, team: str) -> None:
        known = await self._known()
        if team not in known.get(channel, ()):
            known[channel] = sorted({*known.get(channel, ()), team})
            if self._notes:
                await self._notes.put(SHARED, channel, known[channel])


def _called(event: Json, bots: Mapping[str, Us]) -> Us | None:
    """Whose bot a message speaks to; of more than one the first, so that one answers."""
    said = object_in(event, "message") or event
    return next((bots[user] for user in mentioned_in_order(text_in(said, "text")) if user in bots), None)
