"""What Slack sends, as events; None for what is not for us. A malformed payload is not for us either.

Identity: a message is its ts, so that a mention's twin events are one; an edit adds when it was edited; a deletion is
the ts of what is gone; everything else is its event or trigger id. Channel and workspace come from the ref.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import inf

from adapters.buttons import picks
from adapters.payloads import Json, object_in, objects_in, text_in
from adapters.slack import saying
from adapters.slack.forms import form_sent
from adapters.slack.reading import by_id, files_of, mentioned, readable, without_us
from adapters.slack.refs import Us, home_team, ref_of, user_key
from core.models import Command, ConversationRef, Event, MessageDeleted, MessageEdited, Reaction, UserMessage

SLACKBOT = "USLACKBOT"
SAID = {"", "file_share", "thread_broadcast", "me_message"}
"""The subtypes under which people say something; every other one is Slack or an app telling of something."""


@dataclass(frozen=True, slots=True)
class Heard:
    """An event, and what the app needs to decide whether it is for the desk.

    `ours` says that it is about a message of ours: one that was reacted to or deleted. `untold` says that who acts may
    be of another team, and that Slack does not say of which.
    """

    event: Event
    mentions_us: bool = False
    mentions_others: bool = False
    in_thread: bool = False
    ours: bool = False
    untold: bool = False

    @property
    def for_us(self) -> bool:
        """Whether the desk may be meant: in a channel by a mention, or in a thread where nobody else is spoken to."""
        if not isinstance(self.event, UserMessage) or self.event.ref.direct or self.mentions_us:
            return True
        return self.in_thread and not self.mentions_others


@dataclass(frozen=True, slots=True)
class HomeOpened:
    """Somebody opened the app; `ref` is the direct conversation with them."""

    ref: ConversationRef
    tab: str


@dataclass(frozen=True, slots=True)
class Stopped:
    """Somebody pressed Slack's own stop button in a thread; Slack has ended these streams there itself."""

    ref: ConversationRef
    streams: tuple[str, ...]


def event_of(body: Json, us: Us) -> Heard | None:
    """Translate whatever Slack sent. BadInputError only for a button of ours that says nothing we know."""
    translate = _TRANSLATIONS.get(text_in(object_in(body, "event"), "type") or text_in(body, "type") or _form(body))
    return translate(body, us) if translate else None


def message(body: Json, us: Us) -> Heard | None:
    """Translate `message` and `app_mention`: said, edited or deleted by a person."""
    event = object_in(body, "event")
    match text_in(event, "subtype"):
        case "message_changed":
            return _changed(body, us)
        case "message_deleted":
            return _deleted(body, us, object_in(event, "previous_message"), text_in(event, "deleted_ts"))
        case subtype if subtype in SAID:
            return _said(body, us)
    return None


def reaction(body: Json, us: Us) -> Heard | None:
    """Translate `reaction_added` and `reaction_removed`. They carry no thread: the desk goes by the message."""
    event = object_in(body, "event")
    item, user, id_ = object_in(event, "item"), text_in(event, "user"), text_in(body, "event_id")
    channel, ts, name = text_in(item, "channel"), text_in(item, "ts"), text_in(event, "reaction")
    if item.get("type") != "message" or user in ("", us.user) or not (channel and ts and name and id_):
        return None
    reacted = Reaction(id_, ref_of(us, channel, user), ts, name, removed=event.get("type") == "reaction_removed")
    return Heard(reacted, ours=text_in(event, "item_user") == us.user, untold=_is_shared(body))


def stopped(body: Json, us: Us) -> Command | None:
    """Translate `agent_session_stopped`, Slack's own stop button. It carries no team either."""
    event = object_in(body, "event")
    channel, user, id_ = text_in(event, "channel"), text_in(event, "user"), text_in(body, "event_id")
    if not (channel and user and id_):
        return None
    return Command(id_, ref_of(us, channel, user, thread=text_in(event, "thread_ts")), "stop")


def session_stopped(body: Json, us: Us) -> Stopped | None:
    """Translate what `agent_session_stopped` says besides the word: where it was pressed, and what Slack has ended."""
    said = stopped(body, us) if object_in(body, "event").get("type") == "agent_session_stopped" else None
    listed = object_in(body, "event").get("streaming_message_ts")
    streams = tuple(ts for ts in listed if isinstance(ts, str)) if isinstance(listed, list) else ()
    return Stopped(said.ref, streams) if said else None


