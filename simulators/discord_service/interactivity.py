"""Answering interactions: one first answer in time, then follow-ups while the token lives."""

from simulators.discord_service import limits
from simulators.discord_service.announcer import Announcer
from simulators.discord_service.errors import RefusedError, invalid
from simulators.discord_service.happenings import Happenings
from simulators.discord_service.interactions import (
    AUTOCOMPLETE,
    COMMAND,
    COMPONENT,
    MODAL,
    Interaction,
    interaction_json,
)
from simulators.discord_service.mentions import PEOPLE_ONLY
from simulators.discord_service.model import Channel, Json, Message, User
from simulators.discord_service.permissions import Permission
from simulators.discord_service.shapes import message_json
from simulators.discord_service.world import World
from simulators.discord_service.writing import EPHEMERAL, LOADING, Upload, allowed_in, changes_of, compose

SAY, SAY_LATER, CHANGE_LATER, CHANGE, OFFER, ASK = 4, 5, 6, 7, 8, 9
FITTING = {
    COMMAND: (SAY, SAY_LATER, ASK),
    COMPONENT: (SAY, SAY_LATER, CHANGE_LATER, CHANGE, ASK),
    AUTOCOMPLETE: (OFFER,),
    MODAL: (SAY, SAY_LATER, CHANGE_LATER, CHANGE),
}


