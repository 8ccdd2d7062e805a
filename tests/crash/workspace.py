"""People in a simulated Slack who do what the lines of the story say; what they then see comes back as lines.

The service lives in this process, which is never killed. Its loop runs while the bench listens to the desk, and stands
still while it forks.
"""

import asyncio
import socket
from collections import deque
from contextlib import suppress
from dataclasses import dataclass

from simulators.slack_service import Channel, Message, Person, SlackService, Timing
from simulators.slack_service.delivery import Envelope
from tests.crash.sightings import Sightings
from tests.crash.story import REDO, UNDO
from tests.crash.truth import Line

WORDS = {UNDO: "!undo", REDO: "!redo"}
TIMING = Timing(acknowledge=3.0, retries=(0.02,) * 100_000)
"""What was not acknowledged is sent again until it is."""
DUPLICATED, CUT, LIMITED = 0.2, 0.1, 0.05
"""How many of the events come twice; how many answers of Slack are lost, or ask to come later."""
QUIET = 0.3
"""Seconds without a call after which a desk has nothing more to say."""


@dataclass(slots=True)
class _Done:
    """What somebody did: the message it is about, and what Slack sends for it."""

    talk: str
    message: Message
    envelopes: list[Envelope]


class Workspace:
    """One Slack for a whole run.

    What Slack sends again comes in no order. So that a talk has one right outcome, its next event happens when the one
    before it was taken in.
    """

    def __init__(self, seed: int, *, http: bool = False, hasty: bool = False) -> None:
        """With `http` events are posted to an address of this machine, `address`, instead of sent through sockets."""
        self.address = f"127.0.0.1:{_free_port()}" if http else None
        self._seed = seed
        self._hasty = hasty
        self.desks = 0
        self._loop = asyncio.new_event_loop()
        self._people: dict[str, Person] = {}
        self._roots: dict[str, Message] = {}
        self._known: set[str] = set()
        self._waiting: dict[str, deque[Line]] = {}
        self._on_the_way: dict[str, str] = {}
        self._done: dict[str, _Done] = {}
        self._again: list[str] = []
        self._news: list[Line] = []

    def open(self) -> None:
        """Start the service."""
        self._loop.run_until_complete(self._open())

    def close(self) -> None:
        """End it."""
        self._loop.run_until_complete(self.slack.__aexit__(None, None, None))
        self._loop.close()

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

    def desk_begins(self) -> None:
        """Take note that another desk begins."""
        self.desks += 1
        self.sightings.desk_begins()

    def send(self, line: Line) -> None:
        """Have a line done in its turn. What was done before comes once more, as Slack may send things twice."""
        if line["id"] in self._known:
            self._again.append(line["id"])
            return
        self._known.add(line["id"])
        self._waiting.setdefault(_talk_of(line), deque()).append(line)

    def run(self, seconds: float, desk: int) -> None:
        """Let time pass until something comes of it, at most so long; `desk` is readable when the desk speaks."""
        self._loop.run_until_complete(self._run(seconds, desk))

    def news(self) -> list[Line]:
        """What was taken in, and what people saw, since this was asked last."""
        news, self._news = self._news, []
        return news + self.sightings.fresh()

    def run_until_quiet(self, seconds: float) -> None:
        """Let time pass until a desk is connected and has not called for a while, at most so long."""
        self._loop.run_until_complete(self._run_until_quiet(seconds))

    async def _open(self) -> None:
        self.slack = await SlackService(timing=TIMING, seed=self._seed).__aenter__()
        self.sightings = Sightings(self.slack)
        self._help: Channel = self.slack.channel("help")
        if self.address:
            self.slack.deliver_to(f"http://{self.address}/slack/events")
        self.slack.faults.duplicate_events(DUPLICATED)
        for method in ("chat.postMessage", "chat.startStream", "chat.update"):
            self.slack.faults.cut_answer(method, probability=CUT)
            self.slack.faults.rate_limit(method, retry_after=0, probability=LIMITED)

    async def _run(self, seconds: float, desk: int) -> None:
        spoke = False

        def speak() -> None:
            nonlocal spoke
            spoke = True
            self._loop.remove_reader(desk)
            self.slack._changes.tell()

        self._loop.add_reader(desk, speak)
        with suppress(TimeoutError):
            await self.slack.until(lambda: self._pass_time() or spoke, timeout=max(seconds, 0.001))
        self._loop.remove_reader(desk)

    async def _run_until_quiet(self, seconds: float) -> None:
        now = self._loop.time
        until, since, calls = now() + seconds, now(), -1
        while now() < min(since + QUIET, until):
            await asyncio.sleep(0.02)
            self._pass_time()
            if calls != len(self.slack._web.calls) or not await self._is_connected():
                since, calls = now(), len(self.slack._web.calls)

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

    def _pass_time(self) -> bool:
        """Do what is to be done now; whether something came of what was done before."""
        for talk, id_ in list(self._on_the_way.items()):
            if any(envelope.state == "acknowledged" for envelope in self._done[id_].envelopes):
                del self._on_the_way[talk]
                self._news.append({"type": "accepted", "id": id_})
        for id_ in self._again:
            self._send_again(id_)
        self._again.clear()
        for talk in [talk for talk in self._waiting if talk not in self._on_the_way]:
            self._do(talk, self._waiting[talk].popleft())
            if not self._waiting[talk]:
                del self._waiting[talk]
        return bool(self._news) or self.sightings.are_more

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
            return self._write(line, WORDS[name])
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


def _talk_of(line: Line) -> str:
    return str(line["thread"] if "channel" in line else line["user"])


def _identities(envelope: Envelope) -> tuple[str, ...]:
    """What an event may be told by: its message's ts, or that with the time of its edit."""
    event = envelope.payload.get("event", {})
    changed = event.get("message") or {}
    return event.get("ts", ""), f"{changed.get('ts')}+{(changed.get('edited') or {}).get('ts')}"
