import contextlib
import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.buttons import button_value
from adapters.discord import translate
from adapters.discord.refs import Room, Us, room_in
from core.errors import BadInputError
from core.models import (
    Button,
    Command,
    ConversationRef,
    FileNote,
    MessageDeleted,
    MessageEdited,
    Profile,
    Quote,
    Reaction,
    UserMessage,
)

PAYLOADS = Path(__file__).parent / "payloads" / "discord"
US = Us("9001", "9000")
CHANNEL = Room("3001", "channel", "1001", name="help")
THREAD = Room("4001", "thread", "1001", parent="3001")
DIRECT = Room("6001", "direct")
FORUM_POST = Room("5001", "thread", "1001", parent="3002", support=True)
ALICE = Profile(name="Alice from Acme")
IN_THREAD = ConversationRef("discord", "1001", "4001", "2002", "4001", direct=False)
BELOW_MESSAGE = ConversationRef("discord", "1001", "5001", "2002", "5001", direct=False)
BESIDE = ConversationRef("discord", "1001", "3001", "2002", None, direct=False)
ALONE = ConversationRef("discord", "@dm", "6001", "2002", None, direct=True)
# When message 5001 was made, by its id: as early as there is.
SAID = 1_420_070_400_000_000


def payload(name):
    return json.loads((PAYLOADS / f"{name}.json").read_text())


def said(name, room, **more):
    return translate.message(payload(name), US, room, **more)


def chosen(name):
    body = payload(name)
    return translate.interaction(body, US, room_in(body["channel"], body.get("guild_id", "")))


# --- messages ---------------------------------------------------------------------------------------------------------


def test_a_mention_in_a_channel_begins_a_conversation_below_the_message():
    heard = said("mention", CHANNEL)
    text = "my printer burns, @Bob saw it :wave:"
    assert heard.event == UserMessage("5001", BELOW_MESSAGE, text, profile=ALICE, at=SAID)
    assert (heard.begins, heard.below) == (True, "5001")


def test_a_message_in_a_channel_is_for_others():
    assert said("channel", CHANNEL) is None


def test_a_message_in_a_support_channel_begins_a_conversation():
    heard = said("channel", replace(CHANNEL, support=True))
    assert (heard.event.ref, heard.event.called, heard.begins) == (BELOW_MESSAGE, True, True)


def test_a_message_of_staff_in_a_support_channel_opens_nothing():
    assert said("channel", replace(CHANNEL, support=True), staff=True) is None


def test_a_mention_by_staff_does():
    assert said("mention", replace(CHANNEL, support=True), staff=True).begins


def test_a_reply_to_somebody_in_a_support_channel_opens_nothing():
    assert said("reply_to_bob", replace(CHANNEL, support=True)) is None


def test_a_message_in_a_thread_is_for_who_spoke_there_before():
    heard = said("thread", THREAD)
    assert heard.event == UserMessage("5001", IN_THREAD, "and now it smokes", profile=ALICE, called=False, at=SAID)
    assert not heard.begins


def test_a_thread_that_was_asked_for_in_private_is_known_by_its_interaction():
    ref = said("thread", replace(THREAD, conversation="8801")).event.ref
    assert (ref.channel, ref.thread) == ("8801", "8801")


def test_what_is_said_to_somebody_else_in_a_thread_is_not_for_us():
    assert said("reply_to_bob", THREAD) is None


def test_the_first_message_of_a_post_in_a_support_forum_calls_the_desk():
    assert said("channel", FORUM_POST).event.called
    assert not said("channel", replace(FORUM_POST, support=False)).event.called


def test_a_direct_message_is_for_us():
    assert said("direct", DIRECT).event == UserMessage("5001", ALONE, "hello", profile=Profile(name="Alice"), at=SAID)


@pytest.mark.parametrize(
    ("name", "note"),
    [("sticker", FileNote("Burning printer", "sticker", 0)), ("file", FileNote("error.log", "text/plain", 2048))],
)
def test_a_file_or_sticker_alone_is_noted(name, note):
    heard = said(name, THREAD)
    assert (heard.event.text, heard.event.files, heard.hidden) == ("", (note,), False)


def test_an_embed_alone_is_a_blank_message():
    heard = said("embed", THREAD)
    assert (heard.event.text, heard.hidden) == ("", False)


def test_what_is_sent_on_is_quoted_as_somebody_elses():
    heard = said("forwarded", THREAD)
    assert heard.event.quotes == (Quote("somebody, sent on", "the printer of room 3 is out of ink"),)


def test_a_message_without_any_content_was_kept_from_us():
    assert said("blank", THREAD).hidden


@pytest.mark.parametrize("name", ["bot", "webhook", "ours", "joined", "thread_starter"])
def test_what_no_person_says_is_not_for_us(name):
    assert said(name, replace(CHANNEL, support=True)) is None


# --- edits, deletions, reactions --------------------------------------------------------------------------------------


def test_an_edit_is_known_by_its_time():
    event = translate.edited(payload("edited"), US, THREAD).event
    assert event == MessageEdited("5001+2026-01-02T03:05:00+00:00", IN_THREAD, "5001", "and now it is @Bob's")


@pytest.mark.parametrize("name", ["unfurled", "ours", "bot"])
def test_a_preview_and_an_edit_of_a_bot_are_no_edits(name):
    assert translate.edited(payload(name), US, THREAD) is None


