"""What Discord sends, as events; None for what is not for us. A malformed payload is not for us either.

Identity: a message is its id, an interaction its own; an edit adds when it was edited; a deletion is the id of what is
gone; a reaction has none, and is named by the frame it came in. Channel and workspace come from the ref.
"""

from dataclasses import dataclass, replace

from adapters.buttons import picks
from adapters.discord import saying
from adapters.discord.reading import (
    files_of,
    forwarded,
    is_hidden,
    mentioned,
    profile_of,
    readable,
    without_us,
)
from adapters.discord.refs import Room, Us, person_in, roles_in, snowflake_seconds
from adapters.payloads import Json, number_in, object_in, text_in
from core.models import Command, Event, MessageDeleted, MessageEdited, Profile, Reaction, UserMessage

SAID = {0, 19}
"""Types of messages in which people say something, and answer one; every other one is Discord telling of something."""
ANSWERED = 19
COMMAND, COMPONENT, FORM = 2, 3, 5
"""Types of interactions."""


@dataclass(frozen=True, slots=True)
class Heard:
    """An event, and what the app needs to decide what it comes to.

    `begins` says that it begins a conversation in a channel: below a message of its own (`below`), or in private.
    `hidden` says that Discord kept the content to itself. `chose` is the word a button or a command said. `server` is
    the one a button in a direct conversation is about: who pressed it is still to be looked for there.
    """

    event: Event
    begins: bool = False
    below: str = ""
    hidden: bool = False
    chose: str = ""
    server: str = ""


def message(said: Json, us: Us, room: Room, *, staff: bool = False) -> Heard | None:
    """Translate `MESSAGE_CREATE`: said by a person in a direct conversation, a thread or a channel.

    In a channel the desk is meant by a mention, or where all is for it and no `staff` speaks; in a thread where nobody
    else is spoken to.
    """
    id_, called = text_in(said, "id"), mentioned(said)
    if not _is_person(said, us) or number_in(said, "type") not in SAID or not id_ or room.kind == "forum":
        return None
    means_us, others = us.user in called, bool(called - {us.user})
    root = answered(said, us) if room.kind == "channel" else ""
    if root:
        # Where the desk may open no thread it answers with replies, and so do people.
        return Heard(_said(said, us, room, root, called=True), hidden=is_hidden(said))
    if room.kind == "channel" and not means_us and (staff or not _opens(said, room)):
        return None
    if room.kind == "thread" and others and not means_us:
        return None
    own_post = room.kind == "thread" and room.support and id_ == room.id and not staff
    event = _said(said, us, room, id_, called=room.kind != "thread" or means_us or own_post)
    begins = room.kind == "channel"
    return Heard(event, begins=begins, below=id_ if begins else "", hidden=is_hidden(said))


def edited(said: Json, us: Us, room: Room) -> Heard | None:
    """Translate `MESSAGE_UPDATE`. Previews and pins update a message too: only people's edits have a time."""
    id_, at, author = text_in(said, "id"), text_in(said, "edited_timestamp"), object_in(said, "author")
    if not _is_person(said, us) or not (id_ and at) or number_in(said, "type") not in SAID or is_hidden(said):
        return None
    ref = room.ref(text_in(author, "id"), id_, groups=roles_in(said))
    return Heard(MessageEdited(f"{id_}+{at}", ref, id_, readable(without_us(said, us))))


def deleted(gone: Json, room: Room) -> list[Heard]:
    """Translate `MESSAGE_DELETE` and `MESSAGE_DELETE_BULK`. They say neither who deleted nor whose the message was."""
    many = gone.get("ids")
    ids = many if isinstance(many, list) else [text_in(gone, "id")]
    return [Heard(MessageDeleted(id_, room.ref("", id_), id_)) for id_ in ids if isinstance(id_, str) and id_]


def reaction(put: Json, us: Us, room: Room, *, frame: str, removed: bool) -> Heard | None:
    """Translate `MESSAGE_REACTION_ADD` and `MESSAGE_REACTION_REMOVE`; to remove all of them at once means nothing."""
    message_id, user, emoji = text_in(put, "message_id"), text_in(put, "user_id"), object_in(put, "emoji")
    is_bot = object_in(object_in(put, "member"), "user").get("bot")
    if user in ("", us.user) or is_bot or emoji.get("id") or not (message_id and text_in(emoji, "name")):
        return None
    ref = room.ref(user, message_id, groups=roles_in(put))
    return Heard(Reaction(frame, ref, message_id, text_in(emoji, "name"), removed))


