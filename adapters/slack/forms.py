"""The form that asks staff why they need to read a conversation: shown for a message, and read when it is sent in.

https://docs.slack.dev/reference/views/modal-views
"""

import json
from dataclasses import dataclass

from adapters.payloads import Json, object_in, text_in
from adapters.slack import saying
from adapters.slack.refs import Us, home_team, ref_of, user_key
from core.models import Command

TITLE, LABEL, HINT = "Review", "Why do you need to read it?", "The audit log keeps it."
LONGEST = 500


@dataclass(frozen=True, slots=True)
class FormAsked:
    """Somebody wants to read the conversation of a message: the form to show them, while `trigger` is good for it."""

    trigger: str
    view: Json


def form_asked(body: Json) -> FormAsked | None:
    """Translate the shortcut that asks for the form; None for all else."""
    said, trigger = object_in(body, "message"), text_in(body, "trigger_id")
    ts, channel = text_in(body, "message_ts") or text_in(said, "ts"), text_in(object_in(body, "channel"), "id")
    chosen = body.get("type") == "message_action" and body.get("callback_id") == saying.REVIEW
    if not (chosen and ts and channel and trigger):
        return None
    return FormAsked(trigger, _view({"channel": channel, "ts": ts, "thread": text_in(said, "thread_ts") or ts}))


def form_sent(body: Json, us: Us) -> Command | None:
    """Translate the form when it is sent in. Which message it is about Slack has kept; nobody else can change that."""
    view, person = object_in(body, "view"), object_in(body, "user")
    about, user = _kept(text_in(view, "private_metadata")), text_in(person, "id")
    id_, channel, ts = text_in(view, "id"), text_in(about, "channel"), text_in(about, "ts")
    if text_in(view, "callback_id") != saying.REVIEW or not (id_ and user and channel and ts):
        return None
    key = user_key(us, user, home_team(body, us, person.get("team_id")))
    ref = ref_of(us, channel, key, thread=text_in(about, "thread") or ts)
    field = object_in(object_in(object_in(object_in(view, "state"), "values"), saying.REASON), saying.REASON)
    return Command(id_, ref, "review", (saying.HERE, *text_in(field, "value").split()), message=ts)


def _view(about: Json) -> Json:
    field = {"type": "plain_text_input", "action_id": saying.REASON, "multiline": True, "max_length": LONGEST}
    asked = {"type": "input", "block_id": saying.REASON, "label": _plain(LABEL), "hint": _plain(HINT), "element": field}
    return {
        "type": "modal",
        "callback_id": saying.REVIEW,
        "title": _plain(TITLE),
        "submit": _plain("Read"),
        "close": _plain("Cancel"),
        "private_metadata": json.dumps(about),
        "blocks": [asked],
    }


def _plain(text: str) -> Json:
    return {"type": "plain_text", "text": text}


def _kept(metadata: str) -> Json:
    try:
        kept = json.loads(metadata)
    except (ValueError, RecursionError):
        return {}
    return kept if isinstance(kept, dict) else {}
