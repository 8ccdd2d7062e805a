import copy
import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.slack.refs import Us, team_of, user_of
from adapters.slack.translate import event_of, home_opened, session_stopped
from core.errors import BadInputError
from core.events import event_name
from core.models import (
    Command,
    ConversationRef,
    FileNote,
    MessageDeleted,
    MessageEdited,
    Reaction,
    UserMessage,
)
from core.session_ids import session_id

PAYLOADS = Path(__file__).parent / "payloads" / "slack"
US = Us("T1", "U0BOT")
ROOT, REPLY = "1780000000.000100", "1780000010.000100"
DIRECT = ConversationRef("slack", "T1", "D1", "U1", ROOT, direct=True)
THREAD = ConversationRef("slack", "T1", "C1", "U1", ROOT, direct=False)
NOT_FOR_US = [
    "message_of_ours",
    "message_of_a_bot",
    "message_of_an_integration",
    "message_join",
    "message_changed_replied",
    "message_changed_unfurled",
    "message_changed_unfurled_after_edit",
    "message_changed_language",
    "message_changed_ours",
    "message_changed_assistant_root",
    "message_deleted_tombstone",
    "reaction_on_a_file",
    "app_home_opened",
]
EVERY = sorted(path.stem for path in PAYLOADS.glob("*.json"))
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


def payload(name):
    return json.loads((PAYLOADS / f"{name}.json").read_text())


def heard(name):
    return event_of(payload(name), US)


def event(name):
    return heard(name).event


def said(text, **fields):
    body = payload("message_direct")
    body["event"] |= {"text": text, **fields}
    return event_of(body, US)


def pressed(**fields):
    body = payload("button")
    body["actions"][0] |= fields
    return event_of(body, US)


def slashed(text, command="/desk"):
    return event_of(payload("slash_desk") | {"command": command, "text": text}, US)


def test_a_direct_message():
    assert heard("message_direct").event == UserMessage(ROOT, DIRECT, "I cannot log in", at=int(ROOT.replace(".", "")))


def test_every_root_message_of_a_direct_conversation_begins_a_thread():
    in_thread = event("message_direct_in_thread")
    assert in_thread.ref == DIRECT
    assert session_id(said("x", ts="1780000099.000100").event.ref, "conversation") != session_id(DIRECT, "conversation")


def test_under_strategy_user_all_direct_messages_are_one_conversation():
    assert session_id(said("x", ts="1780000099.000100").event.ref, "user") == session_id(DIRECT, "user")


def test_a_file_is_noted_by_name_kind_and_size():
    assert event("message_direct_with_file").files == (FileNote("invoice.pdf", "application/pdf", 48213),)


def test_a_message_may_be_a_file_only_and_slack_may_tell_nothing_of_it():
    message = event("message_direct_file_only")
    assert (message.text, message.files) == ("", (FileNote("a file", "unknown type", 0),))


def test_a_mention_is_read_without_our_name_and_without_escapes():
    assert event("message_mention").text == (
        "my printer & I <3 each other, @bob, see #hardware and the list (https://acme.example.com/printers)"
    )


def test_a_mention_arrives_twice_and_is_one_event():
    twins = heard("message_mention"), heard("app_mention")
    assert twins[0] == twins[1]
    assert event_name(twins[0].event) == event_name(twins[1].event)
    assert twins[0].event.ref == THREAD


def test_in_a_channel_only_a_mention_begins_a_conversation():
    assert heard("message_mention").for_us
    assert heard("message_mention").event.called
    assert not heard("message_channel").for_us


def test_a_follow_up_in_a_thread_may_be_for_us_unless_it_speaks_to_somebody_else():
    follow_up, other = heard("message_thread_follow_up"), heard("message_thread_to_somebody_else")
    assert (follow_up.in_thread, follow_up.for_us, follow_up.event.called) == (True, True, False)
    assert (other.mentions_others, other.for_us) == (True, False)
    assert follow_up.event.ref == THREAD


def test_a_reply_sent_to_the_channel_as_well_is_a_message_of_the_thread():
    message = event("message_thread_broadcast")
    assert (message.text, message.ref.thread) == ("solved, thanks!", ROOT)


