"""What the desk says, as Discord's API takes it: limits kept, mentions defused, links without previews.

Limits: https://docs.discord.com/developers/resources/message and https://docs.discord.com/developers/components/reference
"""

import re
from base64 import urlsafe_b64encode
from collections.abc import Iterator, Sequence
from dataclasses import replace
from hashlib import sha256

from adapters.buttons import clipped
from adapters.discord.refs import DIRECT
from adapters.discord.saying import MAX_CUSTOM_ID, custom_id_of
from adapters.payloads import Json, objects_in, text_in
from adapters.splitting import split_text
from core.models import Button, Delivery

LIMIT = 2_000
PIECE = 1_900
"""Characters of a piece as rendered: a note before it still fits."""
STREAMED = 1_800
"""Characters that are streamed at most: what is longer comes with the answer itself."""
THREAD_NAME = 60

NO_MENTIONS: Json = {"parse": [], "replied_user": False}
"""What `AllowedMentions.none()` says, on every send."""
SUPPRESS_EMBEDS, EPHEMERAL = 1 << 2, 1 << 6

SUMMARY = Button("Summary", "summary")
"""Stands beside Retry below every answer: few find the menu of a message."""

_SHORTEST = 64
_IN_ROW, _ROWS = 5, 5
_LABEL = 80
_ROW, _BUTTON, _SECONDARY = 1, 2, 2
_NOTHING = {"reply": "…", "retract": "(taken back)", "restore": "…"}
_PING = re.compile(r"@(?=everyone|here)|<@(?=[!&]?\d)")


def split(text: str) -> list[str]:
    """Cut a text into pieces that fit a message when rendered, without breaking code fences; at least one piece."""
    return list(_fitting(text, PIECE))


def post(delivery: Delivery) -> Json:
    """The body of a new message. Its nonce makes Discord give it once, however often it is sent in some minutes."""
    return content(delivery) | {"nonce": nonce_of(delivery.key), "enforce_nonce": True}


def content(delivery: Delivery) -> Json:
    """The body of a message that is changed, or that is for one person's eyes (see `private`)."""
    said = said_as(delivery.text, blank=_NOTHING[delivery.kind])
    server = delivery.ref.workspace if delivery.ref.direct and delivery.ref.workspace != DIRECT else ""
    return said | {"components": components(offered(delivery.buttons), server)}


def private(body: Json) -> Json:
    """The same body for one person's eyes; only an answer to an interaction can be that."""
    return body | {"flags": SUPPRESS_EMBEDS | EPHEMERAL}


def said_as(text: str, *, blank: str = "…") -> Json:
    """The body of a message without buttons."""
    words = defused(text)[:LIMIT]
    return {
        "content": words if words.strip() else blank,
        "allowed_mentions": NO_MENTIONS,
        "flags": SUPPRESS_EMBEDS,
    }


def line(text: str, key: str) -> Json:
    """The body of a line of ours that is no piece of a reply, once for a key."""
    return said_as(text) | {"nonce": nonce_of(key), "enforce_nonce": True}


def streamed(text: str) -> str:
    """What is shown of a text so far, with the code fence closed that is open."""
    return split_text(text.rstrip(), STREAMED)[0] if len(text) > STREAMED else _closed(text.rstrip())


def nonce_of(key: str) -> str:
    """The nonce of a key: 24 characters, of the 25 that Discord keeps."""
    return urlsafe_b64encode(sha256(key.encode()).digest()[:18]).decode()


def is_piece(message: Json, delivery: Delivery) -> bool:
    """Whether a message of ours is this piece: by its nonce, and where Discord gives none by what it says."""
    nonce = message.get("nonce")
    if nonce is not None:
        return str(nonce) == nonce_of(delivery.key)
    wanted = content(delivery)
    return text_in(message, "content") == wanted["content"] and _ids(message) == _ids(wanted)


def thread_name(text: str) -> str:
    """Name a thread by the beginning of what is said first."""
    words = " ".join(defused(text).split())
    return clipped(words, THREAD_NAME) if words else "Support"


def direct(delivery: Delivery) -> Delivery:
    """The same piece in the person's own direct conversation; its buttons then name the server they are about."""
    return replace(delivery, ref=replace(delivery.ref, direct=True))


def offered(choices: Sequence[Button]) -> tuple[Button, ...]:
    """The buttons of a message: below an answer with one for its summary."""
    until = next((number for number, one in enumerate(choices, 1) if (one.command, one.args) == ("retry", ())), 0)
    return (*choices[:until], SUMMARY, *choices[until:]) if until else tuple(choices)


def components(choices: Sequence[Button], server: str = "") -> list[Json]:
    """The rows of some buttons; one that says more than Discord keeps is left out."""
    made = [_button(choice, number, server) for number, choice in enumerate(choices)]
    fitting = [button for button in made if len(button["custom_id"]) <= MAX_CUSTOM_ID][: _IN_ROW * _ROWS]
    rows = [fitting[at : at + _IN_ROW] for at in range(0, len(fitting), _IN_ROW)]
    return [{"type": _ROW, "components": row} for row in rows]


def defused(text: str) -> str:
    """Let no mention be one: Discord would ping nobody, but show a name or a coloured @everyone."""
    return _PING.sub(lambda found: found[0] + "\N{ZERO WIDTH SPACE}", text)


def _fitting(text: str, limit: int) -> Iterator[str]:
    for piece in split_text(text, limit):
        # What is defused grows.
        length = len(defused(piece))
        if length <= PIECE or limit <= _SHORTEST:
            yield piece
        else:
            yield from _fitting(piece, max(_SHORTEST, limit * PIECE // length * 9 // 10))


def _button(choice: Button, number: int, server: str) -> Json:
    # Two buttons that say the same need two ids.
    said = custom_id_of(choice, str(number), server)
    return {"type": _BUTTON, "style": _SECONDARY, "label": clipped(choice.label, _LABEL), "custom_id": said}


def _ids(message: Json) -> list[str]:
    rows = objects_in(message, "components")
    return [text_in(button, "custom_id") for row in rows for button in objects_in(row, "components")]


def _closed(text: str) -> str:
    return text + "\n```" if text.count("```") % 2 else text
