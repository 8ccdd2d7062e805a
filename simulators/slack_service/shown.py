"""Messages as a person sees them: blocks as text, buttons by name, whispers only where they belong."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from simulators.slack_service.model import Channel, Json, Message, User
from simulators.slack_service.world import World

TOKEN = re.compile(r"<([@#!]?)([^<>|]+)(?:\|([^<>]*))?>")
PING = re.compile(r"<([@!][^<>|]+)")
CLICKABLE = ("button", "icon_button", "static_select", "overflow", "radio_buttons")


@dataclass(frozen=True, slots=True)
class Button:
    """Something to press."""

    action_id: str
    label: str
    value: str
    block_id: str


@dataclass(frozen=True, slots=True)
class Shown:
    """One message on somebody's screen."""

    channel: str
    ts: str
    thread_ts: str | None
    user: str
    author: str
    text: str
    buttons: tuple[Button, ...] = ()
    reactions: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    pings: tuple[str, ...] = ()
    """Who would be called by it: `@U00000004`, `!channel`."""
    ephemeral: bool = False
    streaming: bool = False
    edited: bool = False
    deleted: bool = False


def seen_by(world: World, user: User, channel: Channel, thread: str | None) -> list[Shown]:
    """Give what a member sees in a channel, or in one thread of it, oldest first; a stranger sees nothing."""
    if user.id not in channel.members:
        return []
    whispers = [each for each in channel.ephemerals.values() if each.visible_to == user.id]
    messages = sorted([*channel.messages.values(), *whispers], key=lambda each: float(each.ts))
    return [show(world, each) for each in messages if thread is None or thread in (each.ts, each.thread_ts)]


def show(world: World, message: Message) -> Shown:
    """Put one message on the screen."""
    author = world.users.get(message.user)
    return Shown(
        channel=message.channel,
        ts=message.ts,
        thread_ts=message.thread_ts,
        user=message.user,
        author=author.name if author else "slackbot",
        text=on_screen(world, text_of(message)),
        pings=tuple(PING.findall(text_of(message))),
        buttons=tuple(buttons_in(message.blocks)),
        reactions=tuple(message.reactions),
        files=tuple(file["name"] for file in message.files),
        ephemeral=bool(message.visible_to),
        streaming=message.stream == "in_progress",
        edited=bool(message.edited),
        deleted=message.subtype == "tombstone",
    )


def text_of(message: Message) -> str:
    """Give the words on the screen. Blocks take the place of the text; below a stream they are added."""
    if message.blocks and not message.stream:
        return flatten(message.blocks)
    return "\n".join(part for part in (message.text, flatten(message.blocks)) if part)


def on_screen(world: World, text: str) -> str:
    """Put markup as readers see it: names for mentions, labels for links, the three escaped characters."""

    def shown(found: re.Match[str]) -> str:
        kind, name, label = found.groups()
        if kind == "@" and name in world.users:
            return f"@{world.users[name].name}"
        return f"{'@' if kind == '!' else kind}{label or name}"

    return TOKEN.sub(shown, text).replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def flatten(blocks: Iterable[Json]) -> str:
    """Give the words in blocks, a line for each block; buttons in brackets."""
    return "\n".join(line for line in map(_block_text, blocks) if line)


def buttons_in(blocks: Iterable[Json]) -> Iterator[Button]:
    """Give everything that can be pressed."""
    for block in blocks:
        for element in clickable(block):
            label = _words(element.get("text") or element.get("placeholder") or "")
            yield Button(element.get("action_id", ""), label, element.get("value", ""), block.get("block_id", ""))


def clickable(block: Json) -> Iterator[Json]:
    """Give the pressable elements of a block; the two feedback buttons share one action id."""
    for element in [*(block.get("elements") or []), *filter(None, [block.get("accessory"), block.get("element")])]:
        if element.get("type") in CLICKABLE:
            yield element
        for side in ("positive_button", "negative_button"):
            if side in element:
                yield element[side] | {"type": "feedback_buttons", "action_id": element.get("action_id", "")}


def _block_text(block: Json) -> str:
    kind = block.get("type")
    if kind == "divider":
        return "---"
    if kind in ("actions", "context_actions"):
        return " ".join(f"[{button.label}]" for button in buttons_in([block]))
    if kind == "rich_text":
        return "".join(map(_rich, block.get("elements") or []))
    parts = [_words(block[name]) for name in ("title", "label", "text", "alt_text") if block.get(name)]
    parts += [_words(field) for field in block.get("fields") or []]
    parts += [_words(element) for element in block.get("elements") or []]
    parts += [f"[{button.label}]" for button in buttons_in([block])]
    return " ".join(part for part in parts if part)


def _words(thing: object) -> str:
    if isinstance(thing, dict):
        return _words(thing.get("text", thing.get("alt_text", "")))
    return str(thing)


def _rich(element: Json) -> str:
    kind, inner = element.get("type"), element.get("elements")
    if inner is not None:
        text = "".join(map(_rich, inner))
        return f"• {text}\n" if kind == "rich_text_section" and element.get("bullet") else text
    if kind == "user":
        return f"<@{element['user_id']}>"
    return str(element.get("text") or element.get("url") or element.get("name") or "")
