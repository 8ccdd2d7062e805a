"""Messages as a person sees them: mentions by name, buttons by label, whispers only where they belong."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from simulators.discord_service.limits import SELECTS
from simulators.discord_service.model import Channel, Json, Message, User
from simulators.discord_service.world import World
from simulators.discord_service.writing import LOADING, SUPPRESS_EMBEDS

TOKEN = re.compile(r"<(@!?|@&|#)(\d+)>")


@dataclass(frozen=True, slots=True)
class Button:
    """Something to press, or a menu to choose from."""

    custom_id: str
    label: str
    disabled: bool = False
    url: str = ""
    options: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Shown:
    """One message on somebody's screen."""

    channel: str
    id: str
    user: str
    author: str
    text: str
    type: int = 0
    buttons: tuple[Button, ...] = ()
    reactions: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    embeds: tuple[str, ...] = ()
    """Title and description of each embed, as one text."""
    pings: tuple[str, ...] = ()
    """Whom it called when it was sent: `@Alice`, `@support`, `@everyone`."""
    reply_to: str | None = None
    thread: str | None = None
    """The thread that started from it."""
    ephemeral: bool = False
    loading: bool = False
    """It says that the app is thinking."""
    edited: bool = False
    suppressed: bool = False
    """Its links show no preview."""
    pinned: bool = False
    deleted: bool = False


def seen_by(world: World, user: User, channel: Channel, *, deleted: bool) -> list[Shown]:
    """Give what a person sees in a channel, oldest first; nothing where they cannot look."""
    if channel.id not in world.channels or not world.sees(user.id, channel):
        return []
    whispers = [each for each in channel.ephemerals.values() if each.visible_to == user.id]
    gone = list(channel.graves.values()) if deleted else []
    messages = sorted([*channel.messages.values(), *whispers, *gone], key=lambda each: int(each.id))
    return [show(world, each) for each in messages]


def show(world: World, message: Message) -> Shown:
    """Put one message on the screen."""
    channel = world.channels.get(message.channel)
    thread = world.channels.get(message.id)
    return Shown(
        channel=message.channel,
        id=message.id,
        user=message.author,
        author=message.webhook_name or world.users[message.author].name,
        text=on_screen(world, channel, message.content),
        type=message.type,
        buttons=tuple(pressable(message.components)),
        reactions=tuple(message.reactions),
        files=tuple(file["filename"] for file in message.attachments),
        embeds=tuple(map(embed_text, message.embeds)),
        pings=message.pings,
        reply_to=message.reference.get("message_id") if message.type == 19 else None,
        thread=thread.id if thread and thread is not channel else None,
        ephemeral=bool(message.visible_to),
        loading=bool(message.flags & LOADING),
        edited=message.edited is not None,
        suppressed=bool(message.flags & SUPPRESS_EMBEDS),
        pinned=message.pinned,
        deleted=channel is None or message.id in channel.graves,
    )


def on_screen(world: World, channel: Channel | None, text: str) -> str:
    """Put names in the place of mentions; what leads nowhere stays as it is."""
    guild = world.guilds.get(channel.guild) if channel else None

    def shown(found: re.Match[str]) -> str:
        kind, id_ = found.groups()
        if kind == "#" and id_ in world.channels:
            return f"#{world.channels[id_].name}"
        if kind == "@&" and guild and id_ in guild.roles:
            return f"@{guild.roles[id_].name}"
        return f"@{world.users[id_].name}" if kind in ("@", "@!") and id_ in world.users else found[0]

    return TOKEN.sub(shown, text)


def embed_text(embed: Json) -> str:
    """Give the words of an embed, a line for each part."""
    fields = [f"{field['name']}: {field['value']}" for field in embed.get("fields") or []]
    parts = [embed.get("title"), embed.get("description"), *fields, (embed.get("footer") or {}).get("text")]
    return "\n".join(part for part in parts if part)


def pressable(rows: list[Json]) -> Iterator[Button]:
    """Give everything that can be pressed or chosen from."""
    for element in elements_of(rows):
        label = element.get("label") or element.get("placeholder") or (element.get("emoji") or {}).get("name") or ""
        options = tuple(option["label"] for option in element.get("options") or [])
        yield Button(
            element.get("custom_id", ""), label, bool(element.get("disabled")), element.get("url", ""), options
        )


def elements_of(rows: list[Json]) -> Iterator[Json]:
    """Give the buttons and menus in rows, and the fields in a form."""
    for row in rows:
        for element in row.get("components") or ([row["component"]] if "component" in row else []):
            if element.get("type") in (2, 4, *SELECTS):
                yield element
