"""What a person presses: commands, buttons, shortcuts and forms."""

from simulators.slack_service import interactions
from simulators.slack_service.delivery import Envelope
from simulators.slack_service.interactions import Act
from simulators.slack_service.model import Channel, Json, Message, User, View
from simulators.slack_service.parts import Parts
from simulators.slack_service.shapes import view_json
from simulators.slack_service.shown import Shown, clickable


class Hands:
    """The pressing half of a person. Each act gives its envelope: `await envelope.done.wait()` for the answer."""

    def __init__(self, parts: Parts, user: User) -> None:
        self.user = user
        self._parts = parts
        self._world = parts.world

    def slash(self, command: str, text: str = "", channel: Channel | None = None) -> Envelope:
        """Say `/command text` in a channel, or in the direct conversation with the app."""
        channel = channel or self._world.im_of(self.user)
        payload = interactions.slash_command(self._act(channel, None), channel, command, text)
        return self._parts.send(Envelope("slash_commands", payload))

    def press(self, where: Message | Shown | View, action: str, *, value: str | None = None) -> Envelope:
        """Press the element with this action id, label or value. `value` forges another one, or an unknown element."""
        blocks = where.body["blocks"] if isinstance(where, View) else self._find(where).blocks
        element, block_id = find_element(blocks, action, forged=value)
        done = interactions.pressed(element, block_id, value=value, action_ts=self._world.stamps.new())
        if isinstance(where, View):
            return self._interact(interactions.view_pressed(self._act(None, None), self._view(where), done))
        message = self._find(where)
        channel = self._world.channels[message.channel]
        return self._interact(interactions.message_pressed(self._act(channel, message), channel, message, done))

    def press_home(self, action: str, *, value: str | None = None) -> Envelope:
        """Press something in App Home."""
        team = self._world.install_of(self.user).team
        return self.press(self._world.homes[team, self.user.id], action, value=value)

    def shortcut(self, message: Message | Shown, callback_id: str) -> Envelope:
        """Choose a shortcut from a message's menu."""
        found = self._find(message)
        channel = self._world.channels[found.channel]
        return self._interact(interactions.message_shortcut(self._act(channel, found), channel, found, callback_id))

    def global_shortcut(self, callback_id: str) -> Envelope:
        """Choose a shortcut from the search bar or the plus menu."""
        payload = interactions.global_shortcut(self._act(None, None), callback_id, self._world.stamps.new())
        return self._interact(payload)

    @property
    def modal(self) -> View | None:
        """Give the modal on this person's screen."""
        views = [view for view in self._world.views.values() if view.user == self.user.id]
        return views[-1] if views else None

    def submit(self, **values: str) -> Envelope:
        """Send in the modal on the screen, its fields filled by action id."""
        view = self._modal()
        payload = interactions.view_submitted(self._act(None, None), self._view(view) | {"state": filled(view, values)})
        return self._interact(payload)

    def close_modal(self) -> Envelope | None:
        """Close the modal on the screen; the app hears of it only if it asked to."""
        view = self._modal()
        payload = interactions.view_closed(self._act(None, None), self._view(view))
        del self._world.views[view.id]
        return self._interact(payload) if view.body.get("notify_on_close") else None

    def _interact(self, payload: Json) -> Envelope:
        return self._parts.send(Envelope("interactive", payload))

    def _modal(self) -> View:
        if self.modal is None:
            raise LookupError(f"{self.user.name} has no modal open")
        return self.modal

    def _act(self, channel: Channel | None, message: Message | None) -> Act:
        interactivity, world = self._parts.interactivity, self._world
        team = world.teams[self._world.install_of(self.user).team]
        url = interactivity.new_response_url(self.user.id, channel.id, message.ts if message else "") if channel else ""
        return Act(self.user, team, world.app.id, interactivity.new_trigger(self.user.id), url)

    def _view(self, view: View) -> Json:
        return view_json(view, self._world.install_of(self.user), self._world.app.id)

    def _find(self, spot: Message | Shown) -> Message:
        channel = self._world.channels[spot.channel]
        found = channel.messages.get(spot.ts) or channel.ephemerals.get(spot.ts)
        if found is None:
            raise LookupError(f"there is no message {spot.ts} in {spot.channel}")
        return found


def find_element(blocks: list[Json], wanted: str, *, forged: str | None) -> tuple[Json, str]:
    """Give an element and its block's id; an unknown one only when its value is forged."""
    for index, block in enumerate(blocks):
        for element in clickable(block):
            label = (element.get("text") or {}).get("text")
            if wanted in (element.get("action_id"), label, element.get("value")):
                return element, block.get("block_id") or f"block-{index}"
    if forged is None:
        raise LookupError(f"nothing to press is called {wanted!r}")
    return {"type": "button", "action_id": wanted}, "forged"


def filled(view: View, values: dict[str, str]) -> Json:
    """Give the state of a form whose fields were filled in."""
    state: Json = {}
    for index, block in enumerate(view.body["blocks"]):
        element = block.get("element") or {}
        said = values.get(element.get("action_id", ""))
        if said is None:
            continue
        kind = element["type"]
        content: Json = {"selected_option": {"value": said}} if kind == "static_select" else {"value": said}
        block_id = block.get("block_id") or f"block-{index}"
        state.setdefault(block_id, {})[element["action_id"]] = {"type": kind} | content
    return {"values": state}