def interaction(body: Json, us: Us, room: Room) -> Heard | None:
    """Translate an app command, a menu of a message, or a button. BadInputError for a button that says nothing of ours.

    What is said in a channel is said beside the conversations there, so the desk finds which one is meant.
    """
    if not (text_in(body, "id") and text_in(person_in(body), "id")):
        return None
    if body.get("type") == COMPONENT:
        return _pressed(body, room)
    data = object_in(body, "data")
    if body.get("type") == FORM:
        filled = saying.form_words(data)
        return _word(body, room, *filled[:2], about=filled[2]) if filled else None
    if body.get("type") != COMMAND:
        return None
    if saying.is_menu(data):
        return _chosen(body, us, room)
    asked = saying.question(data)
    if asked is not None:
        # A conversation of its own is known by the interaction until it has a thread, and after.
        return Heard(_message(body, room, text_in(body, "id"), asked), begins=room.kind == "channel", chose=saying.ASK)
    said = saying.slash_words(data)
    return _word(body, room, *said) if said else None


def _pressed(body: Json, room: Room) -> Heard | None:
    said = saying.pressed_words(text_in(object_in(body, "data"), "custom_id"))
    under = text_in(object_in(body, "message"), "id")
    if not (said and under):
        return None
    heard = _word(body, room, *said, about=under)
    server = saying.tag_of(text_in(object_in(body, "data"), "custom_id")) if room.kind == "direct" else ""
    return replace(heard, server=server)


def _word(body: Json, room: Room, name: str, args: tuple[str, ...], *, about: str = "") -> Heard:
    person = person_in(body)
    profile = _profile(body)
    form = body.get("type") == FORM
    loose = not (form and about) and (room.kind in ("channel", "forum") or picks(args))
    ref = room.ref(text_in(person, "id"), about if form else "", groups=roles_in(body))
    command = Command(text_in(body, "id"), ref, name, args, message=about or None, profile=profile, loose=loose)
    return Heard(command, chose=name)


def _chosen(body: Json, us: Us, room: Room) -> Heard | None:
    data = object_in(body, "data")
    target, name = saying.target_of(data), text_in(data, "name")
    id_ = text_in(target, "id")
    if not id_ or not (name == saying.CREATE_TICKET or name in saying.MENUS):
        return None
    if name == saying.CREATE_TICKET:
        wish = saying.ticket_wish(readable(without_us(target, us)))
        event = _message(body, room, id_, wish, said=target)
        begins = room.kind == "channel"
        return Heard(event, begins=begins, below=id_ if begins else "", chose=name)
    ref = room.ref(text_in(person_in(body), "id"), id_, groups=roles_in(body))
    word = saying.MENUS[name]
    return Heard(Command(text_in(body, "id"), ref, word, message=id_, profile=_profile(body)), chose=word)


def _message(body: Json, room: Room, conversation: str, text: str, *, said: Json | None = None) -> UserMessage:
    ref = room.ref(text_in(person_in(body), "id"), conversation, groups=roles_in(body))
    return UserMessage(text_in(body, "id"), ref, text, profile=_profile(body), files=files_of(said or {}))


def _profile(body: Json) -> Profile:
    return profile_of(person_in(body), object_in(body, "member"), locale=text_in(body, "locale"))


def _said(said: Json, us: Us, room: Room, conversation: str, *, called: bool) -> UserMessage:
    author = object_in(said, "author")
    return UserMessage(
        text_in(said, "id"),
        room.ref(text_in(author, "id"), conversation, groups=roles_in(said)),
        readable(without_us(said, us)),
        profile=profile_of(author, object_in(said, "member")),
        files=files_of(said),
        quotes=forwarded(said),
        called=called,
        at=int(snowflake_seconds(text_in(said, "id")) * 1_000_000),
    )


def answered(said: Json, us: Us) -> str:
    """The message that our answer replies to, where a message replies to such an answer: its conversation."""
    answer = object_in(said, "referenced_message")
    ours = text_in(object_in(answer, "author"), "id") == us.user
    return text_in(object_in(answer, "message_reference"), "message_id") if ours else ""


def _opens(said: Json, room: Room) -> bool:
    """Whether a message that does not call us begins a conversation: where all is for the desk, but for replies."""
    return room.support and number_in(said, "type") != ANSWERED


def _is_person(said: Json, us: Us) -> bool:
    """Whether a person wrote it; a bot that answers bots would never end."""
    author = object_in(said, "author")
    user = text_in(author, "id")
    return not (author.get("bot") or author.get("system") or said.get("webhook_id") or user in ("", us.user))