def test_an_edit_whose_content_is_kept_from_us_is_none():
    body = payload("blank") | {"edited_timestamp": "2026-01-02T03:05:00+00:00"}
    assert translate.edited(body, US, THREAD) is None


def test_a_deletion_names_nobody():
    (heard,) = translate.deleted(payload("deleted"), THREAD)
    assert heard.event == MessageDeleted("5001", replace(IN_THREAD, user=""), "5001")


def test_many_deletions_are_as_many_events_each_in_its_conversation():
    places = [heard.event.ref.thread for heard in translate.deleted(payload("deleted_many"), CHANNEL)]
    assert places == ["5001", "5002"]


def test_a_reaction_is_known_by_its_frame():
    heard = translate.reaction(payload("reacted"), US, THREAD, frame="s:7", removed=False)
    assert heard.event == Reaction("s:7", IN_THREAD, "5001", "↩️")


def test_a_reaction_on_the_message_of_a_thread_is_in_its_conversation():
    heard = translate.reaction(payload("unreacted"), US, CHANNEL, frame="s:8", removed=True)
    assert heard.event == Reaction("s:8", BELOW_MESSAGE, "5001", "↩️", removed=True)


@pytest.mark.parametrize("name", ["reacted_with_own_emoji", "bot_reacted"])
def test_own_emoji_and_reactions_of_bots_mean_nothing(name):
    assert translate.reaction(payload(name), US, THREAD, frame="s:9", removed=False) is None


def test_our_own_reaction_means_nothing():
    body = payload("reacted") | {"user_id": US.user}
    assert translate.reaction(body, US, THREAD, frame="s:9", removed=False) is None


# --- commands, menus, buttons -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "word", "args"),
    [("slash", "undo", ("2",)), ("slash_two_words", "not helpful", ()), ("staff", "clear", ("confirm",))],
)
def test_a_command_in_a_thread_is_about_its_conversation(name, word, args):
    event = chosen(name).event
    assert event == Command("8801", IN_THREAD, word, args, profile=replace(ALICE, locale="de"))


def test_a_command_in_a_channel_is_said_beside_its_conversations():
    event = chosen("slash_in_channel").event
    assert (event.ref, event.loose) == (BESIDE, True)


def test_a_command_in_a_direct_conversation_is_about_it():
    event = chosen("slash_direct").event
    assert (event.ref, event.name, event.args, event.loose) == (ALONE, "ticket-summary", ("TKT-1001",), False)


def test_a_command_of_another_app_is_not_for_us():
    assert chosen("other_command") is None


def test_a_question_in_a_channel_begins_a_conversation_in_private():
    heard = chosen("ask")
    ref = ConversationRef("discord", "1001", "8801", "2002", "8801", direct=False)
    assert heard.event == UserMessage("8801", ref, "where is my invoice?", profile=replace(ALICE, locale="de"))
    assert (heard.begins, heard.below) == (True, "")


def test_a_question_in_a_thread_is_asked_there():
    heard = chosen("ask_in_thread")
    assert (heard.event.ref, heard.begins) == (IN_THREAD, False)


def test_a_menu_says_its_word_about_the_message():
    event = chosen("menu_undo").event
    assert (event.name, event.message, event.ref, event.loose) == ("undo", "5001", IN_THREAD, False)


def test_a_menu_on_a_message_in_a_channel_means_its_conversation():
    assert chosen("menu_summarise_in_channel").event.ref == BELOW_MESSAGE


def test_a_wish_for_a_ticket_quotes_the_message_and_begins_below_it():
    heard = chosen("menu_ticket")
    assert heard.event.text == "open a ticket: the printer burns again"
    assert heard.event.files == (FileNote("fire.jpg", "image/jpeg", 9),)
    assert (heard.event.id, heard.event.ref, heard.below) == ("8801", BELOW_MESSAGE, "5001")


def test_a_button_says_its_word_about_the_message_it_stands_under():
    event = chosen("button").event
    assert (event.name, event.args, event.message, event.loose) == ("retry", ("turn", "abc"), "5009", False)


def test_a_button_that_picks_is_loose():
    assert chosen("button_picks").event.loose


def test_a_forged_button_is_no_word():
    with pytest.raises(BadInputError):
        chosen("button_forged")


def test_a_button_of_others_is_not_for_us():
    assert chosen("button_of_others") is None


def test_a_button_cannot_name_a_conversation():
    body = payload("button")
    body["data"]["custom_id"] = "desk:0#" + button_value(Button("x", "history", ("discord/1001/thread/4002",)))
    event = translate.interaction(body, US, THREAD).event
    assert event.ref == IN_THREAD


# --- whatever comes ---------------------------------------------------------------------------------------------------

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=10,
)


@pytest.mark.parametrize("path", sorted(PAYLOADS.glob("*.json")), ids=lambda path: path.stem)
@given(data=st.data())
def test_a_payload_with_anything_in_any_field_breaks_nothing(path, data):
    body = json.loads(path.read_text())
    body[data.draw(st.sampled_from(sorted(body)))] = data.draw(json_values)
    for room in (CHANNEL, THREAD, DIRECT):
        translate.message(body, US, room)
        translate.edited(body, US, room)
        translate.deleted(body, room)
        translate.reaction(body, US, room, frame="s:1", removed=False)
        with contextlib.suppress(BadInputError):
            translate.interaction(body, US, room)