def removed_at(body: Json) -> float | None:
    """When Slack took the bot's token back, with the app or without it; None where it did not.

    `tokens_revoked` may tell of people's own tokens alone.
    """
    event = object_in(body, "event")
    kind, at = event.get("type"), body.get("event_time")
    revoked = kind == "tokens_revoked" and object_in(event, "tokens").get("bot")
    if kind != "app_uninstalled" and not revoked:
        return None
    return float(at) if isinstance(at, int) else inf


def home_opened(body: Json, us: Us) -> HomeOpened | None:
    """Translate `app_home_opened`; it is no event of the desk. Prompts of the Messages tab stand in the manifest."""
    event = object_in(body, "event")
    channel, user = text_in(event, "channel"), text_in(event, "user")
    if event.get("type") != "app_home_opened" or not (channel and user):
        return None
    return HomeOpened(ref_of(us, channel, user, direct=True), text_in(event, "tab") or "home")


def slash(body: Json, us: Us) -> Command | None:
    """Translate `/desk WORD ...` and `/ticket-summary [TKT]`; they carry no thread, so the desk finds what is meant."""
    channel, user, id_ = text_in(body, "channel_id"), text_in(body, "user_id"), text_in(body, "trigger_id")
    said = saying.slash_words(text_in(body, "command"), readable(by_id(text_in(body, "text"))))
    if said is None or not (channel and user and id_):
        return None
    return Command(id_, ref_of(us, channel, user), *said, loose=True)


def action(body: Json, us: Us) -> Command | None:
    """Translate a press of one of our buttons. BadInputError when it says nothing we know.

    Its value says a word, never a session: that comes from the message the button stands under, which Slack names.
    """
    pressed = next(iter(objects_in(body, "actions")), {})
    if not text_in(pressed, "action_id").startswith(saying.BUTTON):
        return None
    name, args = saying.button_said(text_in(pressed, "action_id"), text_in(pressed, "value"))
    container, person = object_in(body, "container"), object_in(body, "user")
    ts, user = text_in(container, "message_ts"), text_in(person, "id")
    id_ = text_in(body, "trigger_id") or text_in(pressed, "action_ts")
    channel = text_in(object_in(body, "channel"), "id") or text_in(container, "channel_id") or _home_channel(body)
    if not (user and id_ and channel):
        return None
    thread = text_in(object_in(body, "message"), "thread_ts") or text_in(container, "thread_ts")
    key = user_key(us, user, home_team(body, us, person.get("team_id")))
    # On the Home tab there is no message, and the channel is the direct conversation (or the user, who stands for it).
    ref = ref_of(us, channel, key, thread=thread, direct=None if ts else True)
    return Command(id_, ref, name, args, message=ts or None, loose=picks(args))


def shortcut(body: Json, us: Us) -> Command | UserMessage | None:
    """Translate one of our message shortcuts: a word about the message it was chosen on, or the wish for a ticket."""
    said, target, person = object_in(body, "message"), object_in(body, "channel"), object_in(body, "user")
    chosen = text_in(body, "callback_id")
    ts, id_ = text_in(body, "message_ts") or text_in(said, "ts"), text_in(body, "trigger_id")
    channel, user = text_in(target, "id"), text_in(person, "id")
    if chosen not in (*saying.SHORTCUT_WORDS, saying.CREATE_TICKET) or not (ts and id_ and channel and user):
        return None
    key = user_key(us, user, home_team(body, us, person.get("team_id")))
    ref = ref_of(us, channel, key, thread=text_in(said, "thread_ts") or ts)
    if chosen != saying.CREATE_TICKET:
        return Command(id_, ref, saying.SHORTCUT_WORDS[chosen], message=ts)
    text = readable(without_us(text_in(said, "text"), us))
    return UserMessage(id_, ref, saying.ticket_wish(text), files=files_of(said))


def _said(body: Json, us: Us) -> Heard | None:
    event = object_in(body, "event")
    ts, channel, text = text_in(event, "ts"), text_in(event, "channel"), text_in(event, "text")
    if _is_app(event, us) or event.get("hidden") or not (ts and channel):
        return None
    ref = _place(body, us, event)
    flags = _mentions(text, us, thread=text_in(event, "thread_ts"), ts=ts)
    called = ref.direct or flags["mentions_us"]
    said, at = readable(without_us(text, us)), _micros(ts)
    written = UserMessage(ts, ref, said, files=files_of(event), called=called, at=at)
    return Heard(written, **flags)


