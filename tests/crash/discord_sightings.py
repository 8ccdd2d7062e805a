"""What people on Discord were shown, as lines; and what stands there in the end that should not."""

from collections.abc import Callable

from adapters.discord.render import nonce_of
from simulators.discord_service import Call, DiscordService, Message
from simulators.discord_service.happenings import SYSTEM
from tests.crash.sightings import Sightings, Standing, letters
from tests.crash.truth import Line

SEND = "POST /channels/{channel}/messages"
CHANGE = "PATCH /channels/{channel}/messages/{message}"
ANSWER = "PATCH /webhooks/{app}/{token}/messages/{message}"
FOLLOW_UP = "POST /webhooks/{app}/{token}"


class DiscordSightings(Sightings[Message]):
    """A message carries its piece's key as its nonce; one that was streamed carries what it answers."""

    def __init__(self, discord: DiscordService) -> None:
        super().__init__()
        self._discord = discord
        self._keys: dict[str, str] = {}
        self._streams: dict[str, str] = {}
        self._streamed: dict[str, str] = {}
        self._lines_of_ours: set[str] = set()
        self._places: dict[str, Callable[[], set[str]]] = {}
        self._stood: list[tuple[str, str]] = []

    def expect(self, to: str, line: str, *, places: Callable[[], set[str]]) -> None:
        """Take note by what the desk calls an event, and in which channels its answer may stand."""
        self._lines[to], self._places[line] = line, places

    def expect_line(self, key: str) -> None:
        """Take note of a line of the desk's that is no piece of an answer."""
        self._lines_of_ours.add(nonce_of(key))

    def line_of(self, event: str) -> str | None:
        """The line that an event is, as the desk calls it."""
        return self._lines.get(event)

    def announced(self, piece: Line) -> None:
        super().announced(piece)
        self._keys[nonce_of(piece["key"])] = piece["key"]
        self._streams[nonce_of(f"stream/{piece['asked']}")] = piece["to"]

    @property
    def _called(self) -> list[Call]:
        return self._discord._rest.calls

    def _seen(self, call: Call) -> list[Line]:
        channel = self._discord.world.channels.get(call.path.split("/")[2])
        if call.route == SEND and channel:
            key = self._keys.get(str(call.args.get("nonce")))
            return [self._reply(key, channel.messages[call.answer["id"]], call)] if key else []
        if call.route not in (CHANGE, ANSWER, FOLLOW_UP) or "components" not in call.args:
            # What is streamed, or says where the answer is, has no buttons, and no place for them.
            return []
        if call.route == CHANGE and channel:
            return [self._final(channel.messages[call.answer["id"]], call)]
        return self._private(call)

    def _final(self, message: Message, call: Call) -> Line:
        nonce = str(message.nonce)
        key = self._key_of(message)
        if key and self._is_change(message, key, call):
            return self._changed(key, message.id, call.args["content"])
        key = self._streamed[message.id] = key or self._announced_to(self._streams[nonce], call)
        return self._reply(key, message, call)

    def _is_change(self, message: Message, key: str, call: Call) -> bool:
        """Whether a call changes what stands there; else it says the answer itself once more."""
        said, changes = letters(call.args["content"]), self._changes[message.id]
        is_answer = said == letters(self._replies[key]["text"])
        return any(letters(piece["text"]) == said for piece in changes) or bool(changes and not is_answer)

    def _private(self, call: Call) -> list[Line]:
        interaction = self._discord._parts.interactivity.of_token(call.path.split("/")[3])
        places = (interaction.channel.messages, interaction.channel.ephemerals)
        message = next(place[call.answer["id"]] for place in places if call.answer["id"] in place)
        return [self._reply(self._announced_to(interaction.id, call), message, call)]

    def _announced_to(self, event: str, call: Call) -> str:
        """The piece of an answer that a call says."""
        said = letters(call.args["content"])
        pieces = [piece for piece in self._replies.values() if piece["to"] == event]
        return str(min(pieces, key=lambda piece: letters(piece["text"]) != said)["key"])

    def _reply(self, key: str, message: Message, call: Call) -> Line:
        seen = self._appeared(key, message, call.args["content"])
        self._stood.append((seen["to"], message.channel))
        return seen

    def _ours(self) -> list[Standing]:
        for line, channel in self._stood:
            if channel not in self._places[line]():
                self._elsewhere.append(f"the answer to {line} stands in channel {channel}")
        return [
            Standing(
                message.id, self._keys.get(str(message.nonce)) or self._streamed.get(message.id, ""), message.content
            )
            for channel in self._discord.world.channels.values()
            for message in channel.messages.values()
            if message.author == self._discord.app.id
            and message.type not in SYSTEM
            and str(message.nonce) not in self._lines_of_ours
        ]

    def _key_of(self, message: Message) -> str:
        return self._keys.get(str(message.nonce)) or self._streamed.get(message.id, "")