def test_a_group_direct_message_is_a_channel():
    assert heard("message_group_direct").for_us
    assert not event("message_group_direct").ref.direct


def test_people_of_another_team_keep_it_in_their_key():
    ref = event("message_shared_channel").ref
    assert (ref.workspace, ref.user) == ("T1", "T2:U7")
    assert (team_of(ref), user_of(ref)) == ("T2", "U7")


def test_an_organisation_that_stands_for_our_team_is_our_team():
    body = payload("message_mention") | {"context_enterprise_id": "E1"}
    body["event"] |= {"user_team": "E1"}
    assert event_of(body, US).event.ref.user == "U1"


@pytest.mark.parametrize("name", NOT_FOR_US)
def test_what_no_person_said_is_nothing(name):
    assert heard(name) is None


def test_an_edit_is_told_apart_from_its_message_and_from_the_next_edit():
    edit = event("message_edited")
    assert edit == MessageEdited(f"{ROOT}+1780000049.000000", DIRECT, ROOT, "I cannot log in to the shop")


def test_an_edit_in_a_thread_stays_in_its_thread():
    edit = event("message_edited_in_thread")
    assert (edit.ref, edit.message, edit.text) == (THREAD, "1780000030.000100", "and today?")


@pytest.mark.parametrize("name", ["message_deleted", "message_tombstone"])
def test_a_deletion_comes_in_two_shapes_and_is_one_event(name):
    assert event(name) == MessageDeleted(ROOT, DIRECT, ROOT)


def test_our_own_message_deleted_is_told_for_who_asked_whoever_began_the_thread():
    assert heard("message_deleted_ours").ours
    assert event("message_deleted_ours") == MessageDeleted(REPLY, replace(THREAD, user=""), REPLY)
    body = payload("message_deleted_ours")
    body["event"]["previous_message"]["parent_user_id"] = "USLACKBOT"
    assert event_of(body, US).event == event("message_deleted_ours")


@pytest.mark.parametrize("name", ["reaction_added", "reaction_removed", "agent_session_stopped"])
def test_in_a_shared_channel_it_is_told_that_the_team_of_who_acts_is_not(name):
    assert not heard(name).untold
    assert event_of(payload(name) | {"is_ext_shared_channel": True}, US).untold


def test_a_reaction_is_told_by_its_own_event_and_carries_no_thread():
    body = payload("reaction_added")
    ref = ConversationRef("slack", "T1", "C1", "U1", None, direct=False)
    assert heard("reaction_added").event == Reaction(body["event_id"], ref, REPLY, "leftwards_arrow_with_hook")
    assert heard("reaction_added").ours


def test_a_reaction_taken_off():
    reaction = event("reaction_removed")
    assert (reaction.name, reaction.removed, reaction.ref.direct) == ("+1::skin-tone-3", True, True)
    assert not heard("reaction_removed").ours


def test_our_own_reactions_are_nothing():
    body = payload("reaction_added")
    body["event"]["user"] = "U0BOT"
    assert event_of(body, US) is None


def test_slacks_stop_button_says_stop_in_its_thread():
    body = payload("agent_session_stopped")
    assert event("agent_session_stopped") == Command(body["event_id"], DIRECT, "stop")
    assert session_stopped(body, US).streams == (REPLY,)


def test_opening_the_home_tab_is_told_to_the_app_alone():
    opened = home_opened(payload("app_home_opened"), US)
    assert (opened.tab, opened.ref.channel, opened.ref.user, opened.ref.direct) == ("home", "D1", "U1", True)


def test_a_slash_command_is_said_beside_the_conversations_of_its_channel():
    command = event("slash_desk")
    ref = ConversationRef("slack", "T1", "C1", "U1", None, direct=False)
    assert command == Command("333.444.bbb", ref, "branch", ("what if", "later"), loose=True)


def test_a_slash_command_in_a_direct_conversation_is_direct():
    command = event("slash_desk_direct")
    assert (command.name, command.args, command.ref.direct) == ("undo", ("2",), True)


