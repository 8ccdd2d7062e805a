"""People on a simulated Discord who do what the lines of the story say; what they then see comes back as lines.

What Discord sends it does not send again. What was written in a place the desk knows it must read there, whenever it
was written. All else is the person's: an edit, a reaction, a word of an app command, and the first message in a place
of which the desk never heard. Nothing comes of it, or Discord says "did not respond"; so they do it again, as often as
it takes, and that is once to the bench. So nobody does it again while something may still come of it: as long as a
session lives that told of it, or the desk that it reached, and until what was missed was read. Whether the desk has it
after all is asked of the store each time a desk died: what it has counts as taken in, however it looked to the person.
"""

import json
import random
import time
from collections import Counter
from collections.abc import Callable

from simulators.discord_service import AppSetup, Channel, DiscordService, Interaction
from simulators.discord_service.writing import LOADING
from tests.crash.check import Damage
from tests.crash.discord_sightings import ANSWER, CHANGE, SEND, DiscordSightings
from tests.crash.members import Done, Members, is_written, name_of
from tests.crash.people import talk_of
from tests.crash.truth import Line

DUPLICATED, CUT, LIMITED, DISTURBED = 0.2, 0.1, 0.05, 0.03
"""How many events come twice; how many answers are lost, or ask to come later; how often the gateway breaks."""
OPEN_BELOW, OPEN_ALONE = "POST /channels/{channel}/messages/{message}/threads", "POST /channels/{channel}/threads"
ACKNOWLEDGE = "POST /interactions/{interaction}/{token}/callback"
MISSED, UNHEARD = 1.0, 2.0
"""Seconds after which nothing comes any more of what a lost session told; of a first message in a place."""
SESSIONS = 1_000_000
"""More than any run begins: the desks of a run live within minutes."""
TOLD_AGAIN = ("MESSAGE_CREATE", "MESSAGE_UPDATE", "INTERACTION_CREATE")
"""What names the same event when it comes once more."""


