"""What a thread of a direct conversation is called in Slack's list of them: the words it began with.

https://docs.slack.dev/reference/methods/assistant.threads.setTitle
"""

from collections import OrderedDict

from adapters.slack.api import NotGrantedError, SlackApi
from adapters.slack.streams import asked
from core.models import Delivery, UserMessage

LENGTH = 60
WAITING = 10_000
"""Threads whose first answer is not there yet."""


class Titles:
    """Names each thread once, when the message it began with is answered."""

    def __init__(self, api: SlackApi) -> None:
        """Nothing is opened here."""
        self._api = api
        self._waiting: OrderedDict[str, str] = OrderedDict()
        self._without: set[str] = set()

    def heard(self, message: UserMessage) -> None:
        """Take in a message that is about to be answered. A reply in a thread begins none."""
        ref = message.ref
        title = " ".join(message.text.split())
        if not ref.direct or ref.thread != message.id or not title:
            return
        self._waiting[asked(ref, message.id)] = title if len(title) <= LENGTH else title[: LENGTH - 1].rstrip() + "…"
        if len(self._waiting) > WAITING:
            self._waiting.popitem(last=False)

    async def answered(self, delivery: Delivery) -> None:
        """Name the thread, where this answers the message it began with. Best effort: without it all else works."""
        title = self._waiting.pop(asked(delivery.ref, delivery.to), None)
        ref = delivery.ref
        if title is None or ref.workspace in self._without:
            return
        try:
            await self._api.call(
                ref.workspace,
                "assistant.threads.setTitle",
                channel_id=ref.channel,
                thread_ts=ref.thread,
                title=title,
            )
        except NotGrantedError:
            # An app without the agent surface: to ask again for each thread would only fill the log.
            self._without.add(ref.workspace)
            raise