def test_ticket_summary_is_a_word_of_its_own():
    command = event("slash_ticket_summary")
    assert (command.name, command.args) == ("ticket-summary", ("TKT-1001",))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", ("help",)),
        ("  ", ("help",)),
        ("!undo", ("undo",)),
        ("Not Helpful", ("Not Helpful",)),
        ("branch “a b” c", ("branch", "a b", "c")),
        ("branch 'a b'", ("branch", "a b")),
        ("branch don't do that", ("branch", "don't", "do", "that")),
        ('branch "never ends', ("branch", '"never', "ends")),
        ("open &lt;x&gt;", ("open", "<x>")),
    ],
)
def test_the_words_of_a_slash_command(text, words):
    command = slashed(text).event
    assert (command.name, *command.args) == words


def test_a_slash_command_of_somebody_else_is_nothing():
    assert slashed("undo", command="/deploy") is None


def test_a_button_says_its_word_about_the_message_it_stands_under():
    assert event("button") == Command("111.222.aaa", THREAD, "undo", message=REPLY)


def test_a_button_that_picks_a_conversation_is_said_beside_them():
    command = event("button_ephemeral")
    assert (command.args, command.loose, command.ref.thread) == (("1", "in:0123456789ab"), True, None)


def test_a_button_of_the_home_tab_is_said_in_the_direct_conversation():
    command = event("button_home")
    assert command == Command("111.222.aaa", ConversationRef("slack", "T1", "D1", "U1", direct=True), "clear")


def test_a_button_of_another_app_is_nothing():
    assert pressed(action_id="approve") is None


@pytest.mark.parametrize(
    "value",
    ["", "undo", "[]", "{}", '{"c":1,"a":[]}', '{"c":"undo","a":"1"}', '{"c":"undo","a":[1]}', '{"c":"clear","a":[]}']
    + ['{"c":"undo","a":["' + "x" * 2_000 + '"]}', "[" * 1_999],
)
def test_a_button_that_says_nothing_we_know_is_refused_in_one_line(value):
    with pytest.raises(BadInputError) as caught:
        pressed(value=value)
    assert caught.value.reply.count("\n") == 0


def test_a_forged_value_naming_another_session_changes_nothing():
    forged = json.dumps({"c": "undo", "a": [], "session": "slack/T1/dm/U2", "message": "1", "user": "U2"})
    assert pressed(value=forged).event == event("button")


def test_a_shortcut_says_its_word_about_the_message_it_was_chosen_on():
    assert event("shortcut") == Command("555.666.ccc", THREAD, "undo", message=REPLY)


def test_the_shortcut_for_a_ticket_asks_for_one_in_the_thread_of_its_message():
    wish = event_of(payload("shortcut") | {"callback_id": "create_ticket"}, US).event
    assert isinstance(wish, UserMessage)
    assert (wish.id, wish.ref) == ("555.666.ccc", THREAD)
    assert wish.text.startswith("open a ticket: ")


def test_a_shortcut_of_another_app_is_nothing():
    assert event_of(payload("shortcut") | {"callback_id": "translate"}, US) is None


@given(st.sampled_from(EVERY), st.data())
def test_a_malformed_payload_is_not_for_us(name, data):
    body = payload(name)
    spoilt(body, data)
    try:
        found = event_of(body, US)
    except BadInputError:
        return
    if found is not None:
        assert found.event.id and found.event.ref.channel
        # Who deletes a message of ours Slack does not say.
        assert found.event.ref.user or (found.ours and isinstance(found.event, MessageDeleted))


def spoilt(body, data):
    here = body
    while True:
        key = data.draw(st.sampled_from(sorted(here)))
        if not isinstance(here[key], dict) or not here[key] or data.draw(st.booleans()):
            break
        here = here[key]
    if data.draw(st.booleans()):
        del here[key]
    else:
        here[key] = data.draw(JSON)


@given(st.dictionaries(st.text(max_size=8), JSON, max_size=4))
def test_what_slack_never_sent_is_not_for_us(body):
    assert event_of(copy.deepcopy(body), US) is None