class Guild(Members):
    """One Discord for a whole run."""

    def __init__(self, seed: int, *, hasty: bool = False) -> None:
        super().__init__(seed, hasty=hasty)
        self._disturbing = random.Random(f"disturbances {seed}")
        self._session = ("", 0.0)
        self._came: set[tuple[str, int]] = set()
        self._left: dict[str, bool] = {}

    @property
    def settings(self) -> dict[str, str]:
        return {
            "DISCORD_TOKEN": self.discord.token,
            "DISCORD_API_BASE": self.discord.api_base,
            "DISCORD_GATEWAY": self.discord.gateway_url,
            "DESK_DISCORD__SUPPORT": "support,posts",
            "DESK_DISCORD__OPEN_THREADS": "0",
        }

    def desk_died(self, has: Callable[[str], bool]) -> None:
        """Find out what the desk that is no more has taken in: `has` asks the store for the key of an event."""
        self.discord.expire_sessions()
        self._came.clear()
        for id_ in list(self._on_the_way.values()):
            done = self._done[id_]
            if any(has(key) for key in done.offered):
                self._is_taken(id_)
                continue
            done.offered.clear()
            done.lost = done.lost or not is_written(done)

    def heard(self, said: Line) -> None:
        """Take in what the desk tells the bench: a piece that it posts, an event that it takes in."""
        match said["type"]:
            case "piece":
                self.sightings.announced(said)
            case "came":
                self._came.add((said["session"], said["number"]))
            case "reads":
                self._left[said["session"]] = said["left"]
            case _:
                self._heard_of(said)

    def _heard_of(self, said: Line) -> None:
        """Take note of an event that the desk takes in: before it does, and after."""
        id_ = self.sightings.line_of(said["event"])
        if id_ not in self._done:
            return
        if said["type"] == "offered":
            self._done[id_].offered.add(said["key"])
        elif self._on_the_way.get(talk_of(self._done[id_].line)) == id_:
            self._is_taken(id_)
        else:
            type_ = "duplicate" if said["as"] == "duplicate" else "accepted"
            self._news.append({"type": type_, "id": id_, "event": said["event"]})

    def write_now(self, line: Line) -> None:
        """Write a message whoever listens, and whatever became of the one before it."""
        self._do(talk_of(line), line)

    def tally(self) -> Counter[str]:
        """How often what happened."""
        gateway, calls = self.discord.gateway, self.discord.calls()
        return self._tally + Counter(
            {
                "sessions begun": gateway.identifies,
                "sessions resumed": gateway.resumes,
                "answers cut": sum("cut_after" in call.faults for call in calls),
                "calls refused for their rate": sum("rate_limited" in call.faults for call in calls),
                "threads": len(self._roots),
                "commands that still say we think": sum(is_thinking(each) for each in self.discord.interactions),
            }
        )

    def check_threads(self, damage: Damage) -> None:
        """Note the threads that are opened for nothing, or once more."""
        wanted = {thread.id for talk in self._roots if (thread := self._thread(talk))}
        for thread in (*self.discord.threads(self._help), *self.discord.threads(self._support)):
            if thread.id not in wanted:
                damage.note("doubled threads", f"the thread {thread.name!r} is of no conversation")
        for talk in self._roots.keys() - {talk for talk in self._roots if self._thread(talk)}:
            damage.note("lost", f"{talk} has no thread")

    # --- the service --------------------------------------------------------------------------------------------------

    async def _open(self) -> None:
        self.discord = discord = await DiscordService(seed=self._seed, app=AppSetup(starts=SESSIONS)).__aenter__()
        self.sightings = DiscordSightings(discord)
        self._settle()
        discord.faults.duplicate_events(DUPLICATED)
        for route in (SEND, CHANGE, ANSWER, OPEN_BELOW, OPEN_ALONE, ACKNOWLEDGE):
            discord.faults.cut_answer(route, probability=CUT)
            discord.faults.rate_limit(route, retry_after=0, probability=LIMITED)
        discord.faults.fail("GET /channels/{channel}/messages", probability=LIMITED)

    async def _close(self) -> None:
        await self.discord.__aexit__(None, None, None)

    async def _until(self, done: Callable[[], bool], *, timeout: float) -> None:  # noqa: ASYNC109 - the service's own
        await self.discord.until(done, timeout=timeout)

    def _tell(self) -> None:
        self.discord._changes.tell()

    async def _is_connected(self) -> bool:
        return self._is_there()

    def _is_there(self) -> bool:
        """Whether a desk listens; what it had to set up it did before."""
        linked = [session.id for session in self.discord.gateway.sessions.values() if session.link]
        if linked and linked[-1] != self._session[0]:
            self._session = (linked[-1], time.monotonic())
        return bool(linked)

    def _disturb(self) -> None:
        """Now and then the gateway breaks: with a session that may be taken up again, or without."""
        if self._disturbing.random() < DISTURBED and self._is_there():
            discord = self.discord
            ways = (
                discord.drop_sockets,
                discord.reconnect,
                lambda: discord.invalidate_sessions(resumable=True),
                lambda: discord.invalidate_sessions(resumable=False),
                lambda: (discord.expire_sessions(), discord.reconnect()),
            )
            self._disturbing.choice(ways)()

    # --- what comes of what was done ----------------------------------------------------------------------------------

    def _look(self) -> None:
        for talk, id_ in list(self._on_the_way.items()):
            done = self._done[id_]
            done.lost = done.lost or self._is_lost(done)
            if done.lost and self._can_be_done(done.line):
                self._tally["done again, as nothing had come of it"] += 1
                del self._on_the_way[talk]
                self._do(talk, done.line)

    def _is_lost(self, done: Done) -> bool:
        """Whether nothing comes of it any more, and somebody has to do it again."""
        if done.offered or not self._is_there() or self._may_come(done):
            return False
        written = is_written(done) and done.message
        if written and self._is_known(self.discord.world.channels[written.channel]):
            return False
        return time.monotonic() - max(done.at, self._session[1]) > (UNHEARD if written else MISSED)

    def _may_come(self, done: Done) -> bool:
        """Whether a session still tells of it, or the desk that it reached has not taken it in yet, or reads it."""
        told = any(session in self.discord.gateway.sessions for session, _ in done.numbers)
        is_reading = self._left.get(self._session[0], True)
        return told or not self._came.isdisjoint(done.numbers) or (is_written(done) and is_reading)

    def _is_taken(self, id_: str) -> None:
        done = self._done[id_]
        self._on_the_way.pop(talk_of(done.line), None)
        if is_written(done) and done.message:
            self._heard_in.add(done.message.channel)
        self._news.append({"type": "accepted", "id": id_})

    def _send_again(self, id_: str) -> None:
        done = self._done.get(id_)
        if done is None or self._on_the_way.get(talk_of(done.line)) == id_:
            return
        for frame in done.frames:
            for session in self.discord.gateway.listening(frame["d"].get("guild_id", "")):
                session.dispatch(frame["t"], frame["d"])

    # --- doing it -----------------------------------------------------------------------------------------------------

    def _can_be_done(self, line: Line) -> bool:
        talk = talk_of(line)
        if talk in self._roots and self._thread(talk) is None and self._on_the_way.get(talk) != line["id"]:
            return False
        return self._is_there() or (self._is_said(line) and self._is_known(self._place(line)))

    def _do(self, talk: str, line: Line) -> None:
        before = {session.id: session.seq for session in self.discord.gateway.sessions.values()}
        done = getattr(self, f"_{line['type']}")(line)
        frames = [
            (session.id, json.loads(frame))
            for session in self.discord.gateway.sessions.values()
            for number, frame in session.sent
            if number > before.get(session.id, 0)
        ]
        self._done[line["id"]] = done
        if line["type"] != "message" and done.interaction is None and not is_written(done) and not frames:
            # Discord knows of nothing new, as when the same reaction is put on twice.
            self._news.append({"type": "accepted", "id": line["id"]})
            return
        self._tally["messages written while no desk was there"] += not frames
        done.numbers = tuple((session, frame["s"]) for session, frame in frames)
        told = [
            frame for _, frame in frames if frame["t"] in ("MESSAGE_CREATE", "MESSAGE_UPDATE", "INTERACTION_CREATE")
        ]
        done.frames = told[:1]
        self._on_the_way[talk] = line["id"]
        names = [f"{session}:{frame['s']}" for session, frame in frames if "REACTION" in frame["t"]]
        for name in names or [name_of(done)]:
            self.sightings.expect(name, line["id"], places=lambda: self._places_of(talk, line))
        self._disturb()

    def _is_known(self, place: Channel) -> bool:
        """Whether the desk must read what is written in a place: in its threads, and where it heard before."""
        return place.id in self._heard_in or (place.is_thread and place.parent != self._posts.id)


def is_thinking(interaction: Interaction) -> bool:
    """Whether a command was acknowledged, and nothing came of it where it was said."""
    said = interaction.original
    return said is not None and bool(said.flags & LOADING) and said.id in interaction.channel.ephemerals
