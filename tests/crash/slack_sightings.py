"""What people in Slack were shown, as lines; and what stands there in the end that should not."""

from typing import Any

from simulators.slack_service import Message, SlackService
from simulators.slack_service.web_api import Call
from tests.crash.sightings import Sightings, Standing
from tests.crash.truth import Line


class SlackSightings(Sightings[Message]):
    """A message carries its piece's key as metadata."""

    def __init__(self, slack: SlackService) -> None:
        super().__init__()
        self._slack = slack
        self._threads: dict[str, str] = {}

    def expect(self, to: str, line: str, *, thread: str) -> None:
        """Take note by what the desk calls an event, and in which thread its answer belongs."""
        self._lines[to], self._threads[line] = line, thread

    @property
    def _called(self) -> list[Call]:
        return self._slack._web.calls

    def _seen(self, call: Call) -> list[Line]:
        if call.method == "chat.postMessage" or (call.method == "chat.update" and "metadata" in call.args):
            return [self._reply(call)]
        return [self._change(call)] if call.method == "chat.update" else []

    def _reply(self, call: Call) -> Line:
        channel = self._slack.world.channels[call.args["channel"]]
        message = channel.messages[call.answer["ts"]]
        seen = self._appeared(_key_in(call.args["metadata"]), message, call.args["text"])
        if message.thread_ts != self._threads[seen["to"]]:
            self._elsewhere.append(f"the answer to {seen['to']} stands in another thread")
        return seen

    def _change(self, call: Call) -> Line:
        channel = self._slack.world.channels[call.args["channel"]]
        key = _key_in(channel.messages[call.args["ts"]].metadata)
        return self._changed(key, call.args["ts"], call.args["text"])

    def _ours(self) -> list[Standing]:
        bot = self._slack.install.user
        return [
            Standing(message.ts, _key_in(message.metadata), message.text, message.stream == "in_progress")
            for channel in self._slack.world.channels.values()
            for message in channel.messages.values()
            if message.user == bot and message.subtype != "tombstone"
        ]


def _key_in(metadata: dict[str, Any]) -> str:
    return str(metadata.get("event_payload", {}).get("key", ""))