def _micros(ts: str) -> int | None:
    """When a message was said; None where its id does not tell."""
    seconds, _, rest = ts.partition(".")
    fits = seconds.isdecimal() and len(seconds) <= 10 and rest.isdecimal() and len(rest) == 6
    return int(seconds + rest) if fits else None


def _changed(body: Json, us: Us) -> Heard | None:
    """An edit counts if a person made it and the text differs: replies, unfurls and languages change a message too."""
    event = object_in(body, "event")
    now, before = object_in(event, "message"), object_in(event, "previous_message")
    if text_in(now, "subtype") == "tombstone":
        return _deleted(body, us, before, text_in(now, "ts"))
    ts, at, text = text_in(now, "ts"), text_in(object_in(now, "edited"), "ts"), text_in(now, "text")
    if text_in(now, "subtype") not in SAID or _is_app(now, us) or text == text_in(before, "text"):
        return None
    if not (ts and at and text_in(event, "channel")):
        return None
    edited = MessageEdited(f"{ts}+{at}", _place(body, us, now), ts, readable(without_us(text, us)))
    return Heard(edited, **_mentions(text, us, thread=text_in(now, "thread_ts"), ts=ts))


def _deleted(body: Json, us: Us, gone: Json, ts: str) -> Heard | None:
    """Slack does not say who deleted: a person's message counts as theirs to delete, ours as deleted for who asked.

    Who that was the desk knows: not always who began the thread.
    """
    if text_in(gone, "subtype") == "tombstone" or not ts:
        # A tombstone goes when its last reply does: the message itself was deleted before.
        return None
    ours = text_in(gone, "user") == us.user
    thread = text_in(gone, "thread_ts")
    if not text_in(object_in(body, "event"), "channel") or (_is_app(gone, us) and not ours):
        return None
    author = {} if ours else gone
    ref = _place(body, us, author | {"ts": ts, "thread_ts": thread})
    return Heard(MessageDeleted(ts, ref, ts), in_thread=thread not in ("", ts), ours=ours)


def _place(body: Json, us: Us, said: Json) -> ConversationRef:
    """Where a message stands. Each root message begins a thread of its own, also in a direct conversation."""
    event = object_in(body, "event")
    kind = text_in(event, "channel_type")
    team = home_team(body, us, said.get("user_team"), said.get("source_team"), said.get("team"))
    thread = text_in(said, "thread_ts") or text_in(said, "ts")
    key = user_key(us, text_in(said, "user"), team)
    return ref_of(us, text_in(event, "channel"), key, thread=thread, direct=kind == "im" if kind else None)


def _mentions(text: str, us: Us, *, thread: str, ts: str) -> dict[str, bool]:
    people = mentioned(text)
    return {
        "mentions_us": us.user in people,
        "mentions_others": bool(people - {us.user}),
        "in_thread": thread not in ("", ts),
    }


def _is_app(said: Json, us: Us) -> bool:
    """Whether no person wrote it; a bot that answers bots would never end."""
    return bool(said.get("bot_id")) or text_in(said, "user") in ("", us.user, SLACKBOT)


def _is_shared(body: Json) -> bool:
    """Whether people of other teams read the channel."""
    return body.get("is_ext_shared_channel") is True


def _home_channel(body: Json) -> str:
    """The channel the Home tab was drawn for; Slack keeps what we put there, nobody else can change it."""
    view = object_in(body, "view")
    return text_in(view, "private_metadata") or text_in(object_in(body, "user"), "id") if view else ""


def _form(body: Json) -> str:
    return "slash_command" if text_in(body, "command") else ""


def _heard(translate: Callable[[Json, Us], Event | None]) -> Callable[[Json, Us], Heard | None]:
    def heard(body: Json, us: Us) -> Heard | None:
        event = translate(body, us)
        return Heard(event, in_thread=event.ref.thread is not None, untold=_is_shared(body)) if event else None

    return heard


_TRANSLATIONS: dict[str, Callable[[Json, Us], Heard | None]] = {
    "message": message,
    "app_mention": message,
    "reaction_added": reaction,
    "reaction_removed": reaction,
    "agent_session_stopped": _heard(stopped),
    "slash_command": _heard(slash),
    "block_actions": _heard(action),
    "message_action": _heard(shortcut),
    "view_submission": _heard(form_sent),
}