class Interactivity:
    """Keeps the interactions and takes the answers to them."""

    def __init__(self, world: World, happenings: Happenings, announcer: Announcer) -> None:
        self._world = world
        self._happenings = happenings
        self._announcer = announcer
        self.interactions: list[Interaction] = []
        self.modals: dict[str, tuple[Interaction, Json]] = {}
        """The form on each person's screen."""
        self._by_token: dict[str, Interaction] = {}

    def start(
        self, kind: int, user: User, channel: Channel, data: Json, *, message: Message | None = None
    ) -> Interaction:
        """Let a person do something the app has to answer."""
        id_ = self._world.ids.new()
        interaction = Interaction(id_, f"interaction-{id_}", kind, user, channel, self._world.clock(), data, message)
        self.interactions.append(interaction)
        self._by_token[interaction.token] = interaction
        body = interaction_json(self._world, interaction)
        self._announcer.in_guild(channel.guild, "INTERACTION_CREATE", body)
        return interaction

    def answer(self, id_: str, token: str, body: Json, uploads: tuple[Upload, ...]) -> Interaction:
        """Take the first answer."""
        interaction = self._by_token.get(token)
        if interaction is None or interaction.id != id_:
            raise RefusedError(10062)
        if interaction.answer:
            raise RefusedError(40060)
        if self._age(interaction) > self._world.timing.answer_within:
            raise RefusedError(10062)
        self._check_fits(interaction, body)
        self._carry_out(interaction, body["type"], body.get("data") or {}, uploads)
        interaction.answer = body
        interaction.done.set()
        return interaction

    def of_token(self, token: str) -> Interaction:
        """Give the interaction whose token allows follow-ups, or refuse."""
        interaction = self._by_token.get(token)
        if interaction is None or not interaction.answer:
            raise RefusedError(10015)
        if self._age(interaction) > self._world.timing.token_life:
            raise RefusedError(50027)
        return interaction

    def follow_up(self, interaction: Interaction, body: Json, uploads: tuple[Upload, ...]) -> Message:
        """Say something more; the first words after "thinking" take its place."""
        if interaction.original and interaction.original.flags & LOADING:
            return self.change(interaction.original, body, uploads)
        return self._say(interaction, body, uploads)

    def change(self, message: Message, body: Json, uploads: tuple[Upload, ...]) -> Message:
        """Edit an answer; a "thinking" one is finished by it and does not count as edited."""
        was_loading = bool(message.flags & LOADING)
        # First: new flags are put beside those that stay.
        message.flags &= ~LOADING
        changes = changes_of(self._world, message, body, uploads)
        self._happenings.edit(message, changes, allowed_in(body, PEOPLE_ONLY))
        if was_loading:
            message.edited = None
        return message

    def delete(self, message: Message) -> None:
        """Take an answer back."""
        if message.visible_to:
            del self._world.channels[message.channel].ephemerals[message.id]
        else:
            self._happenings.delete(message)

    def message_of(self, interaction: Interaction, id_: str) -> Message:
        """Give a message of an interaction: `@original`, or one of its follow-ups."""
        channel = interaction.channel
        if id_ == "@original":
            id_ = interaction.original.id if interaction.original else ""
        found = channel.messages.get(id_) or channel.ephemerals.get(id_)
        if found is None or found.application != self._world.app.id:
            raise RefusedError(10008)
        return found

    def _age(self, interaction: Interaction) -> float:
        return self._world.clock() - interaction.born

    def _check_fits(self, interaction: Interaction, body: Json) -> None:
        fitting = FITTING[interaction.kind]
        if interaction.kind == MODAL and interaction.message is None:
            fitting = (SAY, SAY_LATER)
        if body.get("type") not in fitting:
            raise invalid("type", "BASE_TYPE_CHOICES", f"Value must be one of {set(fitting)}.")

    def _carry_out(self, interaction: Interaction, kind: int, data: Json, uploads: tuple[Upload, ...]) -> None:
        if kind == SAY:
            interaction.original = self._say(interaction, data, uploads)
        elif kind == SAY_LATER:
            interaction.original = self._think(interaction, data)
        elif kind in (CHANGE, CHANGE_LATER):
            interaction.original = interaction.message
            if kind == CHANGE and interaction.message:
                self.change(interaction.message, data, uploads)
        elif kind == OFFER:
            check_choices(data.get("choices") or [])
        elif kind == ASK:
            limits.check_modal(data)
            self.modals[interaction.user.id] = (interaction, data)

    def _say(self, interaction: Interaction, data: Json, uploads: tuple[Upload, ...]) -> Message:
        message = compose(self._world, interaction.channel, data, uploads)
        return self._put(interaction, message, data)

    def _think(self, interaction: Interaction, data: Json) -> Message:
        world = self._world
        message = Message(world.ids.new(), interaction.channel.id, world.app.id, sent=world.clock(), flags=LOADING)
        message.application = world.app.id
        return self._put(interaction, message, data)

    def _put(self, interaction: Interaction, message: Message, data: Json) -> Message:
        self._check_unlocked(interaction.channel)
        message.interaction = interaction.metadata
        if interaction.original is None and interaction.kind == COMMAND:
            message.type = 20 if interaction.data.get("type") == 1 else 23
        if not int(data.get("flags") or 0) & EPHEMERAL:
            return self._happenings.post(message, allowed_in(data, PEOPLE_ONLY))
        message.flags |= EPHEMERAL
        message.visible_to = interaction.user.id
        interaction.channel.ephemerals[message.id] = message
        return message

    def _check_unlocked(self, channel: Channel) -> None:
        """Refuse as Discord does in a locked thread: https://github.com/discord/discord-api-docs/issues/6884."""
        if channel.locked and not self._world.may(self._world.app.id, channel, Permission.MANAGE_THREADS):
            raise RefusedError(50083, status=403)


def callback_json(world: World, interaction: Interaction) -> Json:
    """Write what the first answer led to, as `with_response` asks for it."""
    kind, message = interaction.answer["type"], interaction.original
    about: Json = {"id": interaction.id, "type": interaction.kind}
    resource: Json = {"type": kind}
    if message and kind in (SAY, SAY_LATER, CHANGE):
        resource["message"] = message_json(world, message)
        about["response_message_id"] = message.id
        about["response_message_loading"] = bool(message.flags & LOADING)
        about["response_message_ephemeral"] = bool(message.visible_to)
    return {"interaction": about, "resource": resource}


def check_choices(choices: list[Json]) -> None:
    """Refuse more choices, or longer ones, than autocomplete shows."""
    if len(choices) > limits.CHOICES:
        raise invalid("data.choices", "BASE_TYPE_MAX_LENGTH", f"Must be {limits.CHOICES} or fewer in length.")
    for index, choice in enumerate(choices):
        limits.check_length(f"data.choices.{index}.name", choice.get("name"), 100, least=1)
