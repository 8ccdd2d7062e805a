"""What the desk says, as Slack's Web API takes it: limits kept, text escaped, mentions defused.

Limits: https://docs.slack.dev/reference/block-kit/blocks and https://docs.slack.dev/reference/methods/chat.update
"""

from collections.abc import Iterator, Sequence

from adapters.buttons import button_value, clipped
from adapters.payloads import Json
from adapters.slack.markdown import decided, defused, mrkdwn
from adapters.slack.refs import team_of, user_of
from adapters.slack.saying import BUTTON, MAX_VALUE
from adapters.splitting import split_text
from core.models import Button, ConversationRef, Delivery

METADATA = "deskmate_piece"
"""The event type of the metadata that carries a piece's key."""

PIECE = 2_900
"""Characters of a piece as rendered: with a note before it, it still fits one section and `chat.update` (4,000)."""
SECTION = 3_000

_SHORTEST = 64
_IN_ROW = 5
_LABEL = 75
_SECTIONS = 4
"""Sections of a message at most; Slack refuses about 13,200 characters of blocks, whatever the limit of each."""
_NOTHING = {"reply": "…", "retract": "(taken back)", "restore": "…"}


def split(text: str) -> list[str]:
    """Cut a text into pieces that fit a message when rendered, without breaking code fences; at least one piece."""
    return list(_fitting(text, PIECE))


def post(delivery: Delivery) -> Json:
    """What `chat.postMessage` takes for a reply, with its key in the metadata."""
    return {
        "channel": delivery.ref.channel,
        **_in_thread(delivery.ref),
        **_content(delivery),
        "metadata": metadata(delivery.key),
        "parse": "none",
        "link_names": False,
        "unfurl_links": False,
        "unfurl_media": False,
    }


def ephemeral(delivery: Delivery) -> Json:
    """What `chat.postEphemeral` takes for a private reply; it knows no metadata."""
    return {
        "channel": delivery.ref.channel,
        "user": user_of(delivery.ref),
        **_in_thread(delivery.ref),
        **_content(delivery),
        "parse": "none",
        "link_names": False,
    }


def update(delivery: Delivery) -> Json:
    """What `chat.update` takes to retract a message or to restore it; its metadata stays as it is."""
    return {
        "channel": delivery.ref.channel,
        "ts": delivery.message,
        **_content(delivery),
        "parse": "none",
        "link_names": False,
    }


def metadata(key: str) -> Json:
    """The metadata by which a message of ours is found again."""
    return {"event_type": METADATA, "event_payload": {"key": key}}


def key_of(message: Json) -> str | None:
    """The key in a message of ours that Slack returned with its metadata; None where there is none."""
    found = message.get("metadata")
    payload = found.get("event_payload") if isinstance(found, dict) and found.get("event_type") == METADATA else None
    key = payload.get("key") if isinstance(payload, dict) else None
    return key if isinstance(key, str) else None


def stream_start(ref: ConversationRef) -> Json:
    """What `chat.startStream` takes; in a channel Slack wants to know for whom."""
    person = {} if ref.direct else {"recipient_team_id": team_of(ref), "recipient_user_id": user_of(ref)}
    return {"channel": ref.channel, **_in_thread(ref), **person}


def streamed(text: str, *, whole: bool = False) -> str:
    """The Markdown a stream shows of a text so far; as the text grows it only ever gets longer, until it is whole."""
    return defused(text if whole else decided(text))


def buttons(choices: Sequence[Button]) -> list[Json]:
    """The blocks of some buttons, five in a row; one that says more than Slack keeps is left out."""
    elements, seen = [], dict[str, int]()
    for choice in choices:
        value = button_value(choice)
        seen[choice.command] = number = seen.get(choice.command, 0) + 1
        if len(value) <= MAX_VALUE:
            elements.append(_button(choice, value, number))
    rows = [elements[at : at + _IN_ROW] for at in range(0, len(elements), _IN_ROW)]
    return [{"type": "actions", "elements": row} for row in rows]


def section(text: str) -> Json:
    """The block of a text that is mrkdwn already."""
    # `verbatim`: Slack looks for no addresses, channels and mentions of its own in what is no markup.
    return {"type": "section", "text": {"type": "mrkdwn", "text": text, "verbatim": True}}


def _fitting(text: str, limit: int) -> Iterator[str]:
    for piece in split_text(text, limit):
        # Escapes, aligned tables and addresses grow when rendered.
        length = len(mrkdwn(piece))
        if length <= PIECE or limit <= _SHORTEST:
            yield piece
        else:
            yield from _fitting(piece, max(_SHORTEST, limit * PIECE // length * 9 // 10))


def _content(delivery: Delivery) -> Json:
    """Text and blocks. What people are notified of is the text; the blocks carry the buttons."""
    sections = [piece if piece.strip() else _NOTHING[delivery.kind] for piece in _rendered(delivery.text)]
    return {"text": sections[0], "blocks": [*map(section, sections), *buttons(delivery.buttons)]}


def _rendered(text: str) -> list[str]:
    whole = mrkdwn(text)
    # The desk has split it before; only a note before a piece can make it longer than that.
    return [whole] if len(whole) <= SECTION else [mrkdwn(piece) for piece in split(text)[:_SECTIONS]]


def _in_thread(ref: ConversationRef) -> Json:
    return {"thread_ts": ref.thread} if ref.thread else {}


def _button(choice: Button, value: str, number: int) -> Json:
    # Two buttons of one word need two ids.
    action_id = f"{BUTTON}{choice.command}" + (f"#{number}" if number > 1 else "")
    text = {"type": "plain_text", "text": clipped(choice.label, _LABEL)}
    return {"type": "button", "action_id": action_id, "text": text, "value": value}
