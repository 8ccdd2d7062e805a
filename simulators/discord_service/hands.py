"""What a person does that the app has to answer: commands, presses, menus and forms."""

from simulators.discord_service.interactions import AUTOCOMPLETE, COMMAND, COMPONENT, MODAL, Interaction
from simulators.discord_service.model import Channel, Json, Member, Message, Role, User
from simulators.discord_service.options import filled_options, resolved
from simulators.discord_service.parts import Parts
from simulators.discord_service.permissions import Permission
from simulators.discord_service.shapes import member_json, message_json, user_json
from simulators.discord_service.shown import Shown, elements_of

Spot = Message | Shown
SLASH, ON_USER, ON_MESSAGE = 1, 2, 3


class Hands:
    """The pressing half of a person. Each act gives its interaction: `await act.done.wait()` for the answer."""

    def __init__(self, parts: Parts, user: User) -> None:
        self.user = user
        self._parts = parts
        self._world = parts.world

    def slash(
        self, *words: str, channel: Channel | None = None, options: dict[str, object] | None = None, **more: object
    ) -> Interaction:
        """Say `/words` in a channel, or in the direct conversation, with options by name."""
        return self._command(COMMAND, words, channel, (options or {}) | more, focused=None)

    def autocomplete(self, *words: str, typed: str = "", channel: Channel | None = None, **more: object) -> Interaction:
        """Type into an option: the last of `words`. The answer's `choices` are what is offered."""
        return self._command(AUTOCOMPLETE, words[:-1], channel, more | {words[-1]: typed}, focused=words[-1])

    def menu(self, name: str, target: "Spot | Hands", *, channel: Channel | None = None) -> Interaction:
        """Choose a command from the menu of a message or, with a channel, of a person."""
        if isinstance(target, Hands):
            where = channel or self.im
            data = self._named(ON_USER, name, where) | {"target_id": target.user.id}
            return self._start(COMMAND, where, data | {"resolved": self._person_resolved(target.user, where)})
        message = self._find(target)
        where = self._world.channels[message.channel]
        shown = {"messages": {message.id: message_json(self._world, message)}}
        data = self._named(ON_MESSAGE, name, where) | {"target_id": message.id, "resolved": shown}
        return self._start(COMMAND, where, data)

    def press(self, message: Spot, button: str = "", *, custom_id: str | None = None) -> Interaction:
        """Press the button with this label or custom id. `custom_id` forges one that is not there."""
        found = self._find(message)
        if custom_id is None:
            custom_id = self._element(found, button)["custom_id"]
        data: Json = {"component_type": 2, "custom_id": custom_id, "id": 1}
        return self._start(COMPONENT, self._world.channels[found.channel], data, found)

    def choose(self, message: Spot, menu: str, *values: str) -> Interaction:
        """Choose from the menu with this placeholder or custom id, by value or label."""
        found = self._find(message)
        element = self._element(found, menu)
        known = {option["label"]: option["value"] for option in element.get("options") or []}
        chosen = [known.get(value, value) for value in values]
        data: Json = {"component_type": element["type"], "custom_id": element["custom_id"], "values": chosen, "id": 1}
        if element["type"] != 3:
            data["resolved"] = resolved(self._world, found.channel, chosen)
        return self._start(COMPONENT, self._world.channels[found.channel], data, found)

    @property
    def im(self) -> Channel:
        """Give this person's direct conversation with the app."""
        return self._world.direct(self._world.app.id, self.user.id)

    @property
    def modal(self) -> Json | None:
        """Give the form on this person's screen."""
        _, form = self._parts.interactivity.modals.get(self.user.id, (None, None))
        return form

    def submit_modal(self, **values: str) -> Interaction:
        """Send in the form on the screen, its fields filled by custom id."""
        if self.modal is None:
            raise LookupError(f"{self.user.name} has no form open")
        asked_by, form = self._parts.interactivity.modals.pop(self.user.id)
        data = {"custom_id": form["custom_id"], "components": [filled_row(row, values) for row in form["components"]]}
        return self._start(MODAL, asked_by.channel, data, asked_by.message)

    def close_modal(self) -> None:
        """Close the form on the screen; the app never hears of it."""
        self._parts.interactivity.modals.pop(self.user.id, None)

    def _command(
        self,
        kind: int,
        words: tuple[str, ...],
        channel: Channel | None,
        given: dict[str, object],
        *,
        focused: str | None,
    ) -> Interaction:
        where = channel or self.im
        command = self._parts.commands.find(SLASH, words[0], where.guild)
        self._check_allowed(command, where)
        values = {name: plain(value) for name, value in given.items()}
        data = self._named(SLASH, words[0], where)
        data["options"] = filled_options(command, words[1:], values, focused=focused)
        ids = [value for value in values.values() if isinstance(value, str)]
        about = resolved(self._world, where.id, ids)
        return self._start(kind, where, data | ({"resolved": about} if about else {}))

    def _named(self, kind: int, name: str, channel: Channel) -> Json:
        command = self._parts.commands.find(kind, name, channel.guild)
        self._check_allowed(command, channel)
        own: Json = {"guild_id": command["guild_id"]} if "guild_id" in command else {}
        return {"id": command["id"], "name": name, "type": kind} | own

    def _check_allowed(self, command: Json, channel: Channel) -> None:
        allowed = self._world.permissions(self.user.id, channel)
        asked = command.get("default_member_permissions")
        if Permission.USE_APPLICATION_COMMANDS not in allowed or (channel.guild and int(asked or 0) & ~int(allowed)):
            raise LookupError(f"{self.user.name} may not use {command['name']!r} here")

    def _start(self, kind: int, channel: Channel, data: Json, message: Message | None = None) -> Interaction:
        return self._parts.interactivity.start(kind, self.user, channel, data, message=message)

    def _element(self, message: Message, wanted: str) -> Json:
        for element in elements_of(message.components):
            if wanted in (element.get("label"), element.get("placeholder"), element.get("custom_id")):
                if element.get("disabled") or "custom_id" not in element:
                    raise LookupError(f"{wanted!r} cannot be pressed")
                return element
        raise LookupError(f"nothing to press is called {wanted!r}")

    def _person_resolved(self, user: User, channel: Channel) -> Json:
        body: Json = {"users": {user.id: user_json(user)}}
        member: Member | None = self._world.guilds[channel.guild].members.get(user.id) if channel.guild else None
        if member is None:
            return body
        bits = str(int(self._world.permissions(user.id, channel)) & (1 << 53) - 1)
        shown = member_json(self._world, member, with_user=False) | {"permissions": bits}
        return body | {"members": {user.id: shown}}

    def _find(self, spot: Spot) -> Message:
        channel = self._world.channels[spot.channel]
        found = channel.messages.get(spot.id) or channel.ephemerals.get(spot.id)
        if found is None:
            raise LookupError(f"there is no message {spot.id} in {spot.channel}")
        return found


def plain(value: object) -> object:
    """Give the id of a person, channel or role; anything else as it is."""
    if isinstance(value, Hands):
        return value.user.id
    return value.id if isinstance(value, (Channel, Role, User)) else value


def filled_row(row: Json, values: dict[str, str]) -> Json:
    """Fill a row, or a labelled field, of a form."""
    if "component" in row:
        return {"type": row["type"], "id": row.get("id", 0), "component": _filled(row["component"], values)}
    if "components" not in row:
        return {"type": row["type"], "id": row.get("id", 0)}
    return {"type": row["type"], "id": row.get("id", 0), "components": [_filled(e, values) for e in row["components"]]}


def _filled(element: Json, values: dict[str, str]) -> Json:
    name = element["custom_id"]
    said = values.get(name, element.get("value", ""))
    if element.get("required", True) and not said:
        raise LookupError(f"the field {name!r} must be filled in")
    content: Json = {"value": said} if element["type"] == 4 else {"values": [said] if said else []}
    return {"type": element["type"], "custom_id": name, "id": element.get("id", 0)} | content
