"""People in a simulated Slack who do what the lines of the story say; what they then see comes back as lines."""

import asyncio
import socket
from collections.abc import Callable
from dataclasses import dataclass

from simulators.slack_service import Channel, Message, Person, SlackService, Timing
from simulators.slack_service.delivery import Envelope
from tests.crash.people import WORDS, People
from tests.crash.slack_sightings import SlackSightings
from tests.crash.story import REDO
from tests.crash.truth import Line

TIMING = Timing(acknowledge=3.0, retries=(0.02,) * 100_000)
"""What was not acknowledged is sent again until it is."""
DUPLICATED, CUT, LIMITED = 0.2, 0.1, 0.05
"""How many of the events come twice; how many answers of Slack are lost, or ask to come later."""


@dataclass(slots=True)
class _Done:
    """What somebody did: the message it is about, and what Slack sends for it."""

    talk: str
    message: Message
    envelopes: list[Envelope]


class Workspace(People[_Done]):
    """One Slack for a whole run."""

    sightings: SlackSightings

    def __init__(self, seed: int, *, http: bool = False, hasty: bool = False) -> None:
        """With `http` events are posted to an address of this machine, `address`, instead of sent through sockets."""
        super().__init__(seed, hasty=hasty)
        self.address = f"127.0.0.1:{_free_port()}" if http else None
        self._people: dict[str, Person] = {}
        self._roots: dict[str, Message] = {}

    @property
    def settings(self) -> dict[str, str]:
        """What a desk needs to be this workspace's app."""
        slack = self.slack
        return {
            "SLACK_BOT_TOKEN": slack.bot_token,
            "SLACK_APP_TOKEN": slack.app_token,
            "SLACK_SIGNING_SECRET": slack.signing_secret,
            "SLACK_API_URL": slack.api_url,
        }

    async def _open(self) -> None:
        self.slack = await SlackService(timing=TIMING, seed=self._seed).__aenter__()
        self.sightings = SlackSightings(self.slack)
        self._help: Channel = self.slack.channel("help")
        if self.address:
            self.slack.deliver_to(f"http://{self.address}/slack/events")
        self.slack.faults.duplicate_events(DUPLICATED)
        for method in ("chat.postMessage", "chat.startStream", "chat.update"):
            self.slack.faults.cut_answer(method, probability=CUT)
            self.slack.faults.rate_limit(method, retry_after=0, probability=LIMITED)

    async def _close(self) -> None:
        await self.slack.__aexit__(None, None, None)

    async def _until(self, done: Callable[[], bool], *, timeout: float) -> None:  # noqa: ASYNC109 - the service's own
        await self.slack.until(done, timeout=timeout)

    def _tell(self) -> None:
        self.slack._changes.tell()

    async def _is_connected(self) -> bool:
        if self.address is None:
            return self.slack.socket_count > 0
        host, _, port = self.address.partition(":")
        try:
            _, writer = await asyncio.open_connection(host, int(port))
        except OSError:
            return False
        writer.close()
        await writer.wait_closed()
        return True

    def _look(self) -> None:
        for talk, id_ in list(self._on_the_way.items()):
            if any(envelope.state == "acknowledged" for envelope in self._done[id_].envelopes):
                del self._on_the_way[talk]
                self._news.append({"type": "accepted", "id": id_})

    def _send_again(self, id_: str) -> None:
        done = self._done.get(id_)
        if done is not None and self._on_the_way.get(done.talk) != id_:
            for envelope in done.envelopes:
                self.slack._send(Envelope(envelope.kind, envelope.payload))

    def _do(self, talk: str, line: Line) -> None:
        before = len(self.slack.envelopes)
        message, to = getattr(self, f"_{line['type']}")(line)
        sent = [each for each in self.slack.envelopes[before:] if not to or to in _identities(each)]
        if not sent:
            # Slack knows of nothing new, as when the same reaction is put on twice.
            self._news.append({"type": "accepted", "id": line["id"]})
            return
        self._done[line["id"]] = _Done(talk, message, sent)
        self._on_the_way[talk] = line["id"]
        self.sightings.expect(to or sent[0].payload["event_id"], line["id"], thread=message.thread_ts or message.ts)

    def _message(self, line: Line) -> tuple[Message, str]:
        return self._write(line, line["text"])

    def _command(self, line: Line) -> tuple[Message, str]:
        return self._write(line, f"!{line['command']}")

    def _edit(self, line: Line) -> tuple[Message, str]:
        message = self._done[line["message"]].message
        text = line["text"] if message.channel != self._help.id else f"{self.slack.mention} {line['text']}"
        self._person(line["user"]).edit(message, text)
        return message, f"{message.ts}+{message.edited['ts']}"

    def _reaction(self, line: Line) -> tuple[Message, str]:
        person, message, name = self._person(line["user"]), self._reacted_on(line), line["name"]
        if line.get("removed"):
            if person.id in message.reactions.get(name, []):
                person.unreact(message, name)
                return message, ""
            # It was taken back by a word: there is no reaction to take off.
            name = REDO
        if person.id not in message.reactions.get(name, []):
            person.react(message, name)
        elif name in WORDS:
            # The same one cannot be put on twice.
            return self._write(line, f"!{WORDS[name]}")
        return message, ""

    def _reacted_on(self, line: Line) -> Message:
        """The answer; or its question, which means the same, where the desk may not know yet that it is answered."""
        if "key" in line and (self._hasty or not self.sightings.is_new(line["key"])):
            return self.sightings.message(line["key"])
        return self._done[line.get("question") or line["message"]].message

    def _write(self, line: Line, text: str) -> tuple[Message, str]:
        person, thread = self._person(line["user"]), line["thread"]
        in_channel = "channel" in line
        spot = thread if in_channel else f"{line['user']} {thread}"
        place = self._help if in_channel else person.im
        words = f"{self.slack.mention} {text}" if in_channel else text
        message = person.say(place, words, thread=self._roots.get(spot))
        self._roots.setdefault(spot, message)
        return message, message.ts

    def _person(self, name: str) -> Person:
        if name not in self._people:
            self._people[name] = self.slack.person(name)
            self._people[name].join(self._help)
        return self._people[name]


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])


def _identities(envelope: Envelope) -> tuple[str, ...]:
    """What an event may be told by: its message's ts, or that with the time of its edit."""
    event = envelope.payload.get("event", {})
    changed = event.get("message") or {}
    return event.get("ts", ""), f"{changed.get('ts')}+{(changed.get('edited') or {}).get('ts')}"
