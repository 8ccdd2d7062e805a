"""Trigger ids, response URLs, and what an app's answer to a command, press or form does."""

from dataclasses import dataclass

from simulators.slack_service.delivery import Envelope
from simulators.slack_service.errors import RefusedError
from simulators.slack_service.happenings import Happenings
from simulators.slack_service.model import Channel, Json, Message
from simulators.slack_service.world import SLACKBOT, World

TRIGGER_SECONDS = 3.0
RESPONSE_SECONDS = 30 * 60.0
RESPONSE_USES = 5


@dataclass(slots=True)
class Trigger:
    """Somebody's act that may open one modal, soon."""

    user: str
    made: float
    used: bool = False


@dataclass(slots=True)
class ResponseUrl:
    """Where an app may still answer, and what it answers about."""

    user: str
    channel: str
    message_ts: str
    made: float
    uses: int = 0


class Interactivity:
    """Keeps what interactions leave open."""

    def __init__(self, world: World, happenings: Happenings) -> None:
        self.base_url = ""
        self._world = world
        self._happenings = happenings
        self._triggers: dict[str, Trigger] = {}
        self._urls: dict[str, ResponseUrl] = {}

    def new_trigger(self, user: str) -> str:
        """Give a trigger id, good for one modal within three seconds."""
        trigger_id = self._world.ids.new("trigger.")
        self._triggers[trigger_id] = Trigger(user, self._world.clock())
        return trigger_id

    def use_trigger(self, trigger_id: str) -> str:
        """Spend a trigger; give its user."""
        trigger = self._triggers.get(trigger_id)
        if trigger is None:
            raise RefusedError("invalid_trigger_id")
        if trigger.used:
            raise RefusedError("exchanged_trigger_id")
        if self._world.clock() - trigger.made > TRIGGER_SECONDS:
            raise RefusedError("expired_trigger_id")
        trigger.used = True
        return trigger.user

    def new_response_url(self, user: str, channel: str, message_ts: str = "") -> str:
        """Give a URL, good for five answers within half an hour."""
        key = self._world.ids.new("R")
        self._urls[key] = ResponseUrl(user, channel, message_ts, self._world.clock())
        return f"{self.base_url}/response/{key}"

    def respond(self, key: str, body: Json) -> None:
        """Do what was posted to a response URL."""
        url = self._urls.get(key)
        if url is None or self._world.clock() - url.made > RESPONSE_SECONDS:
            raise RefusedError("expired_url")
        if url.uses >= RESPONSE_USES:
            raise RefusedError("used_url")
        url.uses += 1
        self._answer(url, body)

    def ended(self, envelope: Envelope) -> None:
        """Do what the app's acknowledgement says, or show the person that none came."""
        if envelope.state == "lost":
            self._lost(envelope)
            return
        answer: Json = {"text": envelope.answer} if isinstance(envelope.answer, str) else envelope.answer or {}
        if envelope.kind == "slash_commands" and answer:
            self._answer(self._urls[envelope.payload["response_url"].rsplit("/", 1)[1]], answer)
        if envelope.payload.get("type") == "view_submission":
            self._submitted(envelope.payload, answer)

    def _lost(self, envelope: Envelope) -> None:
        if envelope.kind == "slash_commands":
            payload = envelope.payload
            text = f'{payload["command"]} failed with the error "operation_timeout"'
            channel = self._world.channels[payload["channel_id"]]
            self._whisper(channel, payload["user_id"], {"text": text}, user=SLACKBOT)

    def _submitted(self, payload: Json, answer: Json) -> None:
        view = self._world.views[payload["view"]["id"]]
        action = answer.get("response_action")
        if action == "update":
            view.body, view.hash = answer["view"], self._world.stamps.new()
        elif action not in ("errors", "push"):
            del self._world.views[view.id]

    def _answer(self, url: ResponseUrl, body: Json) -> None:
        channel = self._world.channels[url.channel]
        original = channel.ephemerals.get(url.message_ts) or channel.messages.get(url.message_ts)
        if original and body.get("delete_original"):
            self._remove(channel, original)
        elif original and body.get("replace_original"):
            self._replace(original, body)
        elif body.get("response_type") == "in_channel":
            self._happenings.post(self._written(channel, body))
        elif body.get("text") or body.get("blocks"):
            self._whisper(channel, url.user, body)

    def _remove(self, channel: Channel, original: Message) -> None:
        if original.visible_to:
            del channel.ephemerals[original.ts]
        else:
            self._happenings.delete(original)

    def _replace(self, original: Message, body: Json) -> None:
        changes: Json = {"text": body.get("text", ""), "blocks": body.get("blocks", [])}
        if not original.visible_to:
            self._happenings.edit(original, original.user, changes)
            return
        original.text, original.blocks = changes["text"], changes["blocks"]

    def _whisper(self, channel: Channel, to: str, body: Json, *, user: str = "") -> None:
        message = self._written(channel, body)
        message.visible_to, message.user = to, user or message.user
        channel.ephemerals[message.ts] = message

    def _written(self, channel: Channel, body: Json) -> Message:
        install = self._world.install_in(channel.team)
        user, bot_id = (install.user, install.bot_id) if install else (SLACKBOT, "")
        return Message(
            self._world.stamps.new(),
            channel.id,
            user,
            channel.team,
            body.get("text", ""),
            body.get("thread_ts"),
            bot_id=bot_id,
            app_id=self._world.app.id,
            blocks=body.get("blocks") or [],
        )
